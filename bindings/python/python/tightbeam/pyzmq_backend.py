"""An engine for pyzmq: with `PYZMQ_BACKEND=tightbeam.pyzmq_backend` in the environment, `import zmq` runs on Tightbeam.

pyzmq imports this while it is being imported itself, so what is pyzmq's is looked up when it is needed.
"""

from __future__ import annotations

import functools
import sys
import threading
import weakref
from typing import Any

from . import _exit as _exit
from . import _native, error
from ._monitored import monitored_queue
from ._native import curve_keypair, curve_public, proxy, proxy_steerable, strerror
from .constants import Errno
from .version import zmq_version_info

__all__ = [
    "Context",
    "Frame",
    "IPC_PATH_MAX_LEN",
    "Message",
    "PYZMQ_DRAFT_API",
    "Socket",
    "curve_keypair",
    "curve_public",
    "has",
    "monitored_queue",
    "proxy",
    "proxy_steerable",
    "strerror",
    "zmq_errno",
    "zmq_poll",
    "zmq_version_info",
]

IPC_PATH_MAX_LEN = 107
PYZMQ_DRAFT_API = False


def _zmq() -> Any:
    return sys.modules["zmq"]


@functools.cache
def _made_both(kind: type[error.ZMQError]) -> type[error.ZMQError]:
    return type(kind.__name__, (kind, getattr(_zmq(), kind.__name__)), {"__module__": "zmq.error"})


def _both(kind: type[error.ZMQError]) -> type[error.ZMQError]:
    """A class of errors that is ours and pyzmq's; ours alone while pyzmq is not there."""
    return _made_both(kind) if hasattr(sys.modules.get("zmq"), "ZMQError") else kind  # type: ignore[arg-type]


error._widen = _both


class _Done(threading.Event):
    """What pyzmq's trackers watch."""

    def __init__(self, done: _native.Done) -> None:
        super().__init__()
        self._done = done

    def is_set(self) -> bool:
        return self._done.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        return self._done.wait(timeout)


def _tracker_of(events: list[Any]) -> Any:
    return _zmq().MessageTracker(*map(_Done, events))


class Context(_native.Context):
    """What pyzmq's contexts are made from."""

    _registered: Any = None

    def __init__(self, io_threads: int = 1, shadow: Any = 0) -> None:
        other = None
        if shadow:
            other = shadow if isinstance(shadow, _native.Context) else _CONTEXTS.get(shadow)
            if other is None:
                raise error.make(Errno.EFAULT)
        object.__setattr__(self, "_registered", other)
        self._open(int(io_threads), other)
        if other is None:
            _CONTEXTS[id(self)] = self
            _exit.watch(self)

    @property
    def underlying(self) -> int:
        return id(self) if self._registered is None else self._registered.underlying

    @property
    def handle(self) -> int:
        return self.underlying

    def term(self) -> None:
        self._term()


class Socket(_native.Socket):
    """What pyzmq's sockets are made from."""

    _tracker_of = staticmethod(_tracker_of)
    _lent_by: Any = None
    _given_context: Any = None

    def __init__(
        self,
        context: Any = None,
        socket_type: int = -1,
        shadow: Any = 0,
        copy_threshold: int | None = None,
    ) -> None:
        if shadow:
            other = shadow if isinstance(shadow, _native.Socket) else _SOCKETS.get(shadow)
            if other is None:
                raise error.make(Errno.ENOTSOCK)
            object.__setattr__(self, "_lent_by", other)
            self._open_shadow(other)
        else:
            self._open(context, socket_type)
            _SOCKETS[self.underlying] = self
        if copy_threshold is not None:
            self.copy_threshold = copy_threshold

    @property
    def context(self) -> Any:
        return _native.Socket.context.__get__(self) if self._given_context is None else self._given_context

    @context.setter
    def context(self, context: Any) -> None:
        """pyzmq gives one to a shadow."""
        object.__setattr__(self, "_given_context", context)

    @property
    def _frame_class(self) -> Any:
        return _zmq().Frame

    @property
    def _closed(self) -> bool:
        return self.closed

    def close(self, linger: int | None = None) -> None:
        self._close(linger)

    def bind(self, addr: Any) -> None:
        self._bind(addr)

    def connect(self, addr: Any) -> None:
        self._connect(addr)

    def getsockopt(self, option: int) -> Any:
        return self.get(option)

    def setsockopt(self, option: int, value: Any) -> None:
        self.set(option, value)

    def join(self, group: Any) -> None:
        raise error.make(Errno.ENOTSUP)

    leave = join


class Frame(_native.Frame):
    """What pyzmq's frames are made from."""

    @property
    def tracker(self) -> Any:
        done = self._done
        return None if done is None else _tracker_of([done])

    @property
    def tracker_event(self) -> Any:
        done = self._done
        return None if done is None else _Done(done)

    @property
    def buffer(self) -> memoryview:
        return memoryview(self)

    def set(self, option: int, value: Any) -> None:
        raise error.make(Errno.EINVAL)

    def __copy__(self) -> Any:
        return self.fast_copy()


Message = Frame


def has(capability: str) -> bool:
    from . import has

    return has(capability)


def zmq_errno() -> int:
    """Errors are exceptions here; none waits to be asked for."""
    return 0


def zmq_poll(sockets: Any, timeout: Any = -1) -> list[tuple[Any, int]]:
    return _native.zmq_poll(sockets, timeout)


_CONTEXTS: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
_SOCKETS: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
