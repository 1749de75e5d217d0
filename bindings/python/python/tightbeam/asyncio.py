"""Sockets, contexts and pollers for asyncio.

Every call begins at once and answers a future, which need not be awaited: a `send` that found room has sent already.
What would have to wait is tried again when the loop hears of the socket, which the loop's own thread drives: no other
thread has to be woken for a message. A receive that is cancelled loses nothing.
"""

from __future__ import annotations

import asyncio
import operator
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, overload

from . import _native
from ._native import recv_into_now, recv_multipart_now, recv_now, send_multipart_now, send_now
from ._waits import Call as _Call
from ._waits import Waits as _Waits
from ._waits import done, failed
from ._watched import watched
from .constants import Errno, PollEvent, SocketOption
from .context import Context as _Context
from .error import ContextTerminated, ZMQError
from .message import Frame, MessageTracker
from .poll import Poller as _Poller
from .poll import zmq_poll
from .socket import Socket as _Socket

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["Context", "Poller", "Socket", "ZMQEventLoop", "install"]


_Result = TypeVar("_Result")


# As plain numbers: to combine flags of an enum takes longer than to send a message.
_DONTWAIT = 1
_POLLIN, _POLLOUT = 1, 2
_RCVTIMEO, _SNDTIMEO = int(SocketOption.RCVTIMEO), int(SocketOption.SNDTIMEO)


