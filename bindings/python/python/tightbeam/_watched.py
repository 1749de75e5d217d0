"""Descriptors that loops of asyncio watch."""

from __future__ import annotations

import asyncio
import os
import weakref
from collections.abc import Callable


class Watched:
    """The descriptors that one loop watches for us, and what is to be called: a loop takes one reader for each."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = weakref.ref(loop)
        self._pid = os.getpid()
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
            # A forked child has what the loop asks the system in common with its parent, which goes on waiting.
            if loop is not None and not loop.is_closed() and self._pid == os.getpid():
                (loop.remove_writer if writes else loop.remove_reader)(fd)

    def _call(self, fd: int, writes: bool) -> None:
        callbacks = self.callbacks.get((fd, writes), ())
        if len(callbacks) == 1:
            callbacks[0]()
            return
        for callback in list(callbacks):
            callback()


# A loop holds what it calls, and by that its `Watched`; if this held it too, a loop that ended while a call waited would
# stay for ever.
_WATCHED: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, weakref.ref[Watched]] = weakref.WeakKeyDictionary()


def watched(loop: asyncio.AbstractEventLoop) -> Watched:
    """What a loop watches."""
    known = _WATCHED.get(loop)
    found = None if known is None else known()
    if found is None:
        found = Watched(loop)
        _WATCHED[loop] = weakref.ref(found)
    return found
