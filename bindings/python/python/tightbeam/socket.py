"""Sockets."""

from __future__ import annotations

import json
import os
import pickle
import random
import warnings
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from . import _exit, _native, message
from ._attributes import Attributes
from .constants import Errno, PollEvent, SocketOption, SocketType
from .error import ZMQBindError, ZMQError

__all__ = ["Socket", "SyncSocket"]

# What a socket receives, for those who write it down: `Socket[bytes]`.
if TYPE_CHECKING:
    from typing_extensions import TypeVar as _TypeVar

    Received = _TypeVar("Received", default=Any)
else:
    Received = TypeVar("Received")

# Asked for these, any free port will do.
_ANY_PORTS = (49152, 65536)


class _Endpoint:
    """What bind and connect answer: ends what they began when a `with` block ends."""

    def __init__(self, socket: Socket, kind: str, address: str) -> None:
        self.socket = socket
        self.kind = kind
        self.addr = address

    def __enter__(self) -> Socket:
        return self.socket

    def __exit__(self, *_: object) -> None:
        if self.socket.closed:
            return
        if self.kind == "bind":
            self.socket.unbind(self.addr)
        else:
            self.socket.disconnect(self.addr)

    def __repr__(self) -> str:
        return f"<SocketContext({self.kind}={self.addr!r})>"


