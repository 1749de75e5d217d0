"""See `tightbeam.context`."""

from ..context import Context, SyncContext

__all__ = ["Context", "SyncContext"]
