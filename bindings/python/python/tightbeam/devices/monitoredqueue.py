"""The function `monitored_queue`."""

from __future__ import annotations

from .._monitored import monitored_queue

__all__ = ["monitored_queue"]
