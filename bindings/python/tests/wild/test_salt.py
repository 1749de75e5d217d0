"""A server of several processes in Salt's way, in tornado's loop."""

import pytest

pytest.importorskip("tornado", reason="tornado is not installed")

pytestmark = pytest.mark.timeout(120)


def test_every_request_is_answered_although_the_server_is_killed_in_between(run):
    run("salt.py")
