"""A front end and its engines in vLLM's way."""

import pytest
from engines import ALL_ENGINES, run

pytestmark = [pytest.mark.timeout(120), pytest.mark.parametrize("engine", ALL_ENGINES)]


def test_tensors_arrive_as_they_were_although_their_buffers_are_used_again(engine):
    pytest.importorskip("msgpack", reason="msgpack is not installed")
    run(engine, "inference.py")


def test_a_front_end_in_asyncio_has_its_sockets_used_by_plain_calls_too(engine):
    run(engine, "inference_async.py")
