"""ZeroMQ in pure Rust, with pyzmq's names: `import tightbeam as zmq`."""

from __future__ import annotations

from typing import Any

from . import _exit as _exit
from . import constants, error, utils
from ._native import Authenticator, curve_keypair, curve_public, proxy, proxy_steerable, strerror
from .constants import *  # noqa: F403
from .context import Context, SyncContext
from .error import *  # noqa: F403
from .message import Frame, Message, MessageTracker
from .poll import Poller, select, zmq_poll
from .socket import Socket, SyncSocket
from .stopwatch import Stopwatch
from .version import (
    __revision__,
    __version__,
    pyzmq_version,
    pyzmq_version_info,
    zmq_version,
    zmq_version_info,
)

COPY_THRESHOLD = 65536
IPC_PATH_MAX_LEN = 107
DRAFT_API = PYZMQ_DRAFT_API = False

_CAPABILITIES = frozenset({"ipc", "curve"})


def has(capability: str) -> bool:
    """Whether a capability of libzmq's is there: `ipc` and `curve` are."""
    if not isinstance(capability, str):
        raise TypeError("the name of a capability is a str")
    return capability in _CAPABILITIES


def zmq_errno() -> int:
    """Always 0: failures are exceptions here, which carry their `errno`."""
    return 0


def device(device_type: int, frontend: Socket, backend: Socket) -> Any:
    """The old form of `proxy`; every type is the same."""
    return proxy(frontend, backend)


from . import sugar  # noqa: E402 - it has `device` too

__all__ = [
    "Authenticator",
    "COPY_THRESHOLD",
    "Context",
    "DRAFT_API",
    "Frame",
    "IPC_PATH_MAX_LEN",
    "Message",
    "MessageTracker",
    "PYZMQ_DRAFT_API",
    "Poller",
    "Socket",
    "Stopwatch",
    "SyncContext",
    "SyncSocket",
    "constants",
    "curve_keypair",
    "curve_public",
    "device",
    "error",
    "has",
    "proxy",
    "proxy_steerable",
    "pyzmq_version",
    "pyzmq_version_info",
    "select",
    "strerror",
    "sugar",
    "utils",
    "zmq_errno",
    "zmq_poll",
    "zmq_version",
    "zmq_version_info",
    "__revision__",
    "__version__",
    *constants.__all__,
    *error.__all__,
]