class Socket(_native.Socket, Attributes, Generic[Received]):
    """A socket: `Context.socket` opens one.

    It may be shared between threads; a whole message is sent and received at once. Options are attributes, in lower and
    upper case. Every call that may wait takes `timeout` in seconds beside pyzmq's flags and options.
    """

    _frame_class = message.Frame
    _tracker_of = staticmethod(message.tracker_of)
    _type = 0
    _pid = 0
    _shadow = False
    _shadow_obj: Any = None
    _monitor_socket: Socket | None = None
    _attached: Any = None

    def __init__(
        self,
        ctx_or_socket: Any = None,
        socket_type: int = 0,
        *,
        shadow: Any = 0,
        copy_threshold: int | None = None,
    ) -> None:
        if isinstance(ctx_or_socket, _native.Socket):
            shadow, ctx_or_socket = ctx_or_socket, None
        if shadow:
            self._share(shadow)
        else:
            if ctx_or_socket is None:
                raise TypeError("a socket needs a context")
            super()._open(ctx_or_socket, socket_type)
            self._type = int(socket_type)
            _OPEN[self.underlying] = self
        self._pid = os.getpid()
        if copy_threshold is not None:
            self.copy_threshold = copy_threshold

    def _share(self, other: Any) -> None:
        if not isinstance(other, _native.Socket):
            found = _OPEN.get(other)
            if found is None:
                raise ZMQError(Errno.ENOTSOCK)
            other = found
        super()._shadow(other)
        self._shadow = True
        self._shadow_obj = other
        self._type = other.get(SocketOption.TYPE)

    @classmethod
    def shadow(cls, address: Any) -> Any:
        """Another object for an open socket, which it does not close when it is collected."""
        return cls(shadow=address)

    # Life

    def __del__(self) -> None:
        if self._shadow or self.closed or self._pid != os.getpid():
            return
        if not _exit.exiting:
            warnings.warn(f"Unclosed socket {self!r}", ResourceWarning, stacklevel=2, source=self)
        self.close()

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __copy__(self, memo: Any = None) -> Any:
        return type(self).shadow(self)

    __deepcopy__ = __copy__

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError("a socket cannot be pickled")

    def __repr__(self) -> str:
        name = SocketType(self._type).name if self._type in _TYPES else str(self._type)
        closed = " closed" if self.closed else ""
        return f"<tightbeam.Socket({name}) at {id(self):#x}{closed}>"

    def close(self, linger: int | None = None) -> None:
        """Closes the socket without waiting. It still sends what is queued, for `linger` milliseconds at most."""
        self._close(linger)
        if self._attached is not None:
            self._attached.discard(self)

    @property
    def socket_type(self) -> SocketType:
        return SocketType(self._type)

    @property
    def type(self) -> SocketType:
        return SocketType(self._type)

    # Endpoints

    def bind(self, addr: str) -> _Endpoint:
        """Listens at an endpoint; `with` unbinds it."""
        return _Endpoint(self, "bind", self._bind(addr))

    def connect(self, addr: str) -> _Endpoint:
        """Connects to an endpoint, now and whenever the connection is lost; `with` disconnects it."""
        self._connect(addr)
        return _Endpoint(self, "connect", addr)

    def bind_to_random_port(
        self,
        addr: str,
        min_port: int = _ANY_PORTS[0],
        max_port: int = _ANY_PORTS[1],
        max_tries: int = 100,
    ) -> int:
        """Binds to a free port of an address such as `tcp://*`, and answers the port."""
        if (min_port, max_port) == _ANY_PORTS and addr.startswith("tcp:"):
            bound = self._bind(f"{addr}:*")
            return int(bound.rpartition(":")[2])
        for _ in range(max_tries):
            port = random.randrange(min_port, max_port)
            try:
                self._bind(f"{addr}:{port}")
            except ZMQError as error:
                if error.errno not in (Errno.EADDRINUSE, 13):
                    raise
            else:
                return port
        raise ZMQBindError("Could not bind socket to random port.")

    # Options

    setsockopt = _native.Socket.set
    getsockopt = _native.Socket.get

    def set_string(self, option: int, optval: str, encoding: str = "utf-8") -> None:
        if not isinstance(optval, str):
            raise TypeError(f"strings only, not {type(optval)}: {optval!r}")
        self.set(option, optval.encode(encoding))

    def get_string(self, option: int, encoding: str = "utf-8") -> str:
        value = self.get(option)
        if not isinstance(value, bytes):
            raise TypeError(f"option {option} is not text")
        return value.decode(encoding)

    setsockopt_string = setsockopt_unicode = set_string
    getsockopt_string = getsockopt_unicode = get_string

    def subscribe(self, topic: str | bytes) -> None:
        """Receives what begins with `topic`, too."""
        self.set(SocketOption.SUBSCRIBE, topic.encode() if isinstance(topic, str) else topic)

    def unsubscribe(self, topic: str | bytes) -> None:
        """Takes a subscription back."""
        self.set(SocketOption.UNSUBSCRIBE, topic.encode() if isinstance(topic, str) else topic)

    def set_hwm(self, value: int) -> None:
        """Sets both high-water marks, in messages."""
        self.set(SocketOption.SNDHWM, value)
        self.set(SocketOption.RCVHWM, value)

    def get_hwm(self) -> int:
        return self.get(SocketOption.SNDHWM)

    hwm = property(get_hwm, set_hwm)

    def fileno(self) -> int:
        """The option FD: readable when `EVENTS` may have changed, which is to be read after each send and receive."""
        return self.get(SocketOption.FD)

    def __setattr__(self, key: str, value: Any) -> None:
        if key.lower() in ("subscribe", "unsubscribe"):
            getattr(self, key.lower())(value)
        else:
            super().__setattr__(key, value)

    # What is sent and received in other forms

    def send_string(
        self, u: str, flags: int = 0, copy: bool = True, encoding: str = "utf-8", **kwargs: Any
    ) -> Any:
        if not isinstance(u, str):
            raise TypeError("str objects only")
        return self.send(u.encode(encoding), flags=flags, copy=copy, **kwargs)

    def recv_string(self, flags: int = 0, encoding: str = "utf-8", **kwargs: Any) -> Any:
        received = self.recv(flags=flags, **kwargs)
        return self._deserialize(received, lambda body: body.decode(encoding))

    send_unicode = send_string
    recv_unicode = recv_string

    def send_pyobj(self, obj: Any, flags: int = 0, protocol: int = 4, **kwargs: Any) -> Any:
        return self.send(pickle.dumps(obj, protocol), flags=flags, **kwargs)

    def recv_pyobj(self, flags: int = 0, **kwargs: Any) -> Any:
        """Receives an object that was sent with `send_pyobj`. Whoever can send to this socket can have it run any code."""
        return self._deserialize(self.recv(flags, **kwargs), pickle.loads)

    def send_json(self, obj: Any, flags: int = 0, **kwargs: Any) -> Any:
        send = {key: kwargs.pop(key) for key in _SEND_ARGUMENTS if key in kwargs}
        kwargs.setdefault("separators", (",", ":"))
        return self.send(json.dumps(obj, **kwargs).encode(), flags=flags, **send)

    def recv_json(self, flags: int = 0, **kwargs: Any) -> Any:
        timeout = {"timeout": kwargs.pop("timeout")} if "timeout" in kwargs else {}
        received = self.recv(flags, **timeout)
        return self._deserialize(received, lambda body: json.loads(body, **kwargs))

    def send_serialized(
        self,
        msg: Any,
        serialize: Callable[[Any], Sequence[Any]],
        flags: int = 0,
        copy: bool = True,
        **kwargs: Any,
    ) -> Any:
        return self.send_multipart(serialize(msg), flags=flags, copy=copy, **kwargs)

    def recv_serialized(
        self,
        deserialize: Callable[[list[Any]], Any],
        flags: int = 0,
        copy: bool = True,
        **kwargs: Any,
    ) -> Any:
        return self._deserialize(self.recv_multipart(flags=flags, copy=copy, **kwargs), deserialize)

    def _deserialize(self, received: Any, load: Callable[[Any], Any]) -> Any:
        return load(received)

    def join(self, group: str | bytes) -> None:
        """Groups belong to DISH sockets, of which there are none: RuntimeError, as with pyzmq's wheels."""
        raise RuntimeError("there are no sockets with groups here")

    leave = join

    # Monitors

    def get_monitor_socket(self, events: int | None = None, addr: str | None = None) -> Any:
        """A PAIR socket that receives what happens to the socket's connections: `utils.monitor` reads it."""
        if self._monitor_socket is not None and not self._monitor_socket.closed:
            return self._monitor_socket
        if addr is None:
            addr = f"inproc://monitor.s-{self.underlying}"
        self.monitor(addr, 0xFFFF if events is None else events)
        self._monitor_socket = self.context.socket(SocketType.PAIR)
        self._monitor_socket.connect(addr)
        return self._monitor_socket

    def disable_monitor(self) -> None:
        """Ends what `get_monitor_socket` began."""
        self._monitor_socket = None
        self.monitor(None, 0)

    def poll(self, timeout: int | None = None, flags: int = PollEvent.POLLIN) -> Any:
        """Waits until the socket is ready, at most so many milliseconds. Answers what of `flags` it is ready for."""
        return _native.Socket.poll(self, timeout, flags)


SyncSocket = Socket[bytes]

# Open sockets by the number that `underlying` says, for shadows.
_OPEN: weakref.WeakValueDictionary[int, Socket] = weakref.WeakValueDictionary()
_SEND_ARGUMENTS = ("copy", "track", "routing_id", "group", "timeout")
_TYPES = frozenset(int(kind) for kind in SocketType)
