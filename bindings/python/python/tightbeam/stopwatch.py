"""A stopwatch."""

from __future__ import annotations

from time import perf_counter_ns

__all__ = ["Stopwatch"]


class Stopwatch:
    """Measures a time in microseconds."""

    _start_ns: int | None = None

    def start(self) -> None:
        """Begins to measure, again if it has begun before."""
        self._start_ns = perf_counter_ns()

    def stop(self) -> int:
        """The time since `start`, in microseconds; 0 if it never began."""
        began, self._start_ns = self._start_ns, None
        return 0 if began is None else (perf_counter_ns() - began) // 1000
