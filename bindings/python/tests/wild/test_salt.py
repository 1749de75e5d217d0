"""A server of several processes in Salt's way, in tornado's loop."""

import pytest
from engines import ALL_ENGINES, run

pytest.importorskip("tornado", reason="tornado is not installed")

pytestmark = [pytest.mark.timeout(120), pytest.mark.parametrize("engine", ALL_ENGINES)]


def test_every_request_is_answered_although_the_server_is_killed_in_between(engine):
    run(engine, "salt.py")
