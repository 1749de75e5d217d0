"""A handler of ZAP that is driven by whoever owns it."""

from __future__ import annotations

import hmac
import inspect
import logging
import os
from dataclasses import dataclass
from typing import Any

from .._native import z85_encode
from ..asyncio import Socket as _AsyncSocket
from ..constants import Errno, PollEvent, SocketOption, SocketType
from ..context import Context
from ..error import ZMQError
from ..socket import Socket
from .certs import load_certificates

__all__ = ["CURVE_ALLOW_ANY", "Authenticator"]

CURVE_ALLOW_ANY = "*"

_ENDPOINT = "inproc://zeromq.zap.01"
_VERSION = b"1.0"
# Frames of a request before the credentials.
_FIXED = 6
_KEY_BYTES = 32


@dataclass(frozen=True)
class _Request:
    """What is asked of a handler (RFC 27)."""

    domain: str
    address: str
    mechanism: bytes
    credentials: list[bytes]


def _peer(msg: list[bytes]) -> str:
    """Who is judged, in a line of a log; passwords are not told."""
    _, _, domain, address, _, mechanism, *credentials = msg
    who = credentials[0] if credentials else b""
    if mechanism == b"CURVE" and len(who) == _KEY_BYTES:
        who = z85_encode(who)
    return f"{mechanism!r} {who!r} from {address!r} in domain {domain!r}"


class _Refused(Exception):
    """The peer is refused; the text says why."""


