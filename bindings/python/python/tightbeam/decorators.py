"""Decorators that open a context or a socket for each call of a function, and close it when the function ends.

```python
@context()
@socket(zmq.PUSH)
def work(context, push): ...
```
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

from .context import Context

__all__ = ("context", "socket")

_Result = TypeVar("_Result")


class _Decorator(Protocol):
    """What answers for each function one that takes less and answers the same."""

    def __call__(self, function: Callable[..., _Result], /) -> Callable[..., _Result]: ...


# Opens what is handed to the function, seeing the function's own arguments.
_Open = Callable[[tuple[Any, ...], dict[str, Any]], AbstractContextManager[Any]]


def context(*args: Any, **kwargs: Any) -> _Decorator:
    """Hands a new context to the function, behind its other arguments.

    With a `str` as first argument, or as `name`, it becomes the keyword argument of that name. What else is given is
    for the context: `@context("ctx", io_threads=2)`.
    """
    name, args = _take_name(args, kwargs)
    return _decorator(name, lambda *_: Context(*args, **kwargs))


def socket(*args: Any, **kwargs: Any) -> _Decorator:
    """Hands a new socket of the type that is given to the function, behind its other arguments.

    With a `str` as first argument, or as `name`, it becomes the keyword argument of that name. Its context is the
    function's keyword argument that `context_name` names (`context` if nothing else is said), or else its first
    argument that is a context, or else `Context.instance()`.
    """
    name, args = _take_name(args, kwargs)
    context_name = kwargs.pop("context_name", "context")

    def opened(given: tuple[Any, ...], named: dict[str, Any]) -> Any:
        return _context_among(given, named.get(context_name)).socket(*args, **kwargs)

    return _decorator(name, opened)


def _take_name(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[str | None, tuple[Any, ...]]:
    """The name that is asked for, and the other arguments."""
    if "name" in kwargs:
        return kwargs.pop("name"), args
    if args and isinstance(args[0], str):
        return args[0], args[1:]
    return None, args


def _context_among(given: tuple[Any, ...], named: Any) -> Any:
    for argument in (named, *given):
        if isinstance(argument, Context):
            return argument
    return Context.instance()


def _decorator(name: str | None, opened: _Open) -> _Decorator:
    def decorate(function: Callable[..., _Result]) -> Callable[..., _Result]:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> _Result:
            with opened(args, kwargs) as target:
                if name is None:
                    return function(*args, target, **kwargs)
                if name in kwargs:
                    raise TypeError(f"{function.__name__}() got multiple values for argument {name!r}")
                return function(*args, **{**kwargs, name: target})

        return call

    return decorate
