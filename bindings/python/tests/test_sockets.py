"""Contexts and sockets: their lives, endpoints, options and errors."""

import copy
import gc
import threading
import warnings

import pytest


def test_context_managers_close_and_end(zmq):
    with zmq.Context() as context:
        with context.socket(zmq.PUSH) as push:
            assert not push.closed
        assert push.closed
    assert context.closed


def test_bind_and_connect_are_undone_at_the_end_of_a_block(zmq, context):
    first, second = context.socket(zmq.PULL), context.socket(zmq.PULL)
    with first.bind("tcp://127.0.0.1:*") as bound:
        assert bound is first
        endpoint = first.last_endpoint.decode()
        with pytest.raises(zmq.ZMQError) as refused:
            second.bind(endpoint)
        assert refused.value.errno == zmq.EADDRINUSE
        assert endpoint in str(refused.value)
    push = context.socket(zmq.PUSH)
    with push.connect(endpoint) as connected:
        assert connected is push
    with pytest.raises(zmq.ZMQError) as unknown:
        push.disconnect(endpoint)
    assert unknown.value.errno == 2


def test_a_random_port_is_bound(zmq, context):
    any_port = context.socket(zmq.PULL).bind_to_random_port("tcp://127.0.0.1")
    assert 0 < any_port < 65_536
    port = context.socket(zmq.PULL).bind_to_random_port("tcp://127.0.0.1", 20_000, 30_000, 50)
    assert 20_000 <= port < 30_000
    with pytest.raises(zmq.ZMQBindError):
        context.socket(zmq.PULL).bind_to_random_port("tcp://127.0.0.1", any_port, any_port + 1, 3)


def test_a_closed_socket_is_no_socket(zmq, context):
    push = context.socket(zmq.PUSH)
    push.close()
    push.close()
    assert push.closed and "closed" in repr(push)
    calls = [
        lambda: push.send(b""),
        lambda: push.send_multipart([b""]),
        lambda: push.recv(),
        lambda: push.get(zmq.LINGER),
        lambda: push.set(zmq.LINGER, 0),
        lambda: push.linger,
        lambda: push.bind("tcp://127.0.0.1:*"),
        lambda: push.fileno(),
    ]
    for call in calls:
        with pytest.raises(zmq.ZMQError) as refused:
            call()
        assert refused.value.errno == zmq.ENOTSOCK
    with pytest.raises(zmq.ZMQError) as refused:
        push.poll(0)
    assert refused.value.errno == zmq.ENOTSUP


def test_an_open_socket_that_is_collected_warns_and_closes(zmq):
    context = zmq.Context()

    def forget():
        context.socket(zmq.PUSH)

    with pytest.warns(ResourceWarning, match="Unclosed socket"):
        forget()
        gc.collect()
    context.term()


def test_a_context_warns_of_sockets_that_it_closes(zmq):
    with pytest.warns(ResourceWarning, match="unclosed socket"):
        with zmq.Context() as context:
            socket = context.socket(zmq.PUB)
    assert socket.closed


def test_the_instance_is_one_until_it_ends(zmq):
    instance = zmq.Context.instance()
    assert zmq.Context.instance() is instance
    instance.term()
    assert instance.closed
    other = zmq.Context.instance()
    assert other is not instance and not other.closed
    other.term()


def test_a_context_that_ends_wakes_those_who_wait(zmq):
    context = zmq.Context()
    pull = context.socket(zmq.PULL)
    pull.bind("inproc://ends")
    told = []

    def wait():
        try:
            pull.recv()
        except zmq.ZMQError as error:
            told.append(error)
        pull.close()

    waiter = threading.Thread(target=wait)
    waiter.start()
    context.term()
    waiter.join()
    assert isinstance(told[0], zmq.ContextTerminated) and told[0].errno == zmq.ETERM


def test_a_context_that_ended_opens_nothing(zmq):
    context = zmq.Context()
    context.destroy()
    context.term()
    with pytest.raises(zmq.ZMQError) as refused:
        context.socket(zmq.PUSH)
    assert refused.value.errno == zmq.ENOTSUP


def test_options_have_three_spellings(zmq, context):
    socket = context.socket(zmq.DEALER)
    socket.linger = 5
    assert socket.linger == socket.LINGER == socket.get(zmq.LINGER) == socket.getsockopt(17) == 5
    socket.setsockopt(zmq.IDENTITY, b"me")
    assert socket.identity == socket.ROUTING_ID == b"me"
    socket.setsockopt_string(zmq.IDENTITY, "you")
    assert socket.get_string(zmq.IDENTITY) == "you"
    socket.set_hwm(7)
    assert (socket.sndhwm, socket.rcvhwm, socket.get_hwm(), socket.hwm) == (7, 7, 7, 7)
    assert socket.type == zmq.DEALER
    assert socket.maxmsgsize == -1 and socket.affinity == 0 and socket.events == 0


