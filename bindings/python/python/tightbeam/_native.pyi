"""The native part of `tightbeam`."""

from collections.abc import Iterable
from os import PathLike
from typing import Any, Literal, TypeAlias, final, overload

from typing_extensions import Buffer, Self, disjoint_base

from .message import Frame as _Frame
from .message import MessageTracker

__all__ = [
    "Authenticator",
    "Context",
    "Done",
    "Frame",
    "Socket",
    "__version__",
    "certificate_create",
    "certificate_read",
    "curve_keypair",
    "curve_public",
    "option_table",
    "proxy",
    "proxy_steerable",
    "stop_returns",
    "strerror",
    "z85_decode",
    "z85_encode",
    "zmq_poll",
]

__version__: str

# Where a property has the name of the type.
_Bytes: TypeAlias = bytes
_Part: TypeAlias = Buffer | Frame

@final
class Authenticator:
    def __new__(cls) -> Authenticator: ...
    def allow(self, addresses: str) -> None: ...
    def deny(self, addresses: str) -> None: ...
    def forget_address(self, addresses: str) -> bool: ...
    def null(self, domain: str) -> None: ...
    def plain(self, domain: str, username: str, password: str) -> None: ...
    def forget_user(self, domain: str, username: str) -> bool: ...
    def curve_any(self, domain: str) -> None: ...
    def curve_key(self, domain: str, public_key: str | bytes) -> None: ...
    def forget_key(self, domain: str, public_key: str | bytes) -> bool: ...
    def curve_folder(self, domain: str, path: str | PathLike[str]) -> None: ...
    def forget_domain(self, domain: str) -> bool: ...

@disjoint_base
class Context:
    def __new__(cls, *_args: Any, **_kwargs: Any) -> Self: ...
    def _open(self, io_threads: int, shadow: Context | None) -> None: ...
    def _term(self) -> None: ...
    @property
    def closed(self) -> bool: ...
    def get(self, option: int) -> int | str: ...
    def set(self, option: int, optval: int | str) -> None: ...
    def set_authenticator(self, authenticator: Authenticator | None) -> None: ...
    def shutdown(self) -> None: ...

