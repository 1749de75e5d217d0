"""Certificates: keys in files that czmq and pyzmq read and write, too."""

from __future__ import annotations

import glob
import os
from collections.abc import Mapping
from typing import Any

from .. import _native

__all__ = ["create_certificates", "load_certificate", "load_certificates"]

_PUBLIC = ".key"
_SECRET = ".key_secret"


def create_certificates(
    key_dir: str | os.PathLike[str], name: str, metadata: Mapping[str, Any] | None = None
) -> tuple[str, str]:
    """Makes a pair of keys and writes `name.key`, for everybody, and `name.key_secret`, which only this user may read.

    Both get the metadata. Files of these names are replaced. Answers the two paths. Raises OSError if they cannot be
    written, ValueError for metadata that no file can say.
    """
    path = os.path.join(key_dir, name)
    properties = {key: str(value) for key, value in (metadata or {}).items()}
    _native.certificate_create(path + _PUBLIC, properties)
    return path + _PUBLIC, path + _SECRET


def load_certificate(filename: str | os.PathLike[str]) -> tuple[bytes, bytes | None]:
    """The public key in a file, and the secret one if it is there, each as 40 bytes of Z85.

    Raises OSError if the file cannot be read, ValueError if it has no public key or is no certificate.
    """
    public, secret, _ = _native.certificate_read(filename)
    return public, secret


def load_certificates(directory: str | os.PathLike[str] = ".") -> dict[bytes, bool]:
    """The public keys in all files of a directory whose names end in `.key`; each is True.

    Raises OSError if there is no such directory, and what `load_certificate` raises of any file.
    """
    if not os.path.isdir(directory):
        raise OSError(f"no such directory of certificates: {os.fspath(directory)}")
    files = glob.glob(os.path.join(glob.escape(os.fspath(directory)), "*" + _PUBLIC))
    return {load_certificate(file)[0]: True for file in sorted(files)}
