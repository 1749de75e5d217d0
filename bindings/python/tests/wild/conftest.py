"""Programs as people write them for pyzmq, unchanged. They are in `programs`."""

import pytest
from engines import ENGINES


@pytest.fixture(params=ENGINES)
def engine(request):
    """A test that says nothing else runs on each engine that can run everything."""
    return request.param
