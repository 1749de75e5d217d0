"""What nobody holds any more goes, cycles too. (pyzmq waits for a context that it collects, maybe for ever.)"""

import gc
import weakref

import pytest

import tightbeam as zmq

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


def gone(*references):
    for _ in range(3):
        gc.collect()
    return all(reference() is None for reference in references)


def test_a_context_that_holds_its_sockets():
    class Keeping(zmq.Context):
        kept = None

    context = Keeping()
    context.kept = [context.socket(zmq.PUB), context.socket(zmq.SUB)]
    references = [weakref.ref(context), *map(weakref.ref, context.kept)]
    del context
    assert gone(*references)


def test_a_socket_that_holds_itself():
    class Keeping(zmq.Socket):
        kept = None

    socket = zmq.Context().socket(zmq.PUB, socket_class=Keeping)
    socket.bind("tcp://127.0.0.1:*")
    socket.kept = (socket, socket.send, socket.context)
    references = [weakref.ref(socket), weakref.ref(socket.context)]
    del socket
    assert gone(*references)


def test_a_socket_with_its_monitor():
    context = zmq.Context()
    socket = context.socket(zmq.PUB)
    monitor = socket.get_monitor_socket()
    references = [weakref.ref(one) for one in (context, socket, monitor)]
    socket.disable_monitor()
    monitor.close(0)
    socket.close(0)
    context.term()
    del context, socket, monitor
    assert gone(*references)


def test_shadows_and_copies():
    context = zmq.Context()
    socket = context.socket(zmq.PUB)
    shadows = [zmq.Socket.shadow(socket), zmq.Context.shadow(context)]
    references = [weakref.ref(one) for one in shadows]
    del shadows
    assert gone(*references) and not socket.closed and not context.closed
    socket.close()
    context.term()


def test_what_a_buffer_holds():
    """A message does not hold more than its buffer, and that no longer than it needs."""
    class Buffer(bytearray):
        pass

    buffer = Buffer(100_000)
    buffer.tracker = zmq.Frame(buffer, copy=False, track=True).tracker
    reference = weakref.ref(buffer)
    del buffer
    assert gone(reference)


def test_a_view_holds_its_frame():
    view = zmq.Frame(b"x" * 1000).buffer
    gc.collect()
    assert bytes(view) == b"x" * 1000


def test_a_poller_holds_its_sockets_and_lets_them_go():
    context = zmq.Context()
    poller = zmq.Poller()
    poller.register(context.socket(zmq.PULL), zmq.POLLIN)
    assert poller.poll(0) == []
    references = [weakref.ref(poller), weakref.ref(poller.sockets[0][0]), weakref.ref(context)]
    del context, poller
    assert gone(*references)


def test_errors_hold_nothing_behind_their_traceback():
    context = zmq.Context()
    socket = context.socket(zmq.PULL)
    reference = weakref.ref(socket)
    for _ in range(3):
        with pytest.raises(zmq.Again):
            socket.recv(zmq.DONTWAIT)
    del socket
    assert gone(reference)
    context.term()
