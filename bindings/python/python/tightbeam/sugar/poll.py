"""See `tightbeam.poll`."""

from ..poll import Poller, select

__all__ = ["Poller", "select"]
