"""Sockets, contexts and pollers for asyncio.

Every call begins at once and answers a future, which need not be awaited: a `send` that found room has sent already.
What would have to wait is tried again when the socket's event descriptor says so; while nothing waits, the loop is not
told of the socket at all. A receive that is cancelled loses nothing.
"""

from __future__ import annotations

import asyncio
import warnings
import weakref
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from . import _native
from .constants import Errno, Flag, PollEvent, SocketOption
from .context import Context as _Context
from .error import Again, ContextTerminated, ZMQError
from .message import Frame
from .poll import Poller as _Poller
from .poll import zmq_poll
from .socket import Socket as _Socket

__all__ = ["Context", "Poller", "Socket", "ZMQEventLoop", "install"]


class _Watched:
    """The descriptors that one loop watches for us, and what is to be called: a loop takes one reader for each."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = weakref.ref(loop)
        self.callbacks: dict[tuple[int, bool], list[Callable[[], None]]] = {}

    def add(self, fd: int, writes: bool, callback: Callable[[], None]) -> None:
        callbacks = self.callbacks.setdefault((fd, writes), [])
        callbacks.append(callback)
        loop = self.loop()
        if len(callbacks) == 1 and loop is not None:
            watch = loop.add_writer if writes else loop.add_reader
            watch(fd, self._call, fd, writes)

    def remove(self, fd: int, writes: bool, callback: Callable[[], None]) -> None:
        callbacks = self.callbacks.get((fd, writes), [])
        if callback in callbacks:
            callbacks.remove(callback)
        if not callbacks and self.callbacks.pop((fd, writes), None) is not None:
            loop = self.loop()
            if loop is not None and not loop.is_closed():
                (loop.remove_writer if writes else loop.remove_reader)(fd)

    def _call(self, fd: int, writes: bool) -> None:
        for callback in list(self.callbacks.get((fd, writes), ())):
            callback()


_WATCHED: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, _Watched] = weakref.WeakKeyDictionary()


def _watched(loop: asyncio.AbstractEventLoop) -> _Watched:
    found = _WATCHED.get(loop)
    if found is None:
        found = _WATCHED[loop] = _Watched(loop)
    return found


class _Received(asyncio.Future):  # type: ignore[type-arg]
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


class Socket(_Socket):
    """A socket whose calls answer futures. `async for` goes over its messages."""

    _loop: asyncio.AbstractEventLoop | None = None
    _sends: deque[_Waiting] | None = None
    _recvs: deque[_Waiting] | None = None
    _watching: int | None = None
    # Messages that came for calls that were cancelled: parts, and whether the socket has more of them.
    _unread: deque[tuple[list[Any], bool]] | None = None

    def __init__(self, context: Any = None, socket_type: int = -1, io_loop: Any = None, **kwargs: Any) -> None:
        """`io_loop` is not needed: a call belongs to the loop that runs it."""
        super().__init__(context, socket_type, **kwargs)
        self._sends, self._recvs, self._unread = deque(), deque(), deque()

    @classmethod
    def from_socket(cls, socket: Any, io_loop: Any = None) -> Any:
        """An asyncio socket for an open one."""
        return cls(shadow=socket)

    def close(self, linger: int | None = None) -> None:
        """Closes the socket; what waits in it is cancelled."""
        if not self.closed:
            waiting = [*(self._sends or ()), *(self._recvs or ())]
            self._unwatch()
            for call in waiting:
                call.future.cancel()
        super().close(linger)

    # Calls that may wait

    def send(self, data: Any, flags: int = 0, copy: bool = True, track: bool = False, **kwargs: Any) -> Any:
        timeout = kwargs.pop("timeout", None)

        def attempt() -> Any:
            return _Socket.send(self, data, flags | Flag.DONTWAIT, copy, track, **kwargs)

        return self._begin(self._sends, attempt, flags, timeout, SocketOption.SNDTIMEO)

    def send_multipart(self, msg_parts: Any, flags: int = 0, copy: bool = True, track: bool = False, **kwargs: Any) -> Any:
        timeout = kwargs.pop("timeout", None)
        if not isinstance(msg_parts, (list, tuple)):
            msg_parts = list(msg_parts)

        def attempt() -> Any:
            return _Socket.send_multipart(self, msg_parts, flags | Flag.DONTWAIT, copy, track)

        return self._begin(self._sends, attempt, flags, timeout, SocketOption.SNDTIMEO)

    def recv(self, flags: int = 0, copy: bool = True, track: bool = False, *, timeout: float | None = None) -> Any:
        def attempt() -> Any:
            if self._unread:
                return self._unread_part(copy)
            return _Socket.recv(self, flags | Flag.DONTWAIT, copy, track)

        return self._receive(attempt, flags, timeout, lambda part: self._put_back([part]))

    def recv_multipart(self, flags: int = 0, copy: bool = True, track: bool = False, *, timeout: float | None = None) -> Any:
        def attempt() -> Any:
            if not self._unread:
                return _Socket.recv_multipart(self, flags | Flag.DONTWAIT, copy, track)
            parts, more = self._unread.popleft()
            rest = _Socket.recv_multipart(self, Flag.DONTWAIT, copy, track) if more else []
            return [_as(part, copy) for part in parts] + rest

        return self._receive(attempt, flags, timeout, self._put_back)

    def recv_into(self, buf: Any, /, *, nbytes: int = 0, flags: int = 0, timeout: float | None = None) -> Any:
        def attempt() -> int:
            return _Socket.recv_into(self, buf, nbytes=nbytes, flags=flags | Flag.DONTWAIT)

        return self._begin(self._recvs, attempt, flags, timeout, SocketOption.RCVTIMEO)

    def poll(self, timeout: float | None = None, flags: int = PollEvent.POLLIN) -> Any:
        if self.closed:
            raise ZMQError(Errno.ENOTSUP)
        return _poll([(self, flags)], timeout, lambda ready: ready[0][1] if ready else 0)

    def get(self, key: int) -> Any:
        value = super().get(key)
        if key == SocketOption.EVENTS:
            # Reading them has made the descriptor forget, also what others wait for.
            self._look_soon()
        return value

    def getsockopt(self, option: int) -> Any:
        return self.get(option)

    def __aiter__(self) -> Any:
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
        future = _Received(loop=asyncio.get_running_loop())
        future.give_back = give_back
        return self._begin(self._recvs, attempt, flags, timeout, SocketOption.RCVTIMEO, future)

    def _begin(self, queue: Any, attempt: Any, flags: int, timeout: float | None, option: int, future: Any = None) -> Any:
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
            ms = _Socket.get(self, option)
            timeout = None if ms < 0 else ms / 1000.0
        if timeout is not None:
            timer = loop.call_later(timeout, self._give_up, call)
            future.add_done_callback(lambda _: timer.cancel())
        queue.append(call)
        future.add_done_callback(lambda _: self._forget(queue, call))
        self._watch()
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

    def _watch(self) -> None:
        if self._watching is None:
            self._watching = _Socket.get(self, SocketOption.FD)
            _watched(self._loop).add(self._watching, False, self._look)

    def _unwatch(self) -> None:
        if self._watching is not None and self._loop is not None:
            _watched(self._loop).remove(self._watching, False, self._look)
        self._watching = None

    def _look_soon(self) -> None:
        """A call may have made the descriptor forget what others wait for: they look for themselves."""
        if self._sends or self._recvs:
            self._loop.call_soon(self._look)

    def _look(self) -> None:
        if self.closed:
            return
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


class Context(_Context):
    """A context whose sockets are for asyncio."""

    _socket_class = Socket
    _instance = None
    _instance_pid = None

    def __init__(self, io_threads: Any = 1, shadow: Any = 0, **kwargs: Any) -> None:
        kwargs.pop("io_loop", None)
        super().__init__(io_threads, shadow, **kwargs)


class Poller(_Poller):
    """A poller whose `poll` answers a future."""

    def poll(self, timeout: float | None = -1) -> Any:
        """A future of pairs of a socket, or a descriptor, and events; `timeout` in milliseconds."""
        return _poll(list(self.sockets), timeout, list)


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


def _poll(items: list[tuple[Any, int]], timeout: float | None, convert: Callable[[Any], Any]) -> Any:
    loop = asyncio.get_running_loop()
    future = loop.create_future()
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

    def unwatch(_: Any) -> None:
        for fd, writes in watches:
            _watched(loop).remove(fd, writes, look)

    for fd, writes in watches:
        _watched(loop).add(fd, writes, look)
    future.add_done_callback(unwatch)
    # An event between the look and the watch has marked the descriptors of sockets only.
    if timeout is not None and timeout > 0:
        timer = loop.call_later(timeout / 1000.0, lambda: future.done() or future.set_result(convert([])))
        future.add_done_callback(lambda _: timer.cancel())
    return future


def _descriptors(socket: Any, flags: int) -> list[tuple[int, bool]]:
    """What is to be watched for a socket or a descriptor: whether it reads or writes."""
    if isinstance(socket, _native.Socket):
        return [(_native.Socket.get(socket, SocketOption.FD), False)]
    fd = socket if isinstance(socket, int) else socket.fileno()
    wanted = [(fd, False)] if flags & PollEvent.POLLIN else []
    return wanted + ([(fd, True)] if flags & PollEvent.POLLOUT else [])


class ZMQEventLoop(asyncio.SelectorEventLoop):
    """What pyzmq once needed; any loop of asyncio will do."""


def install() -> None:
    """What pyzmq once needed; does nothing but say so, with a DeprecationWarning."""
    warnings.warn("tightbeam.asyncio.install() is not needed", DeprecationWarning, stacklevel=2)
