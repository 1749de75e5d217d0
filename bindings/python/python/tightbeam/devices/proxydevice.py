"""Devices that send what they pass on to a third socket, too."""

from __future__ import annotations

from typing import Any

from ..constants import DeviceType, SocketType
from .basedevice import Device, ProcessDevice, Side, ThreadDevice

__all__ = ["ProcessProxy", "Proxy", "ThreadProxy"]


class ProxyBase(Device):
    """What proxies have beside other devices: a socket that gets a copy of each message, and methods with `_mon`."""

    mon_type: int

    def __init__(self, in_type: int, out_type: int, mon_type: int = SocketType.PUB) -> None:
        super().__init__(DeviceType.QUEUE, in_type, out_type)
        self.mon_type = mon_type
        self._mon = Side()

    def bind_mon(self, addr: str) -> None:
        """Has the third socket listen at an endpoint."""
        self._mon.binds.append(addr)

    def bind_mon_to_random_port(self, addr: str, *args: int, **kwargs: int) -> int:
        """Has the third socket listen at a port that is free just now, and answers it."""
        return self._bind_to_free_port(self._mon, addr, *args, **kwargs)

    def connect_mon(self, addr: str) -> None:
        """Has the third socket connect to an endpoint."""
        self._mon.connects.append(addr)

    def setsockopt_mon(self, opt: int, value: Any) -> None:
        """Sets an option of the third socket."""
        self._mon.options.append((opt, value))

    def _setup_sockets(self) -> tuple[Any, ...]:
        return (*super()._setup_sockets(), self._open(self._mon, self.mon_type))


class Proxy(ProxyBase, Device):
    """A proxy in the thread that starts it."""


class ThreadProxy(ProxyBase, ThreadDevice):
    """A proxy in a thread."""


class ProcessProxy(ProxyBase, ProcessDevice):
    """A proxy in a process."""
