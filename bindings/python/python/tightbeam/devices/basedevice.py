"""Devices: two sockets, and messages that are passed on between them."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from typing import Any

from .. import _native
from ..constants import DeviceType, Errno, SocketType
from ..context import Context
from ..error import ContextTerminated, ZMQError

__all__ = ["Device", "ProcessDevice", "ThreadDevice"]


class Side:
    """What one socket of a device is told when it is opened."""

    def __init__(self) -> None:
        self.options: list[tuple[int, Any]] = []
        self.binds: list[str] = []
        self.connects: list[str] = []

    def open(self, context: Any, socket_type: int) -> Any:
        """Opens it. Raises what its options and endpoints raise."""
        socket = context.socket(socket_type)
        try:
            for option, value in self.options:
                socket.setsockopt(option, value)
            for address in self.binds:
                socket.bind(address)
            for address in self.connects:
                socket.connect(address)
        except BaseException:
            socket.close(linger=0)
            raise
        return socket


class Device:
    """Passes messages between two sockets, which it opens when it is started, until its context ends.

    The types of the sockets are given here, and their endpoints and options with the methods that have `_in` and `_out` in
    their names; these only note them. An `out_type` below zero makes one socket both. This class runs in the thread that
    starts it; `ThreadDevice` and `ProcessDevice` run in the background.
    """

    # Opens the context of the sockets.
    context_factory: Callable[[], Any] = Context.instance
    # Whether the process may end while the device runs in the background.
    daemon: bool
    device_type: int
    in_type: int
    out_type: int

    def __init__(
        self, device_type: int = DeviceType.QUEUE, in_type: int | None = None, out_type: int | None = None
    ) -> None:
        self.device_type = device_type
        if in_type is None:
            raise TypeError("in_type must be specified")
        if out_type is None:
            raise TypeError("out_type must be specified")
        self.in_type = in_type
        self.out_type = out_type
        self.daemon = True
        self._in = Side()
        self._out = Side()
        self._random_addrs: list[str] = []
        self._context: Any = None
        self._sockets: list[Any] = []
        self._ended: threading.Event | None = threading.Event()

    def __getstate__(self) -> dict[str, Any]:
        """For a process that is spawned: what the device is to do, and nothing of what runs it."""
        return {**self.__dict__, "launcher": None, "_ended": None, "_context": None, "_sockets": []}

    @property
    def done(self) -> bool:
        """Whether the device has run to its end in this process."""
        return self._ended is not None and self._ended.is_set()

    # What is noted

    def bind_in(self, addr: str) -> None:
        """Has the first socket listen at an endpoint."""
        self._in.binds.append(addr)

    def bind_in_to_random_port(self, addr: str, *args: int, **kwargs: int) -> int:
        """Has the first socket listen at a port that is free just now, and answers it; see `Socket.bind_to_random_port`."""
        return self._bind_to_free_port(self._in, addr, *args, **kwargs)

    def connect_in(self, addr: str) -> None:
        """Has the first socket connect to an endpoint."""
        self._in.connects.append(addr)

    def setsockopt_in(self, opt: int, value: Any) -> None:
        """Sets an option of the first socket."""
        self._in.options.append((opt, value))

    def bind_out(self, addr: str) -> None:
        """Has the second socket listen at an endpoint."""
        self._out.binds.append(addr)

    def bind_out_to_random_port(self, addr: str, *args: int, **kwargs: int) -> int:
        """Has the second socket listen at a port that is free just now, and answers it."""
        return self._bind_to_free_port(self._out, addr, *args, **kwargs)

    def connect_out(self, addr: str) -> None:
        """Has the second socket connect to an endpoint."""
        self._out.connects.append(addr)

    def setsockopt_out(self, opt: int, value: Any) -> None:
        """Sets an option of the second socket."""
        self._out.options.append((opt, value))

    def _bind_to_free_port(self, side: Side, addr: str, *args: int, **kwargs: int) -> int:
        # Held until one is found that this device has not been given already.
        held: list[Any] = []
        with Context() as context:
            try:
                while True:
                    held.append(context.socket(SocketType.REQ))
                    port: int = held[-1].bind_to_random_port(addr, *args, **kwargs)
                    found = f"{addr}:{port}"
                    if found not in self._random_addrs:
                        break
            finally:
                for socket in held:
                    socket.close(linger=0)
        self._random_addrs.append(found)
        side.binds.append(found)
        return port

    # Life

    def start(self) -> None:
        """Runs the device, and returns when its context has ended."""
        self.run()

    def join(self, timeout: float | None = None) -> None:
        """Waits until the device has ended, at most so many seconds."""
        if self._ended is not None:
            self._ended.wait(timeout)

    def run(self) -> None:
        """Runs the device in this thread until its context ends or its sockets are closed."""
        if self._ended is None:
            self._ended = threading.Event()
        try:
            self.run_device()
        except ContextTerminated:
            pass
        except ZMQError as error:
            if error.errno != Errno.ENOTSOCK:
                raise
        finally:
            self._close_sockets()
            self._ended.set()

    def run_device(self) -> None:
        """Opens the sockets and passes messages on. To be overridden."""
        _native.proxy(*self._setup_sockets())

    def _setup_sockets(self) -> tuple[Any, ...]:
        self._context = self.context_factory()
        front = self._open(self._in, self.in_type)
        if self.out_type < 0:
            return front, front
        return front, self._open(self._out, self.out_type)

    def _open(self, side: Side, socket_type: int) -> Any:
        socket = side.open(self._context, socket_type)
        self._sockets.append(socket)
        return socket

    def _close_sockets(self) -> None:
        for socket in self._sockets:
            socket.close()
        self._sockets.clear()


class BackgroundDevice(Device):
    """A device that something else runs."""

    launcher: Any = None
    _launch_class: Any = None

    def start(self) -> None:
        """Begins to run in the background. That it could not bind is an exception there."""
        self.launcher = self._launch_class(target=self.run)
        self.launcher.daemon = self.daemon
        self.launcher.start()

    def join(self, timeout: float | None = None) -> None:
        """Waits until the device has ended, at most so many seconds. RuntimeError if it was not started."""
        if self.launcher is None:
            raise RuntimeError("the device was not started")
        self.launcher.join(timeout)


class ThreadDevice(BackgroundDevice):
    """A device in a thread, with the context that the process shares."""

    _launch_class = threading.Thread


class ProcessDevice(BackgroundDevice):
    """A device in a process, with a context of its own. An endpoint of inproc cannot be reached from here."""

    _launch_class = multiprocessing.Process
    context_factory = Context
