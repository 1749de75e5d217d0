"""Sockets, contexts and pollers for asyncio.

Every call begins at once and answers a future, which need not be awaited: a `send` that found room has sent already.
What would have to wait is tried again when the socket's event descriptor says so; while nothing waits, the loop is not
told of the socket at all. A receive that is cancelled loses nothing.
"""

from __future__ import annotations

import asyncio
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, overload

from . import _native
from ._watched import watched
from .constants import Errno, Flag, PollEvent, SocketOption
from .context import Context as _Context
from .error import Again, ContextTerminated, ZMQError
from .message import Frame, MessageTracker
from .poll import Poller as _Poller
from .poll import zmq_poll
from .socket import Socket as _Socket

if TYPE_CHECKING:
    from typing_extensions import Buffer

__all__ = ["Context", "Poller", "Socket", "ZMQEventLoop", "install"]


_Result = TypeVar("_Result")


class _Received(asyncio.Future[_Result]):
    """What is received. If whoever awaits it is cancelled after it came, it goes back to the socket."""

    give_back: Callable[[Any], None] | None = None

    def __await__(self) -> Any:
        try:
            return (yield from super().__await__())
        except asyncio.CancelledError:
            came = self.done() and not self.cancelled() and self.exception() is None
            if came and self.give_back is not None:
                self.give_back(self.result())
                self.give_back = None
            raise

    __iter__ = __await__


class _Waiting:
    """A call that is tried again until it succeeds."""

    def __init__(self, future: Any, attempt: Callable[[], Any]) -> None:
        self.future = future
        self.attempt = attempt

    def try_again(self) -> bool:
        """False if it would still have to wait."""
        if self.future.done():
            return True
        try:
            result = self.attempt()
        except Again:
            return False
        except Exception as error:
            self.future.set_exception(error)
        else:
            self.future.set_result(result)
        return True


class Socket(_Socket[Any]):
    """A socket whose calls answer futures. `async for` goes over its messages.

    What a call raises it raises when the future is awaited, but for arguments that are wrong in themselves.
    """

    _loop: asyncio.AbstractEventLoop | None = None
    # A socket that could not be opened keeps these, which stay empty.
    _sends: deque[_Waiting] = deque()
    _recvs: deque[_Waiting] = deque()
    _watching: int | None = None
    # Messages that came for calls that were cancelled: parts, and whether the socket has more of them.
    _unread: deque[tuple[list[Any], bool]] = deque()

    def __init__(self, context: Any = None, socket_type: int = -1, io_loop: Any = None, **kwargs: Any) -> None:
        """`io_loop` is not needed: a call belongs to the loop that runs it."""
        super().__init__(context, socket_type, **kwargs)
        self._sends, self._recvs, self._unread = deque(), deque(), deque()

    @classmethod
    def from_socket(cls, socket: Any, io_loop: Any = None) -> Self:
        """An asyncio socket for an open one."""
        return cls(shadow=socket)

    def close(self, linger: int | None = None) -> None:
        """Closes the socket; what waits in it is cancelled."""
        if not self.closed:
            waiting = [*self._sends, *self._recvs]
            self._unwatch()
            for call in waiting:
                call.future.cancel()
        super().close(linger)

    # Calls that may wait

    def send(  # type: ignore[override]
        self, data: Buffer | Frame, flags: int = 0, copy: bool = True, track: bool = False, **kwargs: Any
    ) -> asyncio.Future[MessageTracker | None]:
        """Sends one part, in the queue already if there is room. A future of None or, with `copy=False`, of a tracker.

        Takes the arguments of `tightbeam.Socket.send`, `timeout` in seconds too, and raises what it raises.
        """
        timeout = kwargs.pop("timeout", None)

        def attempt() -> MessageTracker | None:
            return _Socket.send(self, data, flags | Flag.DONTWAIT, copy, track, **kwargs)

        return self._begin(self._sends, attempt, flags, timeout, SocketOption.SNDTIMEO)

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
        timeout = kwargs.pop("timeout", None)
        if not isinstance(msg_parts, (list, tuple)):
            msg_parts = list(msg_parts)

        def attempt() -> MessageTracker | None:
            return _Socket.send_multipart(self, msg_parts, flags | Flag.DONTWAIT, copy, track, **kwargs)

        return self._begin(self._sends, attempt, flags, timeout, SocketOption.SNDTIMEO)

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
        def attempt() -> Any:
            if self._unread:
                return self._unread_part(copy)
            return _Socket.recv(self, flags | Flag.DONTWAIT, copy, track)

        return self._receive(attempt, flags, timeout, lambda part: self._put_back([part]))

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
        def attempt() -> Any:
            if not self._unread:
                return _Socket.recv_multipart(self, flags | Flag.DONTWAIT, copy, track)
            parts, more = self._unread.popleft()
            rest = _Socket.recv_multipart(self, Flag.DONTWAIT, copy, track) if more else []
            return [_as(part, copy) for part in parts] + rest

        return self._receive(attempt, flags, timeout, self._put_back)

    def recv_into(  # type: ignore[override]
        self, buf: Buffer, /, *, nbytes: int = 0, flags: int = 0, timeout: float | None = None
    ) -> asyncio.Future[int]:
        """Receives one part into a writable buffer: a future of how long the part was, as `tightbeam.Socket.recv_into`."""
        def attempt() -> int:
            return _Socket.recv_into(self, buf, nbytes=nbytes, flags=flags | Flag.DONTWAIT)

        return self._begin(self._recvs, attempt, flags, timeout, SocketOption.RCVTIMEO)

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
        value = super().get(key)
        if key == SocketOption.EVENTS:
            # Reading them has made the descriptor forget, also what others wait for.
            self._look_soon()
        return value

    def getsockopt(self, option: int) -> int | bytes:
        """The same as `get`."""
        return self.get(option)

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
        loaded = received.get_loop().create_future()

        def finish(received: Any) -> None:
            if loaded.done():
                if not received.cancelled() and received.exception() is None and received.give_back:
                    received.give_back(received.result())
            elif received.cancelled():
                loaded.cancel()
            elif received.exception() is not None:
                loaded.set_exception(received.exception())
            else:
                try:
                    loaded.set_result(load(received.result()))
                except Exception as error:
                    loaded.set_exception(error)

        received.add_done_callback(finish)
        loaded.add_done_callback(lambda loaded: received.cancel() if loaded.cancelled() else None)
        return loaded

    # Waiting

    def _receive(self, attempt: Any, flags: int, timeout: float | None, give_back: Any) -> Any:
        future: _Received[Any] = _Received(loop=asyncio.get_running_loop())
        future.give_back = give_back
        return self._begin(self._recvs, attempt, flags, timeout, SocketOption.RCVTIMEO, future)

    def _begin(
        self,
        queue: deque[_Waiting],
        attempt: Callable[[], _Result],
        flags: int,
        timeout: float | None,
        option: int,
        future: asyncio.Future[_Result] | None = None,
    ) -> asyncio.Future[_Result]:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._change_loop(loop)
        if future is None:
            future = loop.create_future()
        call = _Waiting(future, attempt)
        # Those who came before are first.
        if not queue and call.try_again():
            self._look_soon()
            return future
        if flags & Flag.DONTWAIT:
            future.set_exception(Again())
            return future
        if timeout is None:
            ms = int(_Socket.get(self, option))
            timeout = None if ms < 0 else ms / 1000.0
        if timeout is not None:
            if timeout != timeout:
                raise ValueError("the timeout is not a number of seconds")
            timer = loop.call_later(timeout, self._give_up, call)
            future.add_done_callback(lambda _: timer.cancel())
        queue.append(call)
        future.add_done_callback(lambda _: self._forget(queue, call))
        self._watch(loop)
        self._look_soon()
        return future

    def _give_up(self, call: _Waiting) -> None:
        if not call.future.done():
            call.future.set_exception(Again())

    def _forget(self, queue: Any, call: _Waiting) -> None:
        if call in queue:
            queue.remove(call)
        if not self._sends and not self._recvs:
            self._unwatch()

    def _change_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        self._unwatch()
        self._sends.clear()
        self._recvs.clear()
        self._loop = loop

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._watching is None:
            self._watching = self.fileno()
            watched(loop).add(self._watching, False, self._look)

    def _unwatch(self) -> None:
        if self._watching is not None and self._loop is not None:
            watched(self._loop).remove(self._watching, False, self._look)
        self._watching = None

    def _look_soon(self) -> None:
        """A call may have made the descriptor forget what others wait for: they look for themselves."""
        if self._loop is not None and (self._sends or self._recvs):
            self._loop.call_soon(self._look)

    def _look(self) -> None:
        # A shadow's socket may have been closed by others: then the calls fail.
        for queue in (self._recvs, self._sends):
            while queue and queue[0].try_again():
                queue.popleft()
        if not self._sends and not self._recvs:
            self._unwatch()

    # What came for those who were cancelled

    def _put_back(self, parts: list[Any]) -> None:
        more = not self.closed and bool(_Socket.get(self, SocketOption.RCVMORE))
        self._unread.appendleft((parts, more))
        self._look_soon()

    def _unread_part(self, copy: bool) -> Any:
        parts, more = self._unread.popleft()
        if len(parts) > 1:
            self._unread.appendleft((parts[1:], more))
        return _as(parts[0], copy)