@pytest.mark.parametrize(
    ("option", "value", "error"),
    [
        ("LINGER", b"", TypeError),
        ("LINGER", "5", TypeError),
        ("LINGER", 1.5, TypeError),
        ("LINGER", 1 << 40, OverflowError),
        ("IDENTITY", "text", TypeError),
        ("IDENTITY", 5, TypeError),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(zmq, context, option, value, error):
    socket = context.socket(zmq.DEALER)
    with pytest.raises(error):
        socket.set(getattr(zmq, option), value)
    assert socket.linger == -1 and socket.identity == b""


def test_bad_values_and_unknown_options_are_einval(zmq, context):
    socket = context.socket(zmq.PULL)
    calls = [
        lambda: socket.set(zmq.LINGER, -5),
        lambda: socket.set(9999, 1),
        lambda: socket.get(9999),
        lambda: socket.get(zmq.HWM),
        lambda: socket.subscribe("x"),
        lambda: socket.connect("nonsense"),
        lambda: context.socket(99),
        lambda: context.get(9999),
        lambda: zmq.Context(-1),
    ]
    for call in calls:
        with pytest.raises(zmq.ZMQError) as refused:
            call()
        assert refused.value.errno == zmq.EINVAL
    with pytest.raises(AttributeError):
        socket.no_such_option
    with pytest.raises(AttributeError):
        socket.no_such_option = 5
    with pytest.raises(TypeError):
        socket.bind(5)


def test_a_context_hands_options_to_its_sockets(zmq, context):
    context.linger = 3
    assert context.linger == 3 and context.socket(zmq.SUB).linger == 3
    assert context.IO_THREADS == context.get(zmq.IO_THREADS) == 1
    context.max_sockets = 2
    assert context.max_sockets == 2


def test_errors_have_errno_and_words(zmq, context):
    req, pull, push = (context.socket(kind) for kind in (zmq.REQ, zmq.PULL, zmq.PUSH))
    with pytest.raises(zmq.ZMQError) as out_of_turn:
        req.recv()
    assert out_of_turn.value.errno == zmq.EFSM == 156384763
    with pytest.raises(zmq.Again) as again:
        pull.recv(zmq.NOBLOCK)
    assert again.value.errno == zmq.EAGAIN and str(again.value) == zmq.strerror(zmq.EAGAIN)
    with pytest.raises(zmq.Again):
        push.send(b"nobody", zmq.DONTWAIT)
    pull.rcvtimeo = 10
    with pytest.raises(zmq.Again):
        pull.recv_multipart()
    with pytest.raises(zmq.ZMQError) as unsupported:
        pull.send(b"")
    assert unsupported.value.errno == zmq.ENOTSUP
    assert issubclass(zmq.Again, zmq.ZMQError) and issubclass(zmq.ZMQError, zmq.ZMQBaseError)
    assert not issubclass(zmq.ZMQBindError, zmq.ZMQError)
    assert str(zmq.ZMQError(11, "words")) == "words" and repr(zmq.ZMQError(11, "w")) == "ZMQError('w')"
    assert issubclass(zmq.InterruptedSystemCall, InterruptedError)


def test_subclasses_take_arguments_of_their_own(zmq, context):
    class Named(zmq.Socket):
        name = None

        def __init__(self, context, kind, name="none"):
            super().__init__(context, kind)
            self.name = name

    class Own(zmq.Context):
        _socket_class = Named

    with Own() as own:
        with own.socket(zmq.PUSH, name="mine") as socket:
            assert isinstance(socket, Named) and socket.name == "mine"
        with own.socket(zmq.PUSH, zmq.Socket) as plain:
            assert type(plain) is zmq.Socket


def test_a_shadow_shares_the_socket_and_does_not_close_it(zmq, pair):
    pull, push = pair(zmq.PULL, zmq.PUSH)
    shadow = copy.copy(push)
    shadow.send(b"by the shadow")
    assert pull.recv() == b"by the shadow"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        del shadow
    push.send(b"still open")
    assert pull.recv() == b"still open"
    assert zmq.Socket.shadow(push.underlying).type == zmq.PUSH


def test_generic_names_can_be_written(zmq):
    zmq.Socket[bytes]
    zmq.Context[zmq.Socket[bytes]]


def test_a_routing_id_may_begin_with_a_zero(zmq, context):
    router, dealer = context.socket(zmq.ROUTER), context.socket(zmq.DEALER)
    dealer.identity = (0).to_bytes(2, "little")
    dealer.connect(f"tcp://127.0.0.1:{router.bind_to_random_port('tcp://127.0.0.1')}")
    dealer.send(b"engine 0")
    assert router.recv_multipart() == [b"\0\0", b"engine 0"]
