"""Everything public says what it does."""

import enum
import importlib
import inspect
import pkgutil
import pydoc

import pytest

import tightbeam


def documented():
    """What is ours and public: modules, functions, classes and what these define, each by its path."""
    names = [module.name for module in pkgutil.walk_packages(tightbeam.__path__, "tightbeam.")]
    for name in ["tightbeam", *names]:
        own = name.rpartition(".")[2]
        # What pyzmq's classes are made from is documented by pyzmq, and changes our errors when it is imported.
        if own.startswith("_") and own != "_native" or own == "pyzmq_backend":
            continue
        module = importlib.import_module(name)
        yield name, module
        for key, value in vars(module).items():
            if key.startswith("_") and module is not tightbeam._native:
                continue
            is_ours = str(getattr(value, "__module__", "")).startswith("tightbeam")
            if not is_ours or not (inspect.isclass(value) or inspect.isroutine(value)):
                continue
            yield f"{name}.{key}", value
            if inspect.isclass(value) and not issubclass(value, enum.Enum):
                yield from members(f"{name}.{key}", value)


def members(path, kind):
    for key, value in vars(kind).items():
        if not key.startswith("_") and (callable(value) or isinstance(value, property) or inspect.isdatadescriptor(value)):
            yield f"{path}.{key}", getattr(kind, key)


def test_nothing_is_without_words():
    found = dict(documented())
    assert len(found) > 150
    bare = [path for path, value in found.items() if not (inspect.getdoc(value) or "").strip()]
    assert bare == []


def of_sockets(*names):
    return [f"{kind}.{name}" for kind in ("Socket", "asyncio.Socket") for name in names]


@pytest.mark.parametrize("path", of_sockets("send", "recv", "send_multipart", "recv_multipart", "recv_into"))
def test_calls_that_may_wait_say_for_how_long_and_what_they_raise(path):
    import tightbeam.asyncio  # noqa: F401 - a name of the path

    value = tightbeam
    for name in path.split("."):
        value = getattr(value, name)
    text = pydoc.plain(pydoc.render_doc(value))
    assert "timeout" in text
    own = path.startswith("Socket")
    assert "raises" in text.lower() if own else "tightbeam.Socket" in text or "as `" in text.lower()


@pytest.mark.parametrize(
    "value, says",
    [
        (tightbeam.Socket.poll, "milliseconds"),
        (tightbeam.Socket.close, "milliseconds"),
        (tightbeam.Socket.recv, "seconds"),
        (tightbeam.Poller.poll, "milliseconds"),
        (tightbeam.select, "seconds"),
        (tightbeam.MessageTracker.wait, "seconds"),
        (tightbeam.Context.term, "for ever"),
    ],
)
def test_times_have_their_units(value, says):
    assert says in inspect.getdoc(value)
