"""A program as users write it, for mypy: `test_types.py` has it checked. It is not run."""

import asyncio
from typing import Any, assert_type

import tightbeam as zmq
import tightbeam.asyncio
import tightbeam.auth.thread
import tightbeam.decorators
import tightbeam.devices
from tightbeam.utils.monitor import recv_monitor_message

context = zmq.Context()
assert_type(context, zmq.Context[zmq.Socket[bytes]])
assert_type(zmq.Context.instance(), zmq.Context[zmq.Socket[bytes]])
socket = context.socket(zmq.REQ)
assert_type(socket, zmq.Socket[bytes])
plain: zmq.SyncSocket = socket


def receives(copy: bool) -> None:
    assert_type(socket.recv(), bytes)
    assert_type(socket.recv(zmq.DONTWAIT), bytes)
    assert_type(socket.recv(timeout=0.5), bytes)
    assert_type(socket.recv(copy=False), zmq.Frame)
    assert_type(socket.recv(copy=copy), bytes | zmq.Frame)
    assert_type(socket.recv_multipart(), list[bytes])
    assert_type(socket.recv_multipart(copy=False), list[zmq.Frame])
    assert_type(socket.recv_string(), str)
    assert_type(socket.recv_into(bytearray(8), flags=zmq.DONTWAIT), int)
    assert_type(socket.recv_serialized(len), int)


def sends(copy: bool) -> None:
    assert_type(socket.send(b"x"), None)
    socket.send(memoryview(b"x"), zmq.SNDMORE | zmq.DONTWAIT)
    assert_type(socket.send(b"x", copy=False, track=True), zmq.MessageTracker)
    assert_type(socket.send(b"x", copy=copy), zmq.MessageTracker | None)
    socket.send_multipart([b"x", bytearray(b"y"), zmq.Frame(b"z")])
    socket.send_multipart(part for part in (b"x", b"y"))
    socket.send_string("x")
    socket.send_json({"x": [1, 2.5, None]}, flags=zmq.DONTWAIT)
    socket.send_pyobj({"x"}, protocol=5)


def options() -> None:
    socket.linger = 0
    socket.setsockopt(zmq.SUBSCRIBE, b"topic")
    socket.set(zmq.IDENTITY, b"name")
    socket.setsockopt_string(zmq.SUBSCRIBE, "topic")
    assert_type(socket.getsockopt(zmq.LINGER), int | bytes)
    assert_type(socket.get_string(zmq.LAST_ENDPOINT), str)
    assert_type(socket.hwm, int)
    assert_type(socket.closed, bool)
    assert_type(socket.fileno(), int)
    assert_type(socket.type, zmq.SocketType)


def polls() -> None:
    poller = zmq.Poller()
    poller.register(socket, zmq.POLLIN | zmq.POLLOUT)
    poller.register(3)
    assert_type(poller.poll(100), list[tuple[Any, int]])
    assert_type(socket.poll(0.5, zmq.POLLOUT), int)
    if socket in dict(poller.poll()):
        socket.recv()


def blocks() -> None:
    with zmq.Context() as made, made.socket(zmq.PUB) as publisher:
        assert_type(publisher, zmq.Socket[bytes])
        with publisher.bind("tcp://127.0.0.1:*") as bound:
            assert_type(bound, zmq.Socket[bytes])


def frames() -> None:
    frame = zmq.Frame(b"x", track=True)
    assert_type(frame.bytes, bytes)
    assert_type(bytes(frame) + bytes(frame.buffer), bytes)
    assert_type(frame["User-Id"], int | str)
    assert_type(frame.tracker, zmq.MessageTracker | None)


def monitors() -> None:
    message = recv_monitor_message(socket.get_monitor_socket(zmq.Event.CONNECTED))
    assert_type(message["endpoint"], bytes)
    assert_type(zmq.curve_keypair(), tuple[bytes, bytes])


class Counting(zmq.Socket[bytes]):
    """A class of sockets with attributes of its own."""

    count: int = 0

    def receive(self) -> bytes:
        self.count += 1
        return self.recv()


class Counters(zmq.Context[Counting]):
    """A context that opens them."""

    _socket_class = Counting


def subclasses(given: "zmq.Context[Any]") -> None:
    assert_type(context.socket(zmq.PULL, socket_class=Counting).receive(), bytes)
    assert_type(Counters().socket(zmq.PULL), Counting)
    assert_type(Counters.instance(), Counters)
    assert_type(Counting.shadow(socket), Counting)
    given.socket(zmq.PULL).recv()


def failures() -> None:
    try:
        socket.recv(zmq.DONTWAIT)
    except zmq.Again:
        pass
    except zmq.ZMQError as error:
        assert_type(error.errno, int | None)
        assert_type(error.strerror, str)


def mistakes() -> None:
    """mypy says if an `ignore` is not needed."""
    socket.send("text")  # type: ignore[call-overload]
    socket.recv(flags="x")  # type: ignore[call-overload]
    socket.recv().encode()  # type: ignore[attr-defined]
    context.socket("REQ")  # type: ignore[call-overload]
    zmq.proxy(context, socket)  # type: ignore[arg-type]
    zmq.Frame("text")  # type: ignore[arg-type]


async def awaits() -> None:
    served = tightbeam.asyncio.Context()
    replies = served.socket(zmq.REP)
    assert_type(replies, tightbeam.asyncio.Socket)
    assert_type(await replies.recv(), bytes)
    assert_type(await replies.recv(copy=False, timeout=2), zmq.Frame)
    assert_type(await replies.recv_multipart(), list[bytes])
    assert_type(await replies.recv_string(), str)
    assert_type(await replies.recv_serialized(len), int)
    assert_type(await replies.send(b"x"), zmq.MessageTracker | None)
    assert_type(await replies.poll(10), int)
    assert_type(await tightbeam.asyncio.Poller().poll(), list[tuple[Any, int]])
    future: asyncio.Future[bytes] = replies.recv()
    future.cancel()
    async for parts in replies:
        assert_type(parts, list[bytes])
    message = await recv_monitor_message(replies.get_monitor_socket())
    assert_type(message["event"], zmq.Event)


@tightbeam.decorators.context()
@tightbeam.decorators.socket(zmq.PUSH)
def decorated(number: int, context: zmq.Context, push: zmq.Socket) -> int:
    push.send(b"%d" % number)
    return number


assert_type(decorated(1), int)


def authenticates(directory: str) -> None:
    rules = tightbeam.auth.thread.ThreadAuthenticator(zmq.Context.instance())
    rules.configure_curve("*", directory)
    assert_type(tightbeam.auth.load_certificate(directory), tuple[bytes, bytes | None])
    assert_type(rules.is_alive(), bool)


def proxies() -> None:
    device = tightbeam.devices.ThreadProxy(zmq.XSUB, zmq.XPUB)
    assert_type(device.bind_in_to_random_port("tcp://127.0.0.1"), int)
    device.setsockopt_out(zmq.LINGER, 0)
    device.start()
