"""Errors, with libzmq's numbers."""

from __future__ import annotations

import errno
from collections.abc import Callable

from . import _native
from .constants import Errno
from .version import zmq_version

__all__ = [
    "Again",
    "ContextTerminated",
    "DraftFDWarning",
    "InterruptedSystemCall",
    "NotDone",
    "UndeliveredWarning",
    "ZMQBaseError",
    "ZMQBindError",
    "ZMQError",
    "ZMQVersionError",
]


_NUMBERS: dict[int, Errno] = {int(number): number for number in Errno}


class DraftFDWarning(RuntimeWarning):
    """Here for programs that filter it; never given."""

    def __init__(self, msg: str = "") -> None:
        super().__init__(msg)


class UndeliveredWarning(RuntimeWarning):
    """The process ends with messages that sockets still have to send. See `Context.term`."""


class ZMQBaseError(Exception):
    """What all errors of this package are."""


class ZMQError(ZMQBaseError):
    """A call failed: `errno` says why, `strerror` in words."""

    errno: int | None = None
    strerror: str = ""

    def __init__(self, errno: int | str | None = None, msg: str | None = None) -> None:
        """An error by its number, by words alone, or both. `args` are what is given here."""
        number = 0 if errno is None else errno
        if isinstance(number, int):
            self.errno = _NUMBERS.get(number, number)
            self.strerror = _native.strerror(number) if msg is None else msg
        else:
            self.strerror = str(errno) if msg is None else msg

    def __str__(self) -> str:
        return self.strerror

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


class _Fixed(ZMQError):
    """An error that one errno always makes."""

    _errno: int = 0

    def __init__(self, errno: int | str = "ignored", msg: str = "ignored") -> None:
        super().__init__(self._errno)


class Again(_Fixed):
    """The call would have to wait, or has waited long enough (`EAGAIN`)."""

    _errno = Errno.EAGAIN


class ContextTerminated(_Fixed):
    """The context was terminated (`ETERM`)."""

    _errno = Errno.ETERM


class InterruptedSystemCall(_Fixed, InterruptedError):  # type: ignore[misc]
    """A signal interrupted the call (`EINTR`). Calls of this package go on instead."""

    _errno = errno.EINTR


class ZMQBindError(ZMQBaseError):
    """No port was free."""


class NotDone(ZMQBaseError):
    """A message was not sent in time."""


class ZMQVersionError(NotImplementedError):
    """This version of the interface does not have it."""

    def __init__(self, min_version: str, msg: str = "Feature") -> None:
        self.min_version = min_version
        self.msg = msg
        self.version = zmq_version()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __str__(self) -> str:
        return f"{self.msg} requires libzmq >= {self.min_version}, have {self.version}"


_CLASSES: dict[int, type[ZMQError]] = {
    int(kind._errno): kind for kind in (Again, ContextTerminated, InterruptedSystemCall)
}


# How errors are made that programs written for another package catch, too; the backend for pyzmq sets it.
_widen: Callable[[type[ZMQError]], type[ZMQError]] | None = None


def make(errno: int, detail: str | None = None) -> ZMQError:
    """The exception for an errno; the native part calls it."""
    fixed = _CLASSES.get(errno)
    kind = ZMQError if fixed is None else fixed
    if _widen is not None:
        kind = _widen(kind)
    if fixed is not None:
        return kind()
    words = _native.strerror(errno)
    return kind(errno, words if detail is None else f"{words} ({detail})")
