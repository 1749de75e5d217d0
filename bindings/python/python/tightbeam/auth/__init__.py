"""Who may connect to a server: handlers of ZAP (RFC 27), and certificates, with pyzmq's names.

An authenticator answers for all sockets of its context: `auth.thread.ThreadAuthenticator` in a thread of its own,
`auth.asyncio.AsyncioAuthenticator` in an asyncio loop. `tightbeam.Authenticator` are rules that need neither.
"""

from __future__ import annotations

from .base import CURVE_ALLOW_ANY, Authenticator
from .certs import create_certificates, load_certificate, load_certificates

__all__ = [
    "CURVE_ALLOW_ANY",
    "Authenticator",
    "create_certificates",
    "load_certificate",
    "load_certificates",
]
