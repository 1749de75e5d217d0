"""Proxies that obey a fourth socket."""

from __future__ import annotations

from typing import Any

from .. import _native
from ..constants import SocketType
from .basedevice import Side
from .proxydevice import ProcessProxy, Proxy, ProxyBase, ThreadProxy

__all__ = ["ProcessProxySteerable", "ProxySteerable", "ThreadProxySteerable"]


class ProxySteerableBase(ProxyBase):
    """What steerable proxies have beside others: a socket that receives PAUSE, RESUME, TERMINATE and STATISTICS.

    Its methods have `_ctrl`. Without a type for it this is a proxy like others.
    """

    ctrl_type: int | None

    def __init__(
        self, in_type: int, out_type: int, mon_type: int = SocketType.PUB, ctrl_type: int | None = None
    ) -> None:
        super().__init__(in_type, out_type, mon_type)
        self.ctrl_type = ctrl_type
        self._ctrl = Side()

    def bind_ctrl(self, addr: str) -> None:
        """Has the fourth socket listen at an endpoint."""
        self._ctrl.binds.append(addr)

    def bind_ctrl_to_random_port(self, addr: str, *args: int, **kwargs: int) -> int:
        """Has the fourth socket listen at a port that is free just now, and answers it."""
        return self._bind_to_free_port(self._ctrl, addr, *args, **kwargs)

    def connect_ctrl(self, addr: str) -> None:
        """Has the fourth socket connect to an endpoint."""
        self._ctrl.connects.append(addr)

    def setsockopt_ctrl(self, opt: int, value: Any) -> None:
        """Sets an option of the fourth socket."""
        self._ctrl.options.append((opt, value))

    def _setup_sockets(self) -> tuple[Any, ...]:
        sockets = super()._setup_sockets()
        if self.ctrl_type is None:
            return sockets
        return (*sockets, self._open(self._ctrl, self.ctrl_type))

    def run_device(self) -> None:
        """Opens the sockets and passes messages on until TERMINATE or the end of the context."""
        _native.proxy_steerable(*self._setup_sockets())


class ProxySteerable(ProxySteerableBase, Proxy):
    """A steerable proxy in the thread that starts it."""


class ThreadProxySteerable(ProxySteerableBase, ThreadProxy):
    """A steerable proxy in a thread."""


class ProcessProxySteerable(ProxySteerableBase, ProcessProxy):
    """A steerable proxy in a process."""
