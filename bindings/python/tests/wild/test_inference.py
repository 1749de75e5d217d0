"""A front end and its engines in vLLM's way."""

import pytest
from engines import ALL_ENGINES, run

pytest.importorskip("msgpack", reason="msgpack is not installed")

pytestmark = [pytest.mark.timeout(120), pytest.mark.parametrize("engine", ALL_ENGINES)]


def test_tensors_arrive_as_they_were_although_their_buffers_are_used_again(engine):
    run(engine, "inference.py")
