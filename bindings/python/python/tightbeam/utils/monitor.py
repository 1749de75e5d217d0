"""Reading what `Socket.get_monitor_socket` receives."""

from __future__ import annotations

import inspect
import struct
from typing import Any

from ..constants import Event

__all__ = ["parse_monitor_message", "recv_monitor_message"]

_EVENT = struct.Struct("=HI")


def parse_monitor_message(msg: list[bytes]) -> dict[str, Any]:
    """An event, its value and the endpoint, from the frames of a monitor's message."""
    if len(msg) != 2 or len(msg[0]) != _EVENT.size:
        raise RuntimeError(f"Invalid event message format: {msg}")
    event, value = _EVENT.unpack(msg[0])
    return {"event": Event(event), "value": value, "endpoint": msg[1]}


def recv_monitor_message(socket: Any, flags: int = 0) -> Any:
    """Receives an event; of an asyncio socket it can be awaited."""
    received = socket.recv_multipart(flags)
    if inspect.isawaitable(received):
        return _parse_later(received)
    return parse_monitor_message(received)


async def _parse_later(received: Any) -> dict[str, Any]:
    return parse_monitor_message(await received)