class Socket(_Socket[Any]):
    """A socket whose calls answer futures. `async for` goes over its messages.

    What a call raises it raises when the future is awaited, but for arguments that are wrong in themselves.
    """

    # In a socket that could not be opened nobody waits.
    _waits = _Waits(None)

    def __init__(self, context: Any = None, socket_type: int = -1, io_loop: Any = None, **kwargs: Any) -> None:
        """`io_loop` is not needed: a call belongs to the loop that runs it."""
        super().__init__(context, socket_type, **kwargs)
        self._waits = _Waits(self)

    @classmethod
    def from_socket(cls, socket: Any, io_loop: Any = None) -> Self:
        """An asyncio socket for an open one."""
        return cls(shadow=socket)

    def close(self, linger: int | None = None) -> None:
        """Closes the socket; what waits in it is cancelled."""
        self._waits.cancel()
        super().close(linger)
        for look in list(self._waits.polls):
            look()

    # Calls that may wait

    def send(  # type: ignore[override]
        self, data: Buffer | Frame, flags: int = 0, copy: bool = True, track: bool = False, **kwargs: Any
    ) -> asyncio.Future[MessageTracker | None]:
        """Sends one part, in the queue already if there is room. A future of None or, with `copy=False`, of a tracker.

        Takes the arguments of `tightbeam.Socket.send`, `timeout` in seconds too, and raises what it raises.
        """
        if kwargs and kwargs.keys() != {"timeout"}:
            return self._send_with(_Socket.send, data, flags, copy, track, kwargs)
        waits = self._waits
        if not waits.sends:
            try:
                sent = send_now(self, data, flags, copy, track)
            except Exception as error:
                return failed(error)
            if sent is not None:
                return done(None if sent is True else sent)

        def attempt() -> Any:
            return send_now(self, data, flags, copy, track)

        return waits.wait(waits.sends, attempt, flags, kwargs.get("timeout"), _SNDTIMEO)

    def send_multipart(  # type: ignore[override]
        self,
        msg_parts: Iterable[Buffer | Frame],
        flags: int = 0,
        copy: bool = True,
        track: bool = False,
        **kwargs: Any,
    ) -> asyncio.Future[MessageTracker | None]:
        """Sends all parts of a message at once.

        Takes the arguments of `tightbeam.Socket.send_multipart`, `timeout` in seconds too, and raises what it raises.
        """
        if not isinstance(msg_parts, (list, tuple)):
            msg_parts = list(msg_parts)
        if kwargs and kwargs.keys() != {"timeout"}:
            return self._send_with(_Socket.send_multipart, msg_parts, flags, copy, track, kwargs)
        waits = self._waits
        if not waits.sends:
            try:
                sent = send_multipart_now(self, msg_parts, flags, copy, track)
            except Exception as error:
                return failed(error)
            if sent is not None:
                return done(None if sent is True else sent)

        def attempt() -> Any:
            return send_multipart_now(self, msg_parts, flags, copy, track)

        return waits.wait(waits.sends, attempt, flags, kwargs.get("timeout"), _SNDTIMEO)

    @overload  # type: ignore[override]
    def recv(
        self, flags: int = 0, copy: Literal[True] = True, track: bool = False, *, timeout: float | None = None
    ) -> asyncio.Future[bytes]: ...

    @overload
    def recv(
        self, flags: int = 0, *, copy: Literal[False], track: bool = False, timeout: float | None = None
    ) -> asyncio.Future[Frame]: ...

    @overload
    def recv(
        self, flags: int = 0, copy: bool = True, track: bool = False, *, timeout: float | None = None
    ) -> asyncio.Future[bytes | Frame]: ...

    def recv(self, flags: int = 0, copy: bool = True, track: bool = False, *, timeout: float | None = None) -> Any:
        """Receives one part: a future of `bytes` or, with `copy=False`, of a `Frame`.

        Calls are served in their order. Takes the arguments of `tightbeam.Socket.recv`, and raises what it raises.
        """
        waits = self._waits
        if flags:
            flags = operator.index(flags)
        if not waits.recvs:
            try:
                part = waits.unread_part(copy) if waits.unread else recv_now(self, copy, track)
            except Exception as error:
                return failed(error)
            if part is not None:
                return done(part)

        def attempt() -> Any:
            return waits.unread_part(copy) if waits.unread else recv_now(self, copy, track)

        return waits.wait(
            waits.recvs, attempt, flags, timeout, _RCVTIMEO, lambda part: waits.put_back([part])
        )

    @overload  # type: ignore[override]
    def recv_multipart(
        self, flags: int = 0, copy: Literal[True] = True, track: bool = False, *, timeout: float | None = None
    ) -> asyncio.Future[list[bytes]]: ...

    @overload
    def recv_multipart(
        self, flags: int = 0, *, copy: Literal[False], track: bool = False, timeout: float | None = None
    ) -> asyncio.Future[list[Frame]]: ...

    @overload
    def recv_multipart(
        self, flags: int = 0, copy: bool = True, track: bool = False, *, timeout: float | None = None
    ) -> asyncio.Future[list[bytes] | list[Frame]]: ...

    def recv_multipart(self, flags: int = 0, copy: bool = True, track: bool = False, *, timeout: float | None = None) -> Any:
        """Receives all parts of a message: a future of a list. As `recv` in all else, `timeout` in seconds too."""
        waits = self._waits
        if flags:
            flags = operator.index(flags)

        def attempt() -> Any:
            if waits.unread:
                return waits.unread_parts(copy, track)
            return recv_multipart_now(self, copy, track)

        if not waits.recvs:
            try:
                parts = attempt()
            except Exception as error:
                return failed(error)
            if parts is not None:
                return done(parts)

        return waits.wait(waits.recvs, attempt, flags, timeout, _RCVTIMEO, waits.put_back)

    def recv_into(  # type: ignore[override]
        self, buf: Buffer, /, *, nbytes: int = 0, flags: int = 0, timeout: float | None = None
    ) -> asyncio.Future[int]:
        """Receives one part into a writable buffer: a future of how long the part was, as `tightbeam.Socket.recv_into`."""
        waits = self._waits

        def attempt() -> int | None:
            return recv_into_now(self, buf, nbytes)

        if not waits.recvs:
            try:
                length = attempt()
            except Exception as error:
                return failed(error)
            if length is not None:
                return done(length)
        return waits.wait(waits.recvs, attempt, flags, timeout, _RCVTIMEO)

    def poll(  # type: ignore[override]
        self, timeout: float | None = None, flags: int = PollEvent.POLLIN
    ) -> asyncio.Future[int]:
        """A future of what of `flags` the socket is ready for; 0 after `timeout` milliseconds. ENOTSUP if it is closed."""
        if self.closed:
            raise ZMQError(Errno.ENOTSUP)
        return _poll([(self, flags)], timeout, lambda ready: int(ready[0][1]) if ready else 0)

    if TYPE_CHECKING:
        # As in the class above, but for the futures.
        def send_string(  # type: ignore[override]
            self, u: str, flags: int = 0, copy: bool = True, encoding: str = "utf-8", **kwargs: Any
        ) -> asyncio.Future[MessageTracker | None]: ...
        def recv_string(  # type: ignore[override]
            self, flags: int = 0, encoding: str = "utf-8", **kwargs: Any
        ) -> asyncio.Future[str]: ...
        def send_pyobj(  # type: ignore[override]
            self, obj: Any, flags: int = 0, protocol: int = 4, **kwargs: Any
        ) -> asyncio.Future[MessageTracker | None]: ...
        def recv_pyobj(self, flags: int = 0, **kwargs: Any) -> asyncio.Future[Any]: ...
        def send_json(  # type: ignore[override]
            self, obj: Any, flags: int = 0, **kwargs: Any
        ) -> asyncio.Future[MessageTracker | None]: ...
        def recv_json(self, flags: int = 0, **kwargs: Any) -> asyncio.Future[Any]: ...
        def send_serialized(  # type: ignore[override]
            self,
            msg: Any,
            serialize: Callable[[Any], Sequence[Any]],
            flags: int = 0,
            copy: bool = True,
            **kwargs: Any,
        ) -> asyncio.Future[MessageTracker | None]: ...
        def recv_serialized(  # type: ignore[override]
            self,
            deserialize: Callable[[list[Any]], _Result],
            flags: int = 0,
            copy: bool = True,
            **kwargs: Any,
        ) -> asyncio.Future[_Result]: ...

        def get_monitor_socket(
            self, events: int | None = None, addr: str | None = None
        ) -> Socket: ...

        send_unicode = send_string  # type: ignore[assignment]
        recv_unicode = recv_string  # type: ignore[assignment]

    def get(self, key: int) -> int | bytes:
        """Reads an option, as `tightbeam.Socket.get`."""
        return super().get(key)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[bytes]:
        """The next message, as a list of its parts; the end when the context ends or the socket is closed."""
        try:
            return await self.recv_multipart()
        except ContextTerminated:
            raise StopAsyncIteration from None
        except ZMQError as error:
            if error.errno != Errno.ENOTSOCK:
                raise
            raise StopAsyncIteration from None

    def _deserialize(self, received: Any, load: Callable[[Any], Any]) -> Any:
        """A future of what `load` makes of what is received."""
        if isinstance(received, _Call) and not received.done():
            # It gives back what came if the result is not wanted.
            received.load = load
            return received
        if not received.done():
            # A class made of this one has a receive of its own.
            return asyncio.ensure_future(_loaded(received, load))
        if received.cancelled() or received.exception() is not None:
            return received
        try:
            return done(load(received.result()))
        except Exception as error:
            return failed(error)

    def _send_with(
        self, send: Any, data: Any, flags: int, copy: bool, track: bool, arguments: dict[str, Any]
    ) -> asyncio.Future[MessageTracker | None]:
        """With arguments that are for sockets which do not exist here, and are refused."""
        arguments.pop("timeout", None)
        try:
            return done(send(self, data, flags | _DONTWAIT, copy, track, **arguments))
        except Exception as error:
            return failed(error)


