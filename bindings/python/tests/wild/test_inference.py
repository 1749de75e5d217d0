"""A front end and its engines in vLLM's way."""

import pytest

pytest.importorskip("msgpack", reason="msgpack is not installed")

pytestmark = pytest.mark.timeout(120)


def test_tensors_arrive_as_they_were_although_their_buffers_are_used_again(run):
    run("inference.py")
