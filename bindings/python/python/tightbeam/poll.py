"""Waiting for several sockets and descriptors."""

from __future__ import annotations

from typing import Any

from ._native import zmq_poll
from .constants import PollEvent

__all__ = ["Poller", "select", "zmq_poll"]


class Poller:
    """A set of sockets, descriptors and objects with `fileno()`, and the events that are wanted of each."""

    def __init__(self) -> None:
        self.sockets: list[tuple[Any, int]] = []
        self._places: dict[Any, int] = {}

    def __contains__(self, socket: Any) -> bool:
        return socket in self._places

    def register(self, socket: Any, flags: int = PollEvent.POLLIN | PollEvent.POLLOUT) -> None:
        """Adds a socket, or changes the events wanted of it; with no events it is removed."""
        if not flags:
            if socket in self._places:
                self.unregister(socket)
            return
        if socket in self._places:
            self.sockets[self._places[socket]] = (socket, flags)
            return
        self._places[socket] = len(self.sockets)
        self.sockets.append((socket, flags))

    def modify(self, socket: Any, flags: int = PollEvent.POLLIN | PollEvent.POLLOUT) -> None:
        """Changes the events wanted of a socket."""
        self.register(socket, flags)

    def unregister(self, socket: Any) -> None:
        """Removes a socket. Raises KeyError if it is not there."""
        place = self._places.pop(socket)
        self.sockets.pop(place)
        for moved, _ in self.sockets[place:]:
            self._places[moved] -= 1

    def poll(self, timeout: int | None = None) -> list[tuple[Any, int]]:
        """Waits until there is an event, at most so many milliseconds (None or negative: for ever).

        Answers pairs of a socket, or a descriptor, and events.
        """
        return zmq_poll(self.sockets, timeout)


def select(
    rlist: list[Any], wlist: list[Any], xlist: list[Any], timeout: float | None = None
) -> tuple[list[Any], list[Any], list[Any]]:
    """As `select.select`, for sockets too; `timeout` in seconds."""
    flags: dict[Any, int] = {}
    for event, wanted in ((PollEvent.POLLIN, rlist), (PollEvent.POLLOUT, wlist), (PollEvent.POLLERR, xlist)):
        for socket in wanted:
            flags[socket] = flags.get(socket, 0) | event
    ms = None if timeout is None or timeout < 0 else timeout * 1000.0
    ready = zmq_poll(list(flags.items()), ms)
    lists = tuple(
        [socket for socket, found in ready if found & event]
        for event in (PollEvent.POLLIN, PollEvent.POLLOUT, PollEvent.POLLERR)
    )
    return lists  # type: ignore[return-value]
