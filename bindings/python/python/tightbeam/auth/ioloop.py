"""The old name of `AsyncioAuthenticator` for programs that use tornado, whose loops are those of asyncio."""

from __future__ import annotations

import warnings
from typing import Any

from .asyncio import AsyncioAuthenticator

__all__ = ["IOLoopAuthenticator"]


class IOLoopAuthenticator(AsyncioAuthenticator):
    """`AsyncioAuthenticator` with tornado's loop."""

    def __init__(
        self, context: Any = None, encoding: str = "utf-8", log: Any = None, io_loop: Any = None
    ) -> None:
        warnings.warn("use auth.asyncio.AsyncioAuthenticator", DeprecationWarning, stacklevel=2)
        loop = None if io_loop is None else io_loop.asyncio_loop
        super().__init__(context, loop, encoding, log)
