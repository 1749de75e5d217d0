"""Every test that asks for `zmq` runs twice: on pyzmq, which says what is right, and on tightbeam."""

import importlib

import pytest


@pytest.fixture(params=["zmq", "tightbeam"])
def zmq(request):
    """The package under test."""
    return importlib.import_module(request.param)


@pytest.fixture
def is_ours(zmq):
    return zmq.__name__ == "tightbeam"


@pytest.fixture
def context(zmq):
    """A context whose sockets wait ten seconds at most, and are closed behind the test."""
    opened = []

    class Context(zmq.Context):
        """One that keeps its sockets until it is ended."""

        def socket(self, *args, **kwargs):
            opened.append(super().socket(*args, **kwargs))
            return opened[-1]

    context = Context()
    context.sndtimeo = context.rcvtimeo = 10_000
    yield context
    context.destroy(linger=0)
    # They have descriptors as long as they are held.
    opened.clear()


@pytest.fixture
def pair(zmq, context):
    """Makes two sockets of the given types that are joined over tcp."""

    def make(bound_type, connected_type, **options):
        bound, connected = context.socket(bound_type), context.socket(connected_type)
        for name, value in options.items():
            setattr(bound, name, value)
            setattr(connected, name, value)
        port = bound.bind_to_random_port("tcp://127.0.0.1")
        connected.connect(f"tcp://127.0.0.1:{port}")
        return bound, connected

    return make
