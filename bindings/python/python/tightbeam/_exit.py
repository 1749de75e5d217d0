"""What is known about the end of the process."""

from __future__ import annotations

import atexit

from . import _native

exiting = False


def _begin() -> None:
    global exiting
    exiting = True
    _native.stop_returns()


atexit.register(_begin)
