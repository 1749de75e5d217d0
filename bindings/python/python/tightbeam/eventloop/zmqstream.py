"""`ZMQStream`: a socket in tornado's loop, or asyncio's, whose messages are handed to callbacks."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import logging
import pickle
import warnings
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from .._watched import watched
from ..constants import Flag, PollEvent
from ..error import Again
from ..socket import Socket
from ..utils import jsonapi

__all__ = ["ZMQStream"]

_log = logging.getLogger("tightbeam.eventloop")


class ZMQStream:
    """Calls back with each message that a socket receives, and sends without waiting.

    What is sent is queued here and leaves in the next turns of the loop. In a turn a stream receives one message and sends
    one, so that streams that are busy do not keep others waiting. Callbacks may be coroutines; what one raises is logged.
    A stream belongs to the thread of its loop, but for its making, which may come before that runs.
    """

    def __init__(self, socket: Socket[Any], io_loop: Any = None) -> None:
        """`io_loop` is a loop of tornado's or of asyncio's; by default that of this thread."""
        self.io_loop = _current_loop() if io_loop is None else io_loop
        self.socket: Socket[Any] = _plain(socket)
        self._loop: asyncio.AbstractEventLoop = getattr(self.io_loop, "asyncio_loop", self.io_loop)
        self._fd = self.socket.fileno()
        self._watching = self._looking = False
        self._recv_callback: Callable[[list[Any]], Any] | None = None
        self._recv_copy = True
        self._send_callback: Callable[[list[Any], Any], Any] | None = None
        self._close_callback: Callable[[], Any] | None = None
        self._queue: deque[tuple[Sequence[Any], dict[str, Any]]] = deque()
        self._tasks: set[asyncio.Future[Any]] = set()
        for name in _OF_THE_SOCKET:
            setattr(self, name, getattr(self.socket, name))

    # Callbacks

    def on_recv(self, callback: Callable[[list[Any]], Any] | None, copy: bool = True) -> None:
        """Calls `callback(parts)` for each message; with `copy=False` the parts are Frames. None: receives nothing more."""
        self._check()
        self._recv_callback, self._recv_copy = callback, copy
        self._update()

    def on_recv_stream(self, callback: Callable[[Any, list[Any]], Any] | None, copy: bool = True) -> None:
        """The same with this stream as the first argument."""
        self.on_recv(None if callback is None else lambda parts: callback(self, parts), copy)

    def stop_on_recv(self) -> None:
        """Receives nothing more."""
        self.on_recv(None)

    def on_send(self, callback: Callable[[list[Any], Any], Any] | None) -> None:
        """Calls `callback(parts, tracker)` for each message that was sent; the tracker is None but for `copy=False`."""
        self._check()
        self._send_callback = callback

    def on_send_stream(self, callback: Callable[[Any, list[Any], Any], Any] | None) -> None:
        """The same with this stream as the first argument."""
        self.on_send(None if callback is None else lambda parts, tracker: callback(self, parts, tracker))

    def stop_on_send(self) -> None:
        """Tells of nothing more that was sent."""
        self.on_send(None)

    def on_err(self, callback: Callable[..., Any]) -> None:
        """Does nothing: sockets have no errors to be told of."""

    def stop_on_err(self) -> None:
        """Does nothing."""

    def set_close_callback(self, callback: Callable[[], Any] | None) -> None:
        """Calls `callback()` when the stream is closed."""
        self._close_callback = callback

    # Sending

    def send(
        self,
        msg: Any,
        flags: int = 0,
        copy: bool = True,
        track: bool = False,
        callback: Callable[[list[Any], Any], Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Sends one part. A `callback` takes the place of that of `on_send`."""
        self.send_multipart([msg], flags, copy, track, callback, **kwargs)

    def send_multipart(
        self,
        msg: Sequence[Any],
        flags: int = 0,
        copy: bool = True,
        track: bool = False,
        callback: Callable[[list[Any], Any], Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Queues a message. A `callback` takes the place of that of `on_send`. OSError if the stream is closed."""
        self._check()
        options = kwargs | {"flags": flags | Flag.DONTWAIT, "copy": copy, "track": track}
        if callback is not None:
            self.on_send(callback)
        self._queue.append((msg, options))
        self._update()

    def send_string(self, u: str, flags: int = 0, encoding: str = "utf-8", callback: Any = None, **kwargs: Any) -> None:
        """Sends a text."""
        if not isinstance(u, str):
            raise TypeError("unicode/str objects only")
        self.send(u.encode(encoding), flags, callback=callback, **kwargs)

    send_unicode = send_string

    def send_json(self, obj: Any, flags: int = 0, callback: Any = None, **kwargs: Any) -> None:
        """Sends an object as JSON."""
        self.send(jsonapi.dumps(obj), flags, callback=callback, **kwargs)

    def send_pyobj(self, obj: Any, flags: int = 0, protocol: int = -1, callback: Any = None, **kwargs: Any) -> None:
        """Sends an object by pickle."""
        self.send(pickle.dumps(obj, protocol), flags, callback=callback, **kwargs)

    # State

    def receiving(self) -> bool:
        """Whether messages are received for a callback."""
        return self._recv_callback is not None

    def sending(self) -> bool:
        """Whether messages are queued here."""
        return bool(self._queue)

    def closed(self) -> bool:
        """Whether the stream is closed, or the socket under it."""
        if self.socket.closed:
            self.close()
        return self.socket.closed

    def close(self, linger: int | None = None) -> None:
        """Closes the socket. What is queued here is dropped; the socket lingers over what it has."""
        self._unwatch()
        self._queue.clear()
        self._recv_callback = None
        self.socket.close(linger)
        callback, self._close_callback = self._close_callback, None
        if callback is not None:
            self._call(callback)

    def flush(self, flag: int = PollEvent.POLLIN | PollEvent.POLLOUT, limit: int | None = None) -> int:
        """Receives and sends now, as long as that needs no waiting; answers how many messages that were.

        `flag` says which of the two, `limit` how many at most. What is received without a callback is dropped.
        """
        self._check()
        done = 0
        while limit is None or done < limit:
            moved = bool(flag & PollEvent.POLLIN) and self._receive()
            done += moved
            if flag & PollEvent.POLLOUT and (limit is None or done < limit) and self._send():
                done += 1
            elif not moved:
                break
        self._look_soon()
        return done

    # The loop

    def _check(self) -> None:
        if self.closed():
            raise OSError("Stream is closed")

    def _update(self) -> None:
        """Has the loop watch the socket while there is something to wait for."""
        wanted = self._recv_callback is not None or bool(self._queue)
        if wanted and not self._watching:
            self._watching = True
            watched(self._loop).add(self._fd, False, self._look)
        if not wanted:
            self._unwatch()
        # What is there already the descriptor may have told before.
        self._look_soon()

    def _unwatch(self) -> None:
        if self._watching:
            self._watching = False
            watched(self._loop).remove(self._fd, False, self._look)

    def _look_soon(self) -> None:
        if not self._watching or self._looking:
            return
        self._looking = True
        try:
            here = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            here = False
        (self._loop.call_soon if here else self._loop.call_soon_threadsafe)(self._look_again)

    def _look_again(self) -> None:
        self._looking = False
        self._look()

    def _look(self) -> None:
        """One message each way, and once more in the next turn if there was any."""
        if not self._watching or self.closed():
            return
        moved = self._recv_callback is not None and self._receive()
        if not self.socket.closed and (self._send() or moved) and not self.socket.closed:
            self._update()

    def _receive(self) -> bool:
        """False if there is nothing."""
        if self.socket.closed:
            return False
        try:
            parts = self.socket.recv_multipart(Flag.DONTWAIT, copy=self._recv_copy)
        except Again:
            return False
        if self._recv_callback is not None:
            self._call(self._recv_callback, parts)
        return True

    def _send(self) -> bool:
        """False if there is nothing, or no room. What cannot be sent at all is logged and dropped."""
        if not self._queue or self.socket.closed:
            return False
        parts, options = self._queue[0]
        try:
            tracker = self.socket.send_multipart(parts, **options)
        except Again:
            return False
        except Exception:
            _log.exception("a message could not be sent")
            self._queue.popleft()
            return True
        self._queue.popleft()
        if self._send_callback is not None:
            self._call(self._send_callback, list(parts), tracker)
        return True

    def _call(self, callback: Callable[..., Any], *arguments: Any) -> None:
        try:
            result = callback(*arguments)
        except Exception:
            _log.exception("a callback failed")
            return
        if inspect.isawaitable(result):
            task = asyncio.ensure_future(result, loop=self._loop)
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Future[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a callback failed", exc_info=error)


# What a stream has of its socket.
_OF_THE_SOCKET = [
    "bind",
    "bind_to_random_port",
    "connect",
    "getsockopt",
    "getsockopt_string",
    "getsockopt_unicode",
    "setsockopt",
    "setsockopt_string",
    "setsockopt_unicode",
]


def _current_loop() -> Any:
    try:
        return importlib.import_module("tornado.ioloop").IOLoop.current()
    except ImportError:
        return asyncio.get_event_loop()


def _plain(socket: Any) -> Socket[Any]:
    """A socket whose calls answer what they receive, not futures of it."""
    if not isinstance(socket, Socket):
        raise TypeError(f"a stream is made from a socket, not from {socket!r}")
    if type(socket).recv_multipart is Socket.recv_multipart:
        return socket
    warnings.warn(f"the stream takes {socket!r} for a plain socket", RuntimeWarning, stacklevel=3)
    return Socket(shadow=socket)
