"""Passing messages between two sockets, told to a third: for `devices`, and for pyzmq's."""

from __future__ import annotations

from typing import Any

from . import _native
from .constants import PollEvent, SocketOption, SocketType


class _Way:
    """One of the two directions."""

    def __init__(self, source: Any, sink: Any, prefix: bytes, swap: bool) -> None:
        self.source = source
        self.sink = sink
        self.prefix = prefix
        self.swap = swap
        # Whether the source has a message that the sink has no room for yet.
        self.has_message = False

    def awaited(self) -> tuple[Any, int]:
        if self.has_message:
            return self.sink, PollEvent.POLLOUT
        return self.source, PollEvent.POLLIN

    def proceed(self, ready: dict[int, int], monitor: Any) -> None:
        socket, event = self.awaited()
        if not ready.get(id(socket), 0) & event:
            return
        # A REP that is both sides has room only when it has taken a request.
        goes_on = self.has_message or self.source is self.sink
        self.has_message = not goes_on
        if goes_on:
            self._pass_on(monitor)

    def _pass_on(self, monitor: Any) -> None:
        parts = _native.Socket.recv_multipart(self.source)
        if self.swap and len(parts) > 1:
            parts[0], parts[1] = parts[1], parts[0]
        _native.Socket.send_multipart(self.sink, parts)
        _native.Socket.send_multipart(monitor, [self.prefix, *parts])


def monitored_queue(
    in_socket: Any,
    out_socket: Any,
    mon_socket: Any,
    in_prefix: bytes = b"in",
    out_prefix: bytes = b"out",
) -> None:
    """Passes messages between two sockets, and each with a prefix to a third, until the context ends (ContextTerminated).

    Between two ROUTERs the first two parts change places: a sender puts the name of the receiver first, and the receiver gets
    the name of the sender.
    """
    for name, prefix in (("in_prefix", in_prefix), ("out_prefix", out_prefix)):
        if not isinstance(prefix, bytes):
            raise TypeError(f"{name} is bytes, not {type(prefix).__name__}")
    swap = all(socket.get(SocketOption.TYPE) == SocketType.ROUTER for socket in (in_socket, out_socket))
    ways = [_Way(in_socket, out_socket, in_prefix, swap)]
    if in_socket is not out_socket:
        ways.append(_Way(out_socket, in_socket, out_prefix, swap))
    while True:
        ready: dict[int, int] = {}
        for socket, events in _native.zmq_poll([way.awaited() for way in ways], -1):
            ready[id(socket)] = ready.get(id(socket), 0) | events
        for way in ways:
            way.proceed(ready, mon_socket)