class Context(_Context[Socket]):
    """A context whose sockets are for asyncio."""

    _socket_class = Socket
    _instance = None
    _instance_pid = None

    def __init__(self, io_threads: Any = 1, shadow: Any = 0, **kwargs: Any) -> None:
        kwargs.pop("io_loop", None)
        super().__init__(io_threads, shadow, **kwargs)


class Poller(_Poller):
    """A poller whose `poll` answers a future."""

    def poll(  # type: ignore[override]
        self, timeout: float | None = -1
    ) -> asyncio.Future[list[tuple[Any, int]]]:
        """A future of pairs of a socket, or a descriptor, and events; empty after `timeout` milliseconds.

        None and negative numbers are for ever. Raises ZMQError: ENOTSOCK for a socket that is closed, ETERM.
        """
        return _poll(list(self.sockets), timeout, lambda ready: ready)


async def _loaded(received: asyncio.Future[Any], load: Callable[[Any], _Result]) -> _Result:
    return load(await received)


def _look(items: Iterable[tuple[Any, int]]) -> list[tuple[Any, int]]:
    """What is ready now."""
    ready = zmq_poll(items, 0)
    found = {id(socket) for socket, _ in ready}
    for socket, flags in items:
        if isinstance(socket, Socket) and flags & _POLLIN and id(socket) not in found:
            if socket._waits.unread:
                ready.append((socket, _POLLIN))
    return ready


