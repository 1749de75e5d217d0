"""See `tightbeam.stopwatch`."""

from ..stopwatch import Stopwatch

__all__ = ["Stopwatch"]