class Authenticator:
    """Answers who may come in, by what it is told with `allow`, `deny` and `configure_...`.

    This class runs nothing by itself: whoever uses it calls `start`, receives from `zap_socket`, and awaits
    `handle_zap_message`. `ThreadAuthenticator` and `AsyncioAuthenticator` do so.

    Without any rule NULL comes in, and PLAIN and CURVE do not. Whoever is refused is named in a warning of the logger
    `zmq.auth`, or of `log`. What fails while a peer is judged refuses it.

    The domain of a rule is the `zap_domain` of the sockets that it is for; `*` is that of sockets that have none.
    """

    context: Any
    encoding: str
    allow_any: bool
    credentials_providers: dict[str, Any]
    zap_socket: Any
    passwords: dict[str, dict[str, str]]
    certs: dict[str, dict[bytes, Any]]
    log: Any
    _allowed: set[str]
    _denied: set[str]

    def __init__(self, context: Any = None, encoding: str = "utf-8", log: Any = None) -> None:
        self.context = Context.instance() if context is None else context
        self.encoding = encoding
        self.allow_any = False
        self.credentials_providers = {}
        self.zap_socket = None
        self.passwords = {}
        self.certs = {}
        self.log = logging.getLogger("zmq.auth") if log is None else log
        self._allowed = set()
        self._denied = set()

    # Life

    def start(self) -> None:
        """Binds the socket that the context's sockets ask. Raises EADDRINUSE if the context has a handler already."""
        socket = self.context.socket(SocketType.REP, socket_class=Socket)
        try:
            # Not what the context has for others.
            socket.rcvtimeo = socket.sndtimeo = -1
            socket.linger = 0
            socket.bind(_ENDPOINT)
        except BaseException:
            socket.close()
            raise
        self.zap_socket = socket
        self.log.debug("Authenticating at %s", _ENDPOINT)

    def stop(self) -> None:
        """Closes that socket. From then on the context has no handler: whoever uses CURVE or PLAIN is not judged any more."""
        if self.zap_socket is not None:
            self.zap_socket.close()
        self.zap_socket = None

    # Rules

    def allow(self, *addresses: str) -> None:
        """Lets these IP addresses in, as far as other rules do, and no others. ValueError beside `deny`."""
        if self._denied:
            raise ValueError("an authenticator can allow addresses or deny them, not both")
        self.log.debug("Allowing %s", ", ".join(addresses))
        self._allowed.update(addresses)

    def deny(self, *addresses: str) -> None:
        """Refuses these IP addresses. ValueError beside `allow`."""
        if self._allowed:
            raise ValueError("an authenticator can allow addresses or deny them, not both")
        self.log.debug("Denying %s", ", ".join(addresses))
        self._denied.update(addresses)

    def configure_plain(self, domain: str = "*", passwords: dict[str, str] | None = None) -> None:
        """Sets the users of PLAIN in a domain, by name, and their passwords. They can be changed later in the same `dict`."""
        if passwords is not None:
            self.passwords[domain] = passwords
        self.log.debug("Configured PLAIN for %r", domain)

    def configure_curve(self, domain: str = "*", location: str | os.PathLike[str] = ".") -> None:
        """Sets the users of CURVE in a domain: the owners of the certificates that are in a directory just now.

        To be called again when certificates were added or removed. If they cannot be read, that is logged as an error,
        and nobody has a certificate in this domain. With `CURVE_ALLOW_ANY` every client comes in, in all domains, until
        CURVE is configured again.
        """
        self.allow_any = location == CURVE_ALLOW_ANY
        if not self.allow_any:
            try:
                self.certs[domain] = load_certificates(location)
            except (OSError, ValueError) as error:
                self.certs.pop(domain, None)
                self.log.error("Cannot load the certificates in %s: %s", location, error)
        self.log.debug("Configured CURVE for %r: %s", domain, location)

    def configure_curve_callback(self, domain: str = "*", credentials_provider: Any = None) -> None:
        """Has an object judge the clients of CURVE in a domain: its `callback(domain, key)` answers whether they come in.

        The key is 40 bytes of Z85. The callback may be a coroutine function. It goes before certificates.
        """
        self.allow_any = False
        if credentials_provider is None:
            self.log.error("None credentials_provider provided for domain:%s", domain)
        else:
            self.credentials_providers[domain] = credentials_provider

    def configure_gssapi(self, domain: str = "*", location: str | None = None) -> None:
        """Raises ENOTSUP: sockets do not speak GSSAPI."""
        raise ZMQError(Errno.ENOTSUP, "GSSAPI is not supported")

    def curve_user_id(self, client_public_key: bytes) -> str:
        """The `User-Id` that messages of a client have, from its key of 32 bytes: the key in Z85. To be overridden."""
        return z85_encode(client_public_key).decode("ascii")

    # Requests

    async def handle_zap_message(self, msg: list[bytes]) -> None:
        """Answers a request that `zap_socket` has received."""
        request_id = msg[1] if len(msg) > 1 else b""
        if len(msg) < _FIXED:
            self.log.error("A request of ZAP without what it must have: %r", msg[:_FIXED])
            self._reply(request_id, b"400", "Not enough frames")
            return
        if msg[0] != _VERSION:
            self.log.error("A request of another version of ZAP: %r", msg[0])
            self._reply(request_id, b"400", "Invalid version")
            return
        _, _, domain, address, _, mechanism, *credentials = msg
        try:
            request = _Request(self._text(domain) or "*", self._text(address), mechanism, credentials)
            user = await self._judge(request)
            # In front of the reply, so that a user id that cannot be sent refuses.
            encoded = user if isinstance(user, bytes) else user.encode(self.encoding)
        except _Refused as refused:
            self._warn(msg, str(refused))
            self._reply(request_id, b"400", str(refused))
        except Exception:
            self._warn(msg, "an exception while it was judged")
            self.log.exception("Judging a peer has failed")
            self._reply(request_id, b"500", "Internal error")
        else:
            self.log.debug("ALLOWED %s as %r", _peer(msg), user)
            self._reply(request_id, b"200", "OK", encoded)

    def _warn(self, msg: list[bytes], reason: str) -> None:
        self.log.warning("DENIED %s: %s", _peer(msg), reason)

    def _reply(self, request_id: bytes, code: bytes, text: str, user: bytes = b"") -> None:
        self.zap_socket.send_multipart([_VERSION, request_id, code, text.encode(), user, b""])

    def _text(self, value: bytes) -> str:
        try:
            return value.decode(self.encoding)
        except UnicodeDecodeError:
            raise _Refused("Invalid credentials") from None

    async def _judge(self, request: _Request) -> str | bytes:
        """The user whom the request is for."""
        if self._allowed and request.address not in self._allowed:
            raise _Refused("Address not allowed")
        if request.address in self._denied:
            raise _Refused("Address denied")
        match request.mechanism, request.credentials:
            case b"NULL", []:
                return "anonymous"
            case b"PLAIN", [username, password]:
                return self._judge_plain(request.domain, self._text(username), self._text(password))
            case b"CURVE", [key] if len(key) == _KEY_BYTES:
                await self._judge_curve(request.domain, z85_encode(key))
                return self.curve_user_id(key)
            case b"NULL" | b"PLAIN" | b"CURVE", _:
                raise _Refused("Invalid credentials")
        raise _Refused("NO ACCESS")

    def _judge_plain(self, domain: str, username: str, password: str) -> str:
        if not self.passwords:
            raise _Refused("No passwords defined")
        if domain not in self.passwords:
            raise _Refused("Invalid domain")
        expected = self.passwords[domain].get(username)
        if expected is None:
            raise _Refused("Invalid username")
        if not hmac.compare_digest(expected.encode(self.encoding), password.encode(self.encoding)):
            raise _Refused("Invalid password")
        return username

    async def _judge_curve(self, domain: str, key: bytes) -> None:
        if self.allow_any:
            return
        provider = self.credentials_providers.get(domain)
        if provider is not None:
            known = provider.callback(domain, key)
            if inspect.isawaitable(known):
                known = await known
        elif domain in self.certs:
            known = self.certs[domain].get(key)
        else:
            raise _Refused("Unknown domain")
        if not known:
            raise _Refused("Unknown key")

    # For those who run it

    def _awaitable(self) -> _AsyncSocket:
        """The socket for asyncio."""
        socket: _AsyncSocket = _AsyncSocket.shadow(self.zap_socket)
        return socket

    async def _serve(self, socket: _AsyncSocket) -> None:
        """Answers what comes until the context ends.

        If this ends in another way, the socket stays: without an answer nobody comes in, but without a handler many would.
        """
        async for msg in socket:
            try:
                await self.handle_zap_message(msg)
            except Exception:
                self.log.exception("Answering a request of ZAP has failed")
            self._answer(socket, msg)
        socket.close()

    def _answer(self, socket: _AsyncSocket, msg: list[bytes]) -> None:
        """Refuses if there was no answer: a REP receives nothing more before it has sent."""
        if not socket.closed and self.zap_socket.get(SocketOption.EVENTS) & PollEvent.POLLOUT:
            self._reply(msg[1] if len(msg) > 1 else b"", b"500", "Internal error")