@disjoint_base
class Socket:
    def __new__(cls, *_args: Any, **_kwargs: Any) -> Self: ...
    def _open(self, context: Context, socket_type: int) -> None: ...
    def _open_shadow(self, other: Socket) -> None: ...
    def _close(self, linger: int | None = None) -> None: ...
    def _bind(self, address: str | bytes) -> str: ...
    def _connect(self, address: str | bytes) -> None: ...
    @property
    def context(self) -> Any: ...
    @property
    def closed(self) -> bool: ...
    @property
    def underlying(self) -> int: ...
    @property
    def copy_threshold(self) -> int: ...
    @copy_threshold.setter
    def copy_threshold(self, bytes: int) -> None: ...
    def unbind(self, addr: str | bytes) -> None: ...
    def disconnect(self, addr: str | bytes) -> None: ...
    def get(self, option: int) -> int | bytes: ...
    def set(self, option: int, optval: int | Buffer) -> None: ...
    def readable_fd(self) -> int: ...
    def monitor(self, addr: str | bytes | None, events: int = 65535) -> None: ...
    def poll(self, timeout: float | None = None, flags: int = 1) -> int: ...
    @overload
    def send(
        self,
        data: _Part,
        flags: int = 0,
        copy: Literal[True] = True,
        track: bool = False,
        routing_id: int | None = None,
        group: str | None = None,
        *,
        timeout: float | None = None,
    ) -> None: ...
    @overload
    def send(
        self,
        data: _Part,
        flags: int = 0,
        *,
        copy: Literal[False],
        track: bool = False,
        routing_id: int | None = None,
        group: str | None = None,
        timeout: float | None = None,
    ) -> MessageTracker: ...
    @overload
    def send(
        self,
        data: _Part,
        flags: int = 0,
        copy: bool = True,
        track: bool = False,
        routing_id: int | None = None,
        group: str | None = None,
        *,
        timeout: float | None = None,
    ) -> MessageTracker | None: ...
    @overload
    def send_multipart(
        self,
        msg_parts: Iterable[_Part],
        flags: int = 0,
        copy: Literal[True] = True,
        track: bool = False,
        *,
        routing_id: int | None = None,
        group: str | None = None,
        timeout: float | None = None,
    ) -> None: ...
    @overload
    def send_multipart(
        self,
        msg_parts: Iterable[_Part],
        flags: int = 0,
        *,
        copy: Literal[False],
        track: bool = False,
        routing_id: int | None = None,
        group: str | None = None,
        timeout: float | None = None,
    ) -> MessageTracker: ...
    @overload
    def send_multipart(
        self,
        msg_parts: Iterable[_Part],
        flags: int = 0,
        copy: bool = True,
        track: bool = False,
        *,
        routing_id: int | None = None,
        group: str | None = None,
        timeout: float | None = None,
    ) -> MessageTracker | None: ...
    @overload
    def recv(
        self,
        flags: int = 0,
        copy: Literal[True] = True,
        track: bool = False,
        *,
        timeout: float | None = None,
    ) -> bytes: ...
    @overload
    def recv(
        self,
        flags: int = 0,
        *,
        copy: Literal[False],
        track: bool = False,
        timeout: float | None = None,
    ) -> _Frame: ...
    @overload
    def recv(
        self, flags: int = 0, copy: bool = True, track: bool = False, *, timeout: float | None = None
    ) -> bytes | _Frame: ...
    @overload
    def recv_multipart(
        self,
        flags: int = 0,
        copy: Literal[True] = True,
        track: bool = False,
        *,
        timeout: float | None = None,
    ) -> list[bytes]: ...
    @overload
    def recv_multipart(
        self,
        flags: int = 0,
        *,
        copy: Literal[False],
        track: bool = False,
        timeout: float | None = None,
    ) -> list[_Frame]: ...
    @overload
    def recv_multipart(
        self, flags: int = 0, copy: bool = True, track: bool = False, *, timeout: float | None = None
    ) -> list[bytes] | list[_Frame]: ...
    def recv_into(
        self, buffer: Buffer, /, *, nbytes: int = 0, flags: int = 0, timeout: float | None = None
    ) -> int: ...
    def stats(self) -> dict[str, Any]: ...

@disjoint_base
class Frame:
    def __new__(
        cls,
        data: Buffer | None = None,
        track: bool = False,
        copy: bool | None = None,
        copy_threshold: int | None = None,
    ) -> Self: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...
    def __bytes__(self) -> _Bytes: ...
    def __len__(self) -> int: ...
    @property
    def _done(self) -> Done | None: ...
    @property
    def bytes(self) -> _Bytes: ...
    @property
    def more(self) -> bool: ...
    def get(self, option: int | str | _Bytes) -> int | str: ...
    def fast_copy(self) -> Self: ...

@final
class Done:
    def is_set(self) -> bool: ...
    def wait(self, timeout: float | None = None) -> bool: ...

def zmq_poll(
    sockets: Iterable[tuple[Any, int]], timeout: float | None = -1
) -> list[tuple[Any, int]]: ...
def proxy(frontend: Socket, backend: Socket, capture: Socket | None = None) -> None: ...
def proxy_steerable(
    frontend: Socket, backend: Socket, capture: Socket | None = None, control: Socket | None = None
) -> None: ...
def curve_keypair() -> tuple[bytes, bytes]: ...
def curve_public(secret_key: str | Buffer) -> bytes: ...
def z85_encode(rawbytes: Buffer) -> bytes: ...
def z85_decode(z85bytes: str | Buffer) -> bytes: ...
def certificate_read(path: str | PathLike[str]) -> tuple[bytes, bytes | None, dict[str, str]]: ...
def certificate_create(path: str | PathLike[str], metadata: dict[str, str]) -> None: ...
def strerror(errno: int) -> str: ...
def stop_returns() -> None: ...
def option_table() -> list[tuple[str, int, str, bool, bool]]: ...
