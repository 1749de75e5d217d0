"""See `tightbeam.message`."""

from ..message import Frame, Message

__all__ = ["Frame", "Message"]
