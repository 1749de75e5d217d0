"""Contexts and sockets that are opened for each call of a function."""

import importlib
import inspect

import pytest


@pytest.fixture
def decorators(zmq):
    return importlib.import_module(zmq.__name__ + ".decorators")


def test_a_context_and_a_socket_are_open_during_the_call(zmq, decorators):
    seen = []

    @decorators.context()
    @decorators.socket(zmq.PUSH)
    def work(number, context, push):
        """Works."""
        seen.extend((context, push))
        assert type(context) is zmq.Context and push.type == zmq.PUSH and push.context is context
        assert not context.closed and not push.closed
        return number + 1

    assert work(1) == 2 and work(2) == 3
    assert [one.closed for one in seen] == [True] * 4 and seen[0] is not seen[2]
    assert work.__name__ == "work" and work.__doc__ == "Works." and "number" in inspect.signature(work).parameters


def test_both_are_closed_behind_an_exception(zmq, decorators):
    seen = []

    @decorators.context()
    @decorators.socket(zmq.PUSH)
    def work(*opened):
        seen.extend(opened)
        raise ValueError("from within")

    with pytest.raises(ValueError, match="from within"):
        work()
    assert [one.closed for one in seen] == [True, True]


@pytest.mark.parametrize("by_keyword", [False, True])
def test_names_make_them_keyword_arguments(zmq, decorators, by_keyword):
    def named(decorator, name, *args, **kwargs):
        return decorator(*args, name=name, **kwargs) if by_keyword else decorator(name, *args, **kwargs)

    @named(decorators.context, "ours", io_threads=2)
    @named(decorators.socket, "push", zmq.PUSH, context_name="ours")
    def work(first, *, ours, push, other=None):
        return first, other, push.context is ours, ours.IO_THREADS

    assert work(1, other=2) == (1, 2, True, 2)
    with pytest.raises(TypeError):
        work(1, ours=3)


def test_sockets_take_the_context_that_is_given(zmq, decorators, context):
    @decorators.socket("push", zmq.PUSH)
    def own(*given, push, **named):
        return push.context

    assert own() is zmq.Context.instance()
    assert own(1, context, zmq.Context.instance()) is context
    assert own(context=context) is context
    # Only the name that was agreed on counts.
    assert own(another=context) is zmq.Context.instance()


def test_decorators_are_nested(zmq, decorators):
    @decorators.context()
    @decorators.socket(zmq.PULL)
    @decorators.socket(zmq.PUSH)
    def carry(context, pull, push):
        pull.bind("inproc://nested")
        push.connect("inproc://nested")
        push.send(b"carried")
        return pull.recv()

    assert carry() == b"carried"


def test_methods_are_decorated(zmq, decorators):
    class Worker:
        @decorators.context()
        @decorators.socket(zmq.PUSH)
        def work(self, context, push):
            return self, push.context is context

    worker = Worker()
    assert worker.work() == (worker, True)


def test_sockets_need_a_type(zmq, decorators):
    with pytest.raises(TypeError):
        decorators.socket("push")(lambda push: None)()
