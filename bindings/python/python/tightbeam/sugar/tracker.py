"""See `tightbeam.message`."""

from ..message import MessageTracker

__all__ = ["MessageTracker"]
