"""Sockets."""

from __future__ import annotations

import json
import os
import pickle
import random
import warnings
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from . import _exit, _native, message
from ._attributes import Attributes
from .constants import Errno, PollEvent, SocketOption, SocketType
from .error import ZMQBindError, ZMQError

__all__ = ["Socket", "SyncSocket"]

# What a socket receives, for those who write it down: `Socket[bytes]`.
if TYPE_CHECKING:
    from typing_extensions import TypeVar as _TypeVar

    Received = _TypeVar("Received", default=Any, covariant=True)
else:
    Received = TypeVar("Received", covariant=True)

_Entered = TypeVar("_Entered")
_Loaded = TypeVar("_Loaded")

# Asked for these, any free port will do.
_ANY_PORTS = (49152, 65536)


class _Endpoint(Generic[_Entered]):
    """What bind and connect answer: ends what they began when a `with` block ends."""

    def __init__(self, socket: _Entered, kind: str, address: str | bytes) -> None:
        self.socket = socket
        self.kind = kind
        self.addr = address

    def __enter__(self) -> _Entered:
        return self.socket

    def __exit__(self, *_: object) -> None:
        socket: Any = self.socket
        if socket.closed:
            return
        if self.kind == "bind":
            socket.unbind(self.addr)
        else:
            socket.disconnect(self.addr)

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
    _monitor_socket: Socket[bytes] | None = None
    _attached: Any = None

    def __init__(
        self,
        ctx_or_socket: Any = None,
        socket_type: int = 0,
        *,
        shadow: Any = 0,
        copy_threshold: int | None = None,
    ) -> None:
        """Opens a socket of a type in a context, or shares an open one: `shadow` is it, or its `underlying`.

        `copy_threshold` is in bytes: smaller messages are copied even with `copy=False`.
        Raises ZMQError: EINVAL for a type that there is not, EMFILE when the context has MAX_SOCKETS of them.
        """
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
        self._open_shadow(other)
        self._shadow = True
        self._shadow_obj = other
        self._type = other.get(SocketOption.TYPE)

    @classmethod
    def shadow(cls, address: Any) -> Self:
        """Another object for an open socket, which it does not close when it is collected.

        `address` is the socket or its `underlying`. Raises ZMQError with ENOTSOCK if there is none.
        """
        return cls(shadow=address)

    # Life

    def __del__(self) -> None:
        if self._shadow or self.closed or self._pid != os.getpid():
            return
        if not _exit.exiting:
            warnings.warn(f"Unclosed socket {self!r}", ResourceWarning, stacklevel=2, source=self)
        self.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __copy__(self, memo: Any = None) -> Self:
        return type(self).shadow(self)

    __deepcopy__ = __copy__

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise TypeError("a socket cannot be pickled")

    def __repr__(self) -> str:
        name = SocketType(self._type).name if self._type in _TYPES else str(self._type)
        closed = " closed" if self.closed else ""
        return f"<tightbeam.Socket({name}) at {id(self):#x}{closed}>"

    def close(self, linger: int | None = None) -> None:
        """Closes the socket without waiting. Closing it again does nothing; waits of other threads in it end.

        What is queued is still sent, for `linger` milliseconds at most (-1 is for ever), or as the option LINGER says;
        `Context.term` waits for that.
        """
        self._close(linger)
        if self._attached is not None:
            self._attached.pop(id(self), None)

    @property
    def socket_type(self) -> SocketType:
        """The same as `type`."""
        return SocketType(self._type)

    @property
    def type(self) -> SocketType:
        """The socket's type, also when it is closed."""
        return SocketType(self._type)

    # Endpoints

    def bind(self, addr: str | bytes) -> _Endpoint[Self]:
        """Listens at an endpoint such as `tcp://127.0.0.1:5555`, `ipc:///tmp/a` or `inproc://a`; `with` unbinds it.

        A port `*` is any free one: `LAST_ENDPOINT` tells which. Raises ZMQError, with the endpoint in its text:
        EADDRINUSE, EADDRNOTAVAIL, EACCES, EINVAL for what is no endpoint, EPROTONOSUPPORT, ENOTSOCK, ETERM.
        """
        return _Endpoint(self, "bind", self._bind(addr))

    def connect(self, addr: str | bytes) -> _Endpoint[Self]:
        """Connects to an endpoint, now and whenever the connection is lost; `with` disconnects it.

        Does not wait: nobody need be there yet. Raises ZMQError, with the endpoint in its text: EINVAL for what is no
        endpoint, EPROTONOSUPPORT, ENOCOMPATPROTO, ENOTSOCK, ETERM.
        """
        self._connect(addr)
        return _Endpoint(self, "connect", addr)

    def bind_to_random_port(
        self,
        addr: str,
        min_port: int = _ANY_PORTS[0],
        max_port: int = _ANY_PORTS[1],
        max_tries: int = 100,
    ) -> int:
        """Binds to a free port of an address such as `tcp://*`, and answers the port.

        `max_port` is not among the ports tried. Raises ZMQBindError after `max_tries` ports that are in use, ZMQError
        for other reasons as `bind` does.
        """
        if (min_port, max_port) == _ANY_PORTS and f"{addr}".startswith("tcp:"):
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
        """Sets an option to text. Raises TypeError if it is no `str`, and as `set` does."""
        if not isinstance(optval, str):
            raise TypeError(f"strings only, not {type(optval)}: {optval!r}")
        self.set(option, optval.encode(encoding))

    def get_string(self, option: int, encoding: str = "utf-8") -> str:
        """Reads an option as text. Raises TypeError if it is a number, and as `get` does."""
        value = self.get(option)
        if not isinstance(value, bytes):
            raise TypeError(f"option {option} is not text")
        return value.decode(encoding)

    setsockopt_string = setsockopt_unicode = set_string
    getsockopt_string = getsockopt_unicode = get_string

    def subscribe(self, topic: str | bytes) -> None:
        """Receives what begins with `topic`, too; SUB sockets receive nothing else.

        Raises ZMQError with EINVAL for sockets of other types.
        """
        self.set(SocketOption.SUBSCRIBE, topic.encode() if isinstance(topic, str) else topic)

    def unsubscribe(self, topic: str | bytes) -> None:
        """Takes a subscription back. Raises ZMQError with EINVAL for sockets that are not SUB."""
        self.set(SocketOption.UNSUBSCRIBE, topic.encode() if isinstance(topic, str) else topic)

    def set_hwm(self, value: int) -> None:
        """Sets SNDHWM and RCVHWM, in messages for each peer; 0 is no limit. Holds for later binds and connects."""
        self.set(SocketOption.SNDHWM, value)
        self.set(SocketOption.RCVHWM, value)

    def get_hwm(self) -> int:
        """The high-water mark of sending, in messages for each peer."""
        return int(self.get(SocketOption.SNDHWM))

    @property
    def hwm(self) -> int:
        """Both high-water marks, in messages for each peer; reads that of sending."""
        return self.get_hwm()

    @hwm.setter
    def hwm(self, value: int) -> None:
        self.set_hwm(value)

    def fileno(self) -> int:
        """The option FD: readable when `EVENTS` may have changed, which is to be read after each send and receive."""
        return int(self.get(SocketOption.FD))

    def __setattr__(self, key: str, value: Any) -> None:
        if key.lower() in ("subscribe", "unsubscribe"):
            getattr(self, key.lower())(value)
        else:
            super().__setattr__(key, value)

    # What is sent and received in other forms

    def send_string(
        self, u: str, flags: int = 0, copy: bool = True, encoding: str = "utf-8", **kwargs: Any
    ) -> message.MessageTracker | None:
        """Sends text, encoded. Raises TypeError for anything else, and as `send` does, which gets the arguments."""
        if not isinstance(u, str):
            raise TypeError("str objects only")
        sent: message.MessageTracker | None = self.send(u.encode(encoding), flags=flags, copy=copy, **kwargs)
        return sent

    def recv_string(self, flags: int = 0, encoding: str = "utf-8", **kwargs: Any) -> str:
        """Receives one part as text. Raises UnicodeDecodeError, and as `recv` does, which gets the arguments."""
        received = self.recv(flags=flags, **kwargs)
        loaded: str = self._deserialize(received, lambda body: body.decode(encoding))
        return loaded

    send_unicode = send_string
    recv_unicode = recv_string

    def send_pyobj(
        self, obj: Any, flags: int = 0, protocol: int = 4, **kwargs: Any
    ) -> message.MessageTracker | None:
        """Sends an object as pickle makes it, with this version of its protocol. Raises as pickle and `send` do."""
        sent: message.MessageTracker | None = self.send(pickle.dumps(obj, protocol), flags=flags, **kwargs)
        return sent

    def recv_pyobj(self, flags: int = 0, **kwargs: Any) -> Any:
        """Receives an object that was sent with `send_pyobj`. Raises as pickle and `recv` do.

        Whoever can send to this socket can have it run any code.
        """
        return self._deserialize(self.recv(flags, **kwargs), pickle.loads)

    def send_json(self, obj: Any, flags: int = 0, **kwargs: Any) -> message.MessageTracker | None:
        """Sends an object as JSON in UTF-8. Raises as `json.dumps`, which gets the other arguments, and `send` do."""
        send: dict[str, Any] = {key: kwargs.pop(key) for key in _SEND_ARGUMENTS if key in kwargs}
        kwargs.setdefault("separators", (",", ":"))
        sent: message.MessageTracker | None = self.send(json.dumps(obj, **kwargs).encode(), flags=flags, **send)
        return sent

    def recv_json(self, flags: int = 0, **kwargs: Any) -> Any:
        """Receives an object as JSON. Raises as `json.loads`, which gets the other arguments, and `recv` do."""
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
    ) -> message.MessageTracker | None:
        """Sends what `serialize` makes of an object: the parts of a message. Raises as it and `send_multipart` do."""
        return self.send_multipart(serialize(msg), flags=flags, copy=copy, **kwargs)

    def recv_serialized(
        self,
        deserialize: Callable[[list[Any]], _Loaded],
        flags: int = 0,
        copy: bool = True,
        **kwargs: Any,
    ) -> _Loaded:
        """Receives a message, and answers what `deserialize` makes of its parts. Raises as it and `recv_multipart` do."""
        received = self.recv_multipart(flags=flags, copy=copy, **kwargs)
        loaded: _Loaded = self._deserialize(received, deserialize)
        return loaded

    def _deserialize(self, received: Any, load: Callable[[Any], Any]) -> Any:
        return load(received)

    def join(self, group: str | bytes) -> None:
        """Groups belong to DISH sockets, of which there are none: RuntimeError, as with pyzmq's wheels."""
        raise RuntimeError("there are no sockets with groups here")

    leave = join

    # Monitors

    def get_monitor_socket(self, events: int | None = None, addr: str | None = None) -> Socket[bytes]:
        """A PAIR socket that receives what happens to the socket's connections: `utils.monitor` reads it.

        `events` are those of `Event`, all if it is None; `addr` is the inproc endpoint between the two. Asked again it
        answers the same socket. It is for the caller to close, after `disable_monitor`.
        """
        if self._monitor_socket is not None and not self._monitor_socket.closed:
            return self._monitor_socket
        if addr is None:
            addr = f"inproc://monitor.s-{self.underlying}"
        self.monitor(addr, 0xFFFF if events is None else events)
        monitor: Socket[bytes] = self.context.socket(SocketType.PAIR)
        monitor.connect(addr)
        self._monitor_socket = monitor
        return monitor

    def disable_monitor(self) -> None:
        """Ends what `get_monitor_socket` began."""
        self._monitor_socket = None
        self.monitor(None, 0)

    def poll(self, timeout: float | None = None, flags: int = PollEvent.POLLIN) -> int:
        """Waits until the socket is ready, at most so many milliseconds (None or negative: for ever).

        Answers what of `flags` (of `PollEvent`) it is ready for, 0 when the time is over. Other threads run meanwhile,
        and signals are handled. Raises ZMQError: ENOTSUP if the socket is closed, ETERM.
        """
        return _native.Socket.poll(self, timeout, flags)


SyncSocket = Socket[bytes]

# Open sockets by the number that `underlying` says, for shadows.
_OPEN: weakref.WeakValueDictionary[int, Socket] = weakref.WeakValueDictionary()
_SEND_ARGUMENTS = ("copy", "track", "routing_id", "group", "timeout")
_TYPES = frozenset(int(kind) for kind in SocketType)