def _poll(
    items: list[tuple[Any, int]], timeout: float | None, convert: Callable[[Any], _Result]
) -> asyncio.Future[_Result]:
    loop = asyncio.get_running_loop()
    future: asyncio.Future[_Result] = loop.create_future()
    ready = _look(items)
    if ready or timeout == 0:
        future.set_result(convert(ready))
        return future
    waits = [(socket._waits, flags) for socket, flags in items if isinstance(socket, Socket)]
    others = [(other, flags) for other, flags in items if not isinstance(other, Socket)]
    watches = [watch for other, flags in others for watch in _descriptors(other, flags)]

    def look() -> None:
        if future.done() or loop.is_closed():
            return
        if any(socket.closed for socket, _ in items if isinstance(socket, Socket)):
            future.cancel()
            return
        try:
            ready = _look(items)
        except Exception as error:
            future.set_exception(error)
        else:
            if ready:
                future.set_result(convert(ready))

    def give_up() -> None:
        if not future.done():
            future.set_result(convert([]))

    def unwatch(_: Any) -> None:
        for each, _flags in waits:
            each.polls.pop(look, None)
            each.let_go()
        for fd, writes in watches:
            watched(loop).remove(fd, writes, look)

    for each, flags in waits:
        each.enter(loop)
        each.polls[look] = each.polls.get(look, (0, future))[0] | flags, future
        each.listen()
    for fd, writes in watches:
        watched(loop).add(fd, writes, look)
    future.add_done_callback(unwatch)
    # What came before the loop listened is told to nobody.
    look()
    if timeout is not None and timeout > 0:
        timer = loop.call_later(timeout / 1000.0, give_up)
        future.add_done_callback(lambda _: timer.cancel())
    return future


def _descriptors(socket: Any, flags: int) -> list[tuple[int, bool]]:
    """What is to be watched for a socket or a descriptor: whether it reads or writes."""
    if isinstance(socket, _native.Socket):
        return [(int(_native.Socket.get(socket, SocketOption.FD)), False)]
    fd = socket if isinstance(socket, int) else socket.fileno()
    wanted = [(fd, False)] if flags & _POLLIN else []
    return wanted + ([(fd, True)] if flags & _POLLOUT else [])


class ZMQEventLoop(asyncio.SelectorEventLoop):
    """What pyzmq once needed; any loop of asyncio will do."""


def install() -> None:
    """What pyzmq once needed; does nothing but say so, with a DeprecationWarning."""
    warnings.warn("tightbeam.asyncio.install() is not needed", DeprecationWarning, stacklevel=2)
