"""Options as attributes, in lower and in upper case."""

from __future__ import annotations

import sys
from enum import IntEnum
from typing import Any

from .constants import Errno, SocketOption
from .error import ZMQError

if sys.version_info >= (3, 14):
    from annotationlib import Format, get_annotations

    def _annotations(kind: type) -> Any:
        return get_annotations(kind, format=Format.FORWARDREF)

else:
    from inspect import get_annotations as _annotations


class Attributes:
    """Attributes that a class does not have are options."""

    _options: type[IntEnum] = SocketOption

    def __setattr__(self, key: str, value: Any) -> None:
        if key in self.__dict__ or any(key in kind.__dict__ for kind in type(self).__mro__):
            object.__setattr__(self, key, value)
            return
        try:
            option = self._option(key)
        except AttributeError:
            # Subclasses may have attributes of their own that are annotated only.
            if not any(key in _annotations(kind) for kind in type(self).__mro__):
                raise
            object.__setattr__(self, key, value)
        else:
            self._set_attribute(key, option, value)

    def __getattr__(self, key: str) -> Any:
        return self._get_attribute(key, self._option(key))

    def _option(self, key: str) -> int:
        option = self._options.__members__.get(key.upper())
        if option is None:
            name = type(self).__name__
            raise AttributeError(f"{name} has no such option: {key.upper()}")
        return option

    def _set_attribute(self, key: str, option: int, value: Any) -> None:
        self.set(option, value)

    def _get_attribute(self, key: str, option: int) -> Any:
        try:
            return self.get(option)
        except ZMQError as error:
            if error.errno != Errno.EINVAL:
                raise
            raise AttributeError(f"{key} attribute is write-only") from None

    def get(self, option: int) -> Any:
        """Reads an option; classes made from this one do."""
        raise NotImplementedError

    def set(self, option: int, value: Any) -> None:
        """Sets an option; classes made from this one do."""
        raise NotImplementedError
