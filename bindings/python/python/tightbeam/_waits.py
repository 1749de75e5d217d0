"""How calls wait in loops of asyncio: the loop listens to the socket and drives it, and those who wait try again."""

from __future__ import annotations

import asyncio
import contextvars
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from . import _native
from ._watched import watched
from .constants import SocketOption
from .error import Again, ZMQError
from .message import Frame

_Result = TypeVar("_Result")
_POLLIN, _POLLOUT = 1, 2
_DONTWAIT = 1
# So many calls are served before the loop gets its turn.
_SERVED_AT_ONCE = 100


def done(result: _Result) -> asyncio.Future[_Result]:
    """A future of what is here already."""
    future: asyncio.Future[_Result] = asyncio.Future(loop=asyncio.get_running_loop())
    future.set_result(result)
    return future


def failed(error: BaseException) -> asyncio.Future[Any]:
    """A future of what went wrong already."""
    future: asyncio.Future[Any] = asyncio.Future(loop=asyncio.get_running_loop())
    future.set_exception(error)
    return future


class Call(asyncio.Future[_Result]):
    """A call that waits, and the future of what it answers.

    A task that awaits it goes on as soon as it is done, in the loop's callback that heard of it and not in one more. If
    whoever awaits it is cancelled nevertheless after a message came, the message goes back to the socket.
    """

    waits: Waits
    queue: deque[Call[Any]]
    # Answers None if it would have to wait, and True for no result.
    attempt: Callable[[], Any]
    # Makes the result of what came.
    load: Callable[[Any], Any] | None = None
    give_back: Callable[[Any], None] | None = None
    came: Any = None
    timer: asyncio.TimerHandle | None = None
    # Who is called first, and in which context.
    _first: tuple[Callable[[Any], object], contextvars.Context] | None = None

    def try_now(self) -> bool:
        """False if it still has to wait; else it has left the queue."""
        if self.done():
            self.leave()
            return True
        try:
            result = self.attempt()
        except Exception as error:
            self.leave()
            self.set_exception(error)
            return True
        if result is None:
            return False
        # Before whoever waited for it goes on, and perhaps waits again.
        self.leave()
        self.came = result
        if self.load is None:
            self.set_result(None if result is True else result)
            return True
        try:
            loaded = self.load(result)
        except Exception as error:
            self.set_exception(error)
        else:
            self.set_result(loaded)
        return True

    def leave(self) -> None:
        """Waits no more."""
        if self.timer is not None:
            self.timer.cancel()
        if self in self.queue:
            self.queue.remove(self)
        self.waits.let_go()

    def give_up(self) -> None:
        """The time is over."""
        if not self.done():
            self.leave()
            self.set_exception(Again())

    def return_result(self) -> None:
        """What came is not wanted."""
        if self.came is not None and self.give_back is not None:
            give_back, self.give_back = self.give_back, None
            give_back(self.came)

    def set_result(self, result: Any) -> None:
        super().set_result(result)
        self._call_first()

    def set_exception(self, exception: Any) -> None:
        super().set_exception(exception)
        self._call_first()

    def cancel(self, msg: Any = None) -> bool:
        if not super().cancel(msg=msg):
            return False
        self.leave()
        if self._first is not None:
            (callback, context), self._first = self._first, None
            self.get_loop().call_soon(callback, self, context=context)
        return True

    def add_done_callback(self, fn: Callable[[Any], object], /, *, context: Any = None) -> None:
        if context is None:
            context = contextvars.copy_context()
        if self._first is None and not self.done():
            self._first = (fn, context)
        else:
            super().add_done_callback(fn, context=context)

    def remove_done_callback(self, fn: Callable[[Any], object], /) -> int:
        removed = super().remove_done_callback(fn)
        if self._first is not None and self._first[0] == fn:
            self._first = None
            removed += 1
        return removed

    def __await__(self) -> Any:
        try:
            return (yield from super().__await__())
        except asyncio.CancelledError:
            self.return_result()
            raise

    __iter__ = __await__

    def _call_first(self) -> None:
        if self._first is None:
            return
        (callback, context), self._first = self._first, None
        loop = self.get_loop()
        if asyncio.current_task(loop) is not None:
            loop.call_soon(callback, self, context=context)
            return
        try:
            context.run(callback, self)
        except Exception as error:
            message = f"Exception in callback {callback!r}"
            loop.call_exception_handler({"message": message, "exception": error, "future": self})


class _Bell:
    """What a loop calls for a socket. The loop keeps it, and it the socket while somebody waits there."""

    def __init__(self, waits: Waits) -> None:
        self._waits = weakref.ref(waits)
        self.keeps: tuple[Waits, Any] | None = None

    def ring(self) -> None:
        waits = self._waits()
        if waits is not None:
            waits.look()


