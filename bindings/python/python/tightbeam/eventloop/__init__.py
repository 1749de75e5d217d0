"""Sockets in tornado's loop: `zmqstream`."""

from __future__ import annotations

import importlib
from typing import Any

from . import zmqstream

__all__ = ["IOLoop", "zmqstream"]


def __getattr__(name: str) -> Any:
    if name == "IOLoop":
        return importlib.import_module("tornado.ioloop").IOLoop
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
