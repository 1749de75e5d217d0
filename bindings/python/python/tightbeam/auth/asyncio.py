"""An authenticator in an asyncio loop."""

from __future__ import annotations

import asyncio
from typing import Any

from ..asyncio import Socket
from .base import Authenticator

__all__ = ["AsyncioAuthenticator"]


class AsyncioAuthenticator(Authenticator):
    """Answers in an asyncio loop: the one that runs or is set when it is started, or `loop`.

    The context may be one of `tightbeam.asyncio` or any other. When the loop ends before `stop` is called, nobody is let in
    any more.
    """

    def __init__(self, context: Any = None, loop: Any = None, encoding: str = "utf-8", log: Any = None) -> None:
        super().__init__(context, encoding, log)
        self._loop = loop
        self._socket: Socket | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to answer. Raises EADDRINUSE if the context has a handler already."""
        loop = asyncio.get_event_loop() if self._loop is None else self._loop
        super().start()
        self._socket = self._awaitable()
        self._task = loop.create_task(self._serve(self._socket))

    def stop(self) -> None:
        """Ends it. From now on the context has no handler."""
        if self._task is not None and self._socket is not None:
            self._task.cancel()
            self._socket.close()
        self._task = self._socket = None
        super().stop()
