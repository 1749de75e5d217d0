"""Options as attributes."""

from .._attributes import Attributes as AttributeSetter

__all__ = ["AttributeSetter"]
