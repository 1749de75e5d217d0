"""What the objects are apart from messaging: copied, pickled, subclassed, shown."""

import copy
import pickle
import re

import pytest


def made(call):
    try:
        return call()
    except Exception as error:
        return type(error).__name__


@pytest.mark.parametrize("arguments", [(), (3,), ("x",), (3, "x"), (None, "x"), (None,), (0,), (99999,), (-1,), ([],)])
@pytest.mark.parametrize("name", ["ZMQError", "Again", "ContextTerminated", "ZMQBindError", "NotDone", "ZMQVersionError"])
def test_errors_are_made_alike(name, arguments):
    import zmq

    import tightbeam

    theirs, ours = (made(lambda kind=getattr(module, name): kind(*arguments)) for module in (zmq, tightbeam))
    if isinstance(theirs, str):
        assert ours == theirs
        return
    assert ours.args == theirs.args
    if name == "ZMQError" and not isinstance(arguments[:1] and arguments[0], int):
        # Without a number pyzmq's has that of whatever failed before.
        return
    assert getattr(ours, "errno", None) == getattr(theirs, "errno", None)
    if name != "ContextTerminated":
        assert str(ours) == str(theirs) and repr(ours) == repr(theirs)


def test_errors_can_be_pickled(zmq):
    for error in (zmq.ZMQError(zmq.EFSM, "words"), zmq.ZMQError(zmq.EFSM), zmq.Again(), zmq.ZMQVersionError("4.4")):
        again = pickle.loads(pickle.dumps(error))
        assert type(again) is type(error) and again.args == error.args and str(again) == str(error)
        assert getattr(again, "errno", None) == getattr(error, "errno", None)


def test_constants_and_sets_of_sockets_can_be_copied_and_pickled(zmq):
    for value in (zmq.REQ, zmq.POLLIN | zmq.POLLOUT, zmq.LINGER, zmq.EFSM):
        assert pickle.loads(pickle.dumps(value)) is value and copy.deepcopy(value) is value
    assert pickle.loads(pickle.dumps(zmq.Poller())).sockets == []


def test_copies_of_sockets_and_contexts_are_shadows(zmq, context):
    with context.socket(zmq.PULL) as socket:
        for made in (copy.copy(socket), copy.deepcopy(socket)):
            assert type(made) is type(socket) and made != socket
            assert made.underlying == socket.underlying
            del made
        assert not socket.closed
    for made in (copy.copy(context), copy.deepcopy(context)):
        assert made.underlying == context.underlying
        del made
    assert not context.closed


@pytest.mark.parametrize("kind", ["Socket", "Frame"])
def test_what_cannot_be_pickled_says_so(zmq, context, kind):
    value = context.socket(zmq.PULL) if kind == "Socket" else zmq.Frame(b"x")
    with pytest.raises(TypeError):
        pickle.dumps(value)


def test_a_subclass_has_the_attributes_that_it_names(zmq, context):
    class Base(zmq.Socket):
        given = 1
        named: "list[Undefined]"  # noqa: F821 - never resolved

        @property
        def shown(self):
            return self.given

    class Named(Base):
        pass

    with context.socket(zmq.PULL, socket_class=Named) as socket:
        socket.given, socket.named = 2, ["x"]
        assert (socket.given, socket.named, socket.shown) == (2, ["x"], 2)
        with pytest.raises(AttributeError, match="OTHER"):
            socket.other = 3
        with pytest.raises(AttributeError, match="_PRIVATE"):
            socket._private = 3
        with pytest.raises(AttributeError):
            socket.shown = 3
        assert not hasattr(socket, "other") and hasattr(socket, "linger")
        with pytest.raises(AttributeError):
            del socket.linger


def test_a_closed_socket_still_says_what_it_was(zmq, context):
    socket = context.socket(zmq.PULL)
    assert socket.underlying and f"{id(socket):#x}" in repr(socket)
    socket.close()
    assert socket.type == zmq.PULL
    assert (socket.closed, socket.underlying, socket.context) == (True, 0, context)
    assert socket.copy_threshold == 65536
    assert re.fullmatch(r"<\w+\.Socket\((zmq\.)?PULL\) at 0x\w+ closed>", repr(socket))


def test_generic_names_are_types(zmq):
    assert zmq.SyncSocket == zmq.Socket[bytes]
    assert zmq.SyncContext == zmq.Context[zmq.Socket[bytes]]


def test_sockets_and_contexts_are_compared_and_hashed_by_what_they_are(zmq, context):
    first, second = context.socket(zmq.PULL), context.socket(zmq.PULL)
    assert len({first, second, first, context, zmq.Frame(b"x"), zmq.Frame(b"x")}) == 5
    assert first == first and first != second
    assert zmq.Frame(b"x") != b"x"


def test_groups_are_for_drafts_only(zmq, context):
    socket = context.socket(zmq.PULL)
    for call in (socket.join, socket.leave):
        with pytest.raises(RuntimeError):
            call("group")


def test_frames_say_what_is_watched(zmq):
    assert zmq.Frame(b"x").tracker_event is None
    frame = zmq.Frame(b"x" * 100_000, track=True, copy=False)
    event = frame.tracker_event
    assert not event.is_set() and not event.wait(0)
