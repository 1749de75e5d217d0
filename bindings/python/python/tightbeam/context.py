"""Contexts."""

from __future__ import annotations

import operator
import os
import threading
import warnings
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

from . import _exit, _native
from ._attributes import Attributes
from .constants import ContextOption, Errno, SocketOption
from .error import ZMQError
from .socket import Socket

__all__ = ["Context", "SyncContext"]

# The sockets that a context opens, for those who write it down.
if TYPE_CHECKING:
    from typing_extensions import TypeVar as _TypeVar

    AnySocket = _TypeVar("AnySocket", bound=Socket[Any], default=Socket[bytes], covariant=True)
else:
    AnySocket = TypeVar("AnySocket", covariant=True)

_Kind = TypeVar("_Kind", bound="Context[Any]")
_Other = TypeVar("_Other", bound=Socket[Any])


class Context(_native.Context, Attributes, Generic[AnySocket]):
    """A set of sockets that share I/O threads.

    Options of contexts are attributes; options of sockets set as attributes hold for sockets that are opened later.
    """

    _options = ContextOption
    _socket_class: Any = Socket
    _instance: Any = None
    _instance_pid: int | None = None
    _instance_lock = threading.Lock()
    _shadow = False
    _shadow_obj: Any = None
    _pid = 0
    # By their `id`; each leaves when it is closed, which it is when it is collected. Threads may open and close at once.
    _sockets: dict[int, weakref.ref[Any]] | None = None
    sockopts: Any = None

    def __init__(self, io_threads: int | _native.Context = 1, shadow: Any = 0) -> None:
        """Makes a context with so many I/O threads, or shares another: `shadow` is it, or its `underlying`.

        One I/O thread does for about a gigabyte a second. Raises ZMQError: EINVAL, EFAULT if there is no such context.
        """
        if isinstance(io_threads, _native.Context):
            shadow, io_threads = io_threads, 1
        if shadow and not isinstance(shadow, _native.Context):
            found = _OPEN.get(shadow)
            if found is None:
                raise ZMQError(Errno.EFAULT)
            shadow = found
        io_threads = operator.index(io_threads)
        self._sockets = {}
        self.sockopts = {}
        self._pid = os.getpid()
        self._shadow = bool(shadow)
        self._shadow_obj = shadow or None
        super()._open(io_threads, shadow or None)
        if not shadow:
            _OPEN[self.underlying] = self
            _exit.watch(self)

    @property
    def underlying(self) -> int:
        """A number that names the context for `shadow`."""
        return self._shadow_obj.underlying if self._shadow else id(self)

    @classmethod
    def shadow(cls, address: Any) -> Self:
        """Another object for a context, which it does not end when it is collected.

        `address` is the context or its `underlying`. Raises ZMQError with EFAULT if there is none.
        """
        return cls(shadow=address)

    @classmethod
    def instance(cls: type[_Kind], io_threads: int = 1) -> _Kind:
        """The context that the whole process shares; a forked child gets one of its own.

        It is made, with `io_threads`, when it is asked for first and after it was ended.
        """
        pid = os.getpid()
        instance: _Kind = cls._instance
        if cls._is_current(instance, pid):
            return instance
        with Context._instance_lock:
            instance = cls._instance
            if not cls._is_current(instance, pid):
                cls._instance = instance = cls(io_threads=io_threads)
                cls._instance_pid = pid
            return instance

    @classmethod
    def _is_current(cls, instance: Any, pid: int) -> bool:
        return (
            instance is not None
            and cls._instance_pid == pid
            and type(instance) is cls
            and not instance.closed
        )

    # Life

    def __del__(self) -> None:
        if self._shadow or _exit.exiting or self.closed or self._pid != os.getpid():
            return
        self._warn_of_open()
        warnings.warn(f"Unclosed context {self!r}", ResourceWarning, stacklevel=2, source=self)

    def _warn_of_open(self) -> None:
        for socket in self._open_sockets():
            warnings.warn(
                f"Destroying context with unclosed socket {socket!r}",
                ResourceWarning,
                stacklevel=3,
                source=self,
            )

    def _open_sockets(self) -> list[Any]:
        found = (reference() for reference in list((self._sockets or {}).values()))
        return [socket for socket in found if socket is not None and not socket.closed]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self.closed:
            self._warn_of_open()
        self.destroy()

    def __copy__(self, memo: Any = None) -> Self:
        return type(self).shadow(self)

    __deepcopy__ = __copy__

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError("a context cannot be pickled")

    def __repr__(self) -> str:
        count = len(self._open_sockets())
        sockets = f"{count} socket{'' if count == 1 else 's'}" if count else ""
        closed = " closed" if self.closed else ""
        return f"<tightbeam.Context({sockets}) at {id(self):#x}{closed}>"

    def term(self) -> None:
        """Waits until all sockets are closed and have sent what they linger for, and ends the context.

        That is for ever if a socket stays open, or lingers for ever for a peer that does not come: see `destroy` and
        LINGER. Waits of other threads in the sockets end with ContextTerminated. Other threads run meanwhile, and
        signals are handled: what a handler raises ends the wait, and the context can be ended again.
        """
        self._term()

    def destroy(self, linger: int | None = None) -> None:
        """Closes all sockets, with `linger` in milliseconds if it is given, and ends the context as `term` does.

        Sockets that were opened through shadows of the context are not among them.
        """
        if self.closed:
            return
        for socket in self._open_sockets():
            socket.close(linger)
        self.term()

    @overload
    def socket(self, socket_type: int, socket_class: Callable[..., _Other], **kwargs: Any) -> _Other: ...

    @overload
    def socket(self, socket_type: int, socket_class: None = None, **kwargs: Any) -> AnySocket: ...

    def socket(self, socket_type: int, socket_class: Callable[..., Any] | None = None, **kwargs: Any) -> Any:
        """Opens a socket of a type such as `REQ`; `socket_class` is called with the context, the type and `kwargs`.

        It gets the defaults that were set as attributes of the context. Raises ZMQError: EINVAL for a type that there
        is not, EMFILE when there are MAX_SOCKETS, ENOTSUP when the context has ended, ETERM.
        """
        if self.closed:
            raise ZMQError(Errno.ENOTSUP)
        kind = self._socket_class if socket_class is None else socket_class
        socket = kind(self, socket_type, **kwargs)
        for option, value in list(self.sockopts.items()):
            try:
                socket.set(option, value)
            except ZMQError:
                # Not for sockets of this type.
                pass
        if self._sockets is not None:
            self._sockets[id(socket)] = weakref.ref(socket)
            object.__setattr__(socket, "_attached", self._sockets)
        return socket

    # Options

    def getsockopt(self, opt: int) -> Any:
        """The default of an option for sockets that are opened later. Raises KeyError if none was set."""
        return self.sockopts[opt]

    def setsockopt(self, opt: int, value: Any) -> None:
        """Sets the default of an option for sockets that are opened later; those that do not have it go without."""
        self.sockopts[opt] = value

    def _option(self, key: str) -> int:
        name = key.upper()
        option = ContextOption.__members__.get(name) or SocketOption.__members__.get(name)
        if option is None:
            raise AttributeError(f"{type(self).__name__} has no such option: {key.upper()}")
        return option

    def _set_attribute(self, key: str, option: int, value: Any) -> None:
        if isinstance(option, ContextOption):
            self.set(option, value)
        else:
            self.sockopts[option] = value

    def _get_attribute(self, key: str, option: int) -> Any:
        if isinstance(option, ContextOption):
            return super()._get_attribute(key, option)
        try:
            return self.sockopts[option]
        except KeyError:
            raise AttributeError(key) from None


SyncContext = Context[Socket[bytes]]

# Contexts by the number that `underlying` says, for shadows.
_OPEN: weakref.WeakValueDictionary[int, Context] = weakref.WeakValueDictionary()


def _renew_lock() -> None:
    """The lock may have been held when the process forked."""
    Context._instance_lock = threading.Lock()


os.register_at_fork(after_in_child=_renew_lock)