def _as(part: Any, copy: bool) -> Any:
    if copy:
        return bytes(part)
    return part if isinstance(part, Frame) else Frame(part)


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


def _look(items: Iterable[tuple[Any, int]]) -> list[tuple[Any, int]]:
    """What is ready now."""
    ready = zmq_poll(items, 0)
    found = {id(socket) for socket, _ in ready}
    for socket, flags in items:
        if isinstance(socket, Socket):
            if socket._unread and flags & PollEvent.POLLIN and id(socket) not in found:
                ready.append((socket, int(PollEvent.POLLIN)))
            socket._look_soon()
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
    watches = [watch for socket, flags in items for watch in _descriptors(socket, flags)]

    def look() -> None:
        if future.done():
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
        for fd, writes in watches:
            watched(loop).remove(fd, writes, look)

    for fd, writes in watches:
        watched(loop).add(fd, writes, look)
    future.add_done_callback(unwatch)
    # An event between the look and the watch has marked the descriptors of sockets only.
    if timeout is not None and timeout > 0:
        timer = loop.call_later(timeout / 1000.0, give_up)
        future.add_done_callback(lambda _: timer.cancel())
    return future


def _descriptors(socket: Any, flags: int) -> list[tuple[int, bool]]:
    """What is to be watched for a socket or a descriptor: whether it reads or writes."""
    if isinstance(socket, _native.Socket):
        return [(int(_native.Socket.get(socket, SocketOption.FD)), False)]
    fd = socket if isinstance(socket, int) else socket.fileno()
    wanted = [(fd, False)] if flags & PollEvent.POLLIN else []
    return wanted + ([(fd, True)] if flags & PollEvent.POLLOUT else [])


class ZMQEventLoop(asyncio.SelectorEventLoop):
    """What pyzmq once needed; any loop of asyncio will do."""


def install() -> None:
    """What pyzmq once needed; does nothing but say so, with a DeprecationWarning."""
    warnings.warn("tightbeam.asyncio.install() is not needed", DeprecationWarning, stacklevel=2)
