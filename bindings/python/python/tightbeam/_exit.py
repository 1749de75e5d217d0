"""The end of the process: what is known of it, and what would be lost with it."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import time
import warnings
from collections import Counter
from typing import Any

from . import _native
from .constants import SocketType
from .error import UndeliveredWarning

exiting = False

# What another thread is writing just now, or a peer is about to come for, gets so long before it counts as lost.
_GRACE_S = 0.1
_LOOK_AGAIN_S = 0.001
# So many endpoints are named in one warning.
_MOST_NAMED = 8
# So many contexts are watched before those that are gone are looked for.
_MOST_WATCHED = 32

_watched: list[_native.Watch] = []
_most_watched = _MOST_WATCHED
_finalized_pid: int | None = None
_told_pid: int | None = None


def watch(context: Any) -> None:
    """Has the messages of a context named at the end of the process, if they are not delivered."""
    global _most_watched
    if len(_watched) >= _most_watched:
        # One by one: other threads may watch contexts meanwhile.
        for gone in [watched for watched in _watched if watched.gone]:
            with contextlib.suppress(ValueError):
                _watched.remove(gone)
        _most_watched = max(_MOST_WATCHED, 2 * len(_watched))
    _watched.append(context._watch())
    _finalize_in_child()


def _finalize_in_child() -> None:
    """Processes of `multiprocessing` end without what `atexit` has."""
    global _finalized_pid
    process = sys.modules.get("multiprocessing.process")
    if process is None or process.parent_process() is None or _finalized_pid == os.getpid():
        return
    _finalized_pid = os.getpid()
    from multiprocessing import util

    # Behind everything that has a priority of its own.
    util.Finalize(None, _warn_of_undelivered, exitpriority=-1000)


def _unsent() -> Counter[tuple[int, str]]:
    """What sockets still have to send: messages by type of socket and endpoint."""
    found: Counter[tuple[int, str]] = Counter()
    for watched in _watched:
        for socket_type, endpoint, messages in watched.unsent():
            found[socket_type, endpoint] += messages
    return found


def _undelivered() -> Counter[tuple[int, str]]:
    """What is left when whoever is about to send has had a moment for it."""
    deadline = time.monotonic() + _GRACE_S
    while (unsent := _unsent()) and time.monotonic() < deadline:
        time.sleep(_LOOK_AGAIN_S)
    return unsent


def _warn_of_undelivered() -> None:
    """Names what is lost, once in a process: some that are spawned have both ways to end."""
    global _told_pid
    if _told_pid == os.getpid():
        return
    _told_pid = os.getpid()
    undelivered = _undelivered()
    if not undelivered:
        return
    named = [
        f"{messages} of a {SocketType(socket_type).name} for {endpoint or 'a peer'}"
        for (socket_type, endpoint), messages in undelivered.most_common(_MOST_NAMED)
    ]
    if len(undelivered) > _MOST_NAMED:
        named.append(f"and for {len(undelivered) - _MOST_NAMED} more endpoints")
    text = (
        f"messages are lost with the process: {', '.join(named)}"
        " (`context.term()` waits for them, with `linger = 0` they do not count)"
    )
    # No line of the program is running any more; Python's own warnings say it in this way then.
    warnings.warn_explicit(text, UndeliveredWarning, "sys", 1)


def _begin() -> None:
    global exiting
    exiting = True
    _native.stop_returns()
    _warn_of_undelivered()


atexit.register(_begin)
