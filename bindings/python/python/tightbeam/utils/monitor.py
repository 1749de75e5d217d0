"""Reading what `Socket.get_monitor_socket` receives."""

from __future__ import annotations

import inspect
import struct
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, TypedDict, overload

from ..constants import Event

if TYPE_CHECKING:
    from ..asyncio import Socket as _AsyncSocket
    from ..socket import Socket as _Socket

__all__ = ["parse_monitor_message", "recv_monitor_message"]

_EVENT = struct.Struct("=HI")


class _MonitorMessage(TypedDict):
    """An event of `Event`, its value (a descriptor, an errno, an interval in ms ...) and the endpoint."""

    event: Event
    value: int
    endpoint: bytes


def parse_monitor_message(msg: list[bytes]) -> _MonitorMessage:
    """An event, its value and the endpoint, from the frames of a monitor's message.

    Raises RuntimeError if they are none.
    """
    if len(msg) != 2 or len(msg[0]) != _EVENT.size:
        raise RuntimeError(f"Invalid event message format: {msg}")
    event, value = _EVENT.unpack(msg[0])
    return {"event": Event(event), "value": value, "endpoint": msg[1]}


@overload
def recv_monitor_message(socket: _AsyncSocket, flags: int = 0) -> Awaitable[_MonitorMessage]: ...


@overload
def recv_monitor_message(socket: _Socket[bytes], flags: int = 0) -> _MonitorMessage: ...


def recv_monitor_message(socket: Any, flags: int = 0) -> Any:
    """Receives an event; of an asyncio socket it can be awaited.

    Waits and raises as `recv_multipart` does, and RuntimeError for what is no event.
    """
    received = socket.recv_multipart(flags)
    if inspect.isawaitable(received):
        return _parse_later(received)
    return parse_monitor_message(received)


async def _parse_later(received: Awaitable[list[bytes]]) -> _MonitorMessage:
    return parse_monitor_message(await received)
