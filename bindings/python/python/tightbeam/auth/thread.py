"""An authenticator in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import Any

from .base import Authenticator

__all__ = ["ThreadAuthenticator"]


class ThreadAuthenticator(Authenticator):
    """Answers in a thread, which sleeps while nobody asks, and does not keep the process from ending.

    Callbacks are called in that thread. It goes on until `stop` is called or the context ends, also when nobody refers to
    the authenticator any more.
    """

    thread: threading.Thread | None

    def __init__(self, context: Any = None, encoding: str = "utf-8", log: Any = None) -> None:
        super().__init__(context, encoding, log)
        self.thread = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to answer. Raises EADDRINUSE if the context has a handler already."""
        super().start()
        self._loop = asyncio.new_event_loop()
        self._task = self._loop.create_task(self._serve(self._awaitable()))
        self.thread = threading.Thread(target=_run, args=(self._loop, self._task), name="zap", daemon=True)
        self.thread.start()

    def stop(self) -> None:
        """Ends the thread, and waits for it. From then on the context has no handler."""
        if self.thread is not None and self.is_alive():
            assert self._loop is not None and self._task is not None
            # The loop may just have ended by itself.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._task.cancel)
            if self.thread is not threading.current_thread():
                self.thread.join()
        self.thread = self._loop = self._task = None
        super().stop()

    def is_alive(self) -> bool:
        """Whether the thread is running."""
        return self.thread is not None and self.thread.is_alive()


def _run(loop: asyncio.AbstractEventLoop, task: asyncio.Task[None]) -> None:
    try:
        loop.run_until_complete(task)
    except asyncio.CancelledError:
        pass
    finally:
        loop.close()