class Waits:
    """Who waits for one socket in a loop."""

    def __init__(self, socket: Any) -> None:
        self._socket: Callable[[], Any] = (lambda: None) if socket is None else weakref.ref(socket)
        self.sends: deque[Call[Any]] = deque()
        self.recvs: deque[Call[Any]] = deque()
        # What is called for a poll, the events that it wants, and its future.
        self.polls: dict[Callable[[], None], tuple[int, asyncio.Future[Any]]] = {}
        # Messages that came for calls that were cancelled: parts, and whether the socket has more of them.
        self.unread: deque[tuple[list[Any], bool]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._bell = _Bell(self)
        # The descriptors that the loop listens to.
        self.heard: list[int] = []

    def __del__(self) -> None:
        # The descriptors are closed with the socket.
        self.stop_listening()

    def wait(
        self,
        queue: deque[Call[Any]],
        attempt: Callable[[], Any],
        flags: int,
        timeout: float | None,
        option: int,
        give_back: Callable[[Any], None] | None = None,
    ) -> Call[Any]:
        """A future of what `attempt` answers once it does not answer None, as it has just done, or others wait."""
        loop = asyncio.get_running_loop()
        self.enter(loop)
        call: Call[Any] = Call(loop=loop)
        call.waits, call.queue, call.attempt, call.give_back = self, queue, attempt, give_back
        if flags & _DONTWAIT:
            call.set_exception(Again())
            return call
        if queue is self.recvs and self._sleeps(loop) and _native.moment(self._socket()):
            call.try_now()
            if call.done():
                return call
        if timeout is None:
            ms = int(_native.Socket.get(self._socket(), option))
            timeout = None if ms < 0 else ms / 1000.0
        if timeout is not None:
            if timeout != timeout:
                raise ValueError("the timeout is not a number of seconds")
            call.timer = loop.call_later(timeout, call.give_up)
        queue.append(call)
        self.listen()
        if queue[0] is call:
            call.try_now()
        return call

    def _sleeps(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Whether nobody waits for the socket, and the loop has nothing to do before it sleeps, as far as it can be told."""
        return not (self.recvs or self.sends or self.polls or self.unread or getattr(loop, "_ready", True))

    def enter(self, loop: asyncio.AbstractEventLoop) -> None:
        """Calls come from this loop. What waited in another one is forgotten, for that has ended."""
        if self._loop is not loop:
            self.stop_listening()
            self.sends.clear()
            self.recvs.clear()
            self.polls.clear()
            self._loop = loop

    def listen(self) -> None:
        """Somebody waits from now on: has the loop listen, and drive the socket. They try once more after this."""
        socket, loop = self._socket(), self._loop
        if socket is None or loop is None:
            return
        self._bell.keeps = self, socket
        try:
            self._hear(socket, loop)
            wanted = 0
            for flags, _ in self.polls.values():
                wanted |= flags
            receive = bool(self.recvs) or wanted & _POLLIN != 0
            send = bool(self.sends) or wanted & _POLLOUT != 0
            if _native.expect(socket, receive, send):
                loop.call_soon(self.look)
            elif len(self.recvs) + len(self.sends) + len(self.polls) > 1:
                # What had been told is not told again, and may be for those who waited before.
                loop.call_soon(self.serve)
        except ZMQError:
            # Whoever tries is told the same.
            loop.call_soon(self.serve)

    def _hear(self, socket: Any, loop: asyncio.AbstractEventLoop) -> None:
        """Has the loop listen to each descriptor that there is: there are more once the socket has connected."""
        if len(self.heard) < 2:
            descriptors = _native.loop_descriptors(socket)
            for fd in descriptors[len(self.heard) :]:
                watched(loop).add(fd, False, self._bell.ring)
            self.heard = descriptors

    def stop_listening(self) -> None:
        self._bell.keeps = None
        if self._loop is not None:
            for fd in self.heard:
                watched(self._loop).remove(fd, False, self._bell.ring)
        self.heard = []

    def look(self) -> None:
        """Something may have happened to the socket."""
        socket, loop = self._socket(), self._loop
        if socket is None or loop is None:
            return
        if not (self.recvs or self.sends or self.polls):
            # What nobody waits for shall call nobody. Until something came, that cost less than to stop each time.
            self.stop_listening()
            return
        try:
            self._hear(socket, loop)
            if _native.turn(socket):
                loop.call_soon(self.look)
            self.serve()
        except (KeyboardInterrupt, SystemExit):
            # The loop may go on after these, and those who were not served yet are told nothing again.
            loop.call_soon(self.look)
            raise

    def serve(self) -> None:
        """Lets those who wait try again."""
        for queue in (self.recvs, self.sends):
            left = _SERVED_AT_ONCE
            while queue and left and queue[0].try_now():
                left -= 1
            if queue and not left:
                self.serve_soon()
        for poll in list(self.polls):
            poll()

    def let_go(self) -> None:
        """Whoever waits for a socket keeps it."""
        if not (self.recvs or self.sends or self.polls):
            self._bell.keeps = None

    def serve_soon(self) -> None:
        if self._loop is not None:
            self._loop.call_soon(self.serve)

    def cancel(self) -> None:
        """The socket is about to be closed."""
        self.stop_listening()
        if self._loop is None or self._loop.is_closed():
            # Nobody can be told any more.
            return
        for call in [*self.sends, *self.recvs]:
            call.cancel()
        for _, poll in list(self.polls.values()):
            poll.cancel()

    # What came for those who were cancelled

    def put_back(self, parts: list[Any]) -> None:
        socket = self._socket()
        is_open = socket is not None and not socket.closed
        more = is_open and bool(_native.Socket.get(socket, SocketOption.RCVMORE))
        self.unread.appendleft((parts, more))
        self.serve_soon()

    def unread_part(self, copy: bool) -> Any:
        parts, more = self.unread.popleft()
        if len(parts) > 1:
            self.unread.appendleft((parts[1:], more))
        return _as(parts[0], copy)

    def unread_parts(self, copy: bool, track: bool) -> list[Any]:
        parts, more = self.unread.popleft()
        rest = _native.recv_multipart_now(self._socket(), copy, track) if more else None
        return [_as(part, copy) for part in parts] + (rest or [])


def _as(part: Any, copy: bool) -> Any:
    if copy:
        return bytes(part)
    return part if isinstance(part, Frame) else Frame(part)
