"""Frames, and trackers that say when a message is done with its buffer."""

from __future__ import annotations

from typing import Any, Self

from . import _native
from .constants import MessageOption
from .error import NotDone, ZMQError

__all__ = ["Frame", "Message", "MessageTracker"]


class MessageTracker:
    """Says when messages are done with the buffers that they were sent from.

    It watches frames that are tracked, other trackers, and anything with `is_set()` and `wait(timeout)`.
    """

    def __init__(self, *towatch: Any) -> None:
        self.events: set[Any] = set()
        self.peers: set[MessageTracker] = set()
        for watched in towatch:
            if isinstance(watched, MessageTracker):
                self.peers.add(watched)
            elif isinstance(watched, Frame):
                if watched.tracker is None:
                    raise ValueError("Not a tracked message")
                self.peers.add(watched.tracker)
            elif hasattr(watched, "is_set") and hasattr(watched, "wait"):
                self.events.add(watched)
            else:
                raise TypeError(f"Require Events or Message Frames, not {type(watched)}")

    @property
    def done(self) -> bool:
        """True as soon as every buffer may be changed."""
        return all(event.is_set() for event in self.events) and all(peer.done for peer in self.peers)

    def wait(self, timeout: float | None = -1) -> None:
        """Waits until `done`, at most so many seconds (negative or None: for ever).

        Raises NotDone when the time is over.
        """
        from time import monotonic

        endless = timeout is None or timeout is False or timeout < 0
        until = None if timeout is None or endless else monotonic() + timeout
        for watched in (*self.events, *self.peers):
            left = None if until is None else max(until - monotonic(), 0.0)
            if isinstance(watched, MessageTracker):
                watched.wait(-1 if left is None else left)
            elif not watched.wait(left):
                raise NotDone


_DONE = MessageTracker()


def tracker_of(events: list[Any]) -> MessageTracker:
    """The tracker for what the native part told of."""
    return MessageTracker(*events) if events else _DONE


class Frame(_native.Frame):
    """One part of a message: a buffer, and what is known about the peer that it came from.

    `frame["User-Id"]` and the like read the peer's properties; `get` reads them and the options of messages.
    """

    @property
    def tracker(self) -> MessageTracker | None:
        """Says when the frame's buffer may be changed; None unless the frame was made with `track=True`."""
        done = self._done
        return None if done is None else tracker_of([done])

    @property
    def tracker_event(self) -> Any:
        """What the tracker watches: has `is_set()` and `wait(timeout)` in seconds; None without `track=True`."""
        return self._done

    @property
    def buffer(self) -> memoryview:
        """The body, without copying it."""
        return memoryview(self)

    @property
    def group(self) -> str:
        """Groups belong to RADIO and DISH, which there are not: RuntimeError, as with pyzmq's wheels."""
        raise RuntimeError("there are no sockets with groups here")

    @property
    def routing_id(self) -> int:
        """Such numbers belong to SERVER, which there is not: RuntimeError, as with pyzmq's wheels."""
        raise RuntimeError("there are no sockets with routing ids here")

    def set(self, option: int, value: Any) -> None:
        """No option of a message can be set: ZMQError with EINVAL."""
        raise ZMQError(22, f"no option {option} can be set")

    def __getitem__(self, key: int | str | bytes) -> int | str:
        return self.get(key)

    def __getattr__(self, key: str) -> Any:
        option = MessageOption.__members__.get(key.upper())
        if option is None:
            raise AttributeError(f"Frame has no such option: {key.upper()}")
        return self.get(option)

    def __copy__(self) -> Self:
        return self.fast_copy()

    def __repr__(self) -> str:
        view = memoryview(self)
        if len(view) <= 32:
            return f"<tightbeam.Frame({bytes(view)!r})>"
        return f"<tightbeam.Frame({bytes(view[:12])!r}...{_size(len(view))})>"

    __str__ = __repr__


def _size(count: int) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count}{unit}"
        count //= 1000
    return f"{count}GB"


Message = Frame
