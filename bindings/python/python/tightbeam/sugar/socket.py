"""See `tightbeam.socket`."""

from ..socket import Socket, SyncSocket

__all__ = ["Socket", "SyncSocket"]
