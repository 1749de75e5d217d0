"""Versions: our own, and those whose interfaces this is."""

from __future__ import annotations

from . import _native

__version__: str = _native.__version__
__revision__ = ""
# The interfaces of pyzmq and libzmq that programs are answered with.
_PYZMQ = (27, 3, 0)
_LIBZMQ = (4, 3, 5)


def zmq_version() -> str:
    """The version of libzmq whose interface this is."""
    return ".".join(map(str, _LIBZMQ))


def zmq_version_info() -> tuple[int, int, int]:
    """The same as numbers."""
    return _LIBZMQ


def pyzmq_version() -> str:
    """The version of pyzmq whose interface this is."""
    return ".".join(map(str, _PYZMQ))


def pyzmq_version_info() -> tuple[int, int, int]:
    """The same as numbers."""
    return _PYZMQ
