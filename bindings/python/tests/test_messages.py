"""What is sent and received, in every form."""

import array
import mmap
import pickle

import pytest


def test_the_seed_program_runs(zmq, context):
    server = context.socket(zmq.REP)
    endpoint = f"tcp://localhost:{server.bind_to_random_port('tcp://127.0.0.1')}"

    socket = context.socket(zmq.REQ)
    socket.connect(endpoint)
    socket.send(b"Hello")
    server.send(server.recv() + b" World")
    assert socket.recv() == b"Hello World"


@pytest.mark.parametrize("copy", [True, False])
def test_multipart_messages_arrive_whole(zmq, pair, copy):
    pull, push = pair(zmq.PULL, zmq.PUSH)
    parts = [b"", b"x", bytes(100), bytes(100_000)]
    push.send_multipart(parts, copy=copy)
    received = pull.recv_multipart(copy=copy)
    assert [bytes(part) for part in received] == parts


def test_parts_are_sent_and_received_one_by_one(zmq, pair):
    pull, push = pair(zmq.PULL, zmq.PUSH)
    push.send(b"a", zmq.SNDMORE)
    push.send(b"b", zmq.SNDMORE)
    push.send(b"c")
    assert pull.recv() == b"a"
    assert pull.rcvmore
    assert pull.recv_multipart() == [b"b", b"c"]
    assert not pull.getsockopt(zmq.RCVMORE)


@pytest.mark.parametrize(
    "make",
    [bytes, bytearray, memoryview, lambda b: array.array("d", b), lambda b: memoryview(b).cast("I")],
)
@pytest.mark.parametrize("size", [16, 200_000])
@pytest.mark.parametrize("copy", [True, False])
def test_any_contiguous_buffer_is_sent(zmq, pair, make, size, copy):
    pull, push = pair(zmq.PULL, zmq.PUSH)
    body = bytes(i % 251 for i in range(size))
    push.send(make(body), copy=copy)
    assert pull.recv() == body


def test_mapped_memory_is_sent(zmq, pair):
    pull, push = pair(zmq.PULL, zmq.PUSH)
    with mmap.mmap(-1, 100_000) as memory:
        memory[:5] = b"first"
        push.send(memory)
        assert pull.recv()[:5] == b"first"


@pytest.mark.parametrize(
    ("value", "error"),
    [("text", TypeError), (5, TypeError), (None, TypeError), (memoryview(b"abcd")[::2], BufferError)],
)
@pytest.mark.parametrize("copy", [True, False])
def test_what_is_no_buffer_is_refused(zmq, pair, value, error, copy):
    pull, push = pair(zmq.PULL, zmq.PUSH)
    with pytest.raises(error):
        push.send(value, copy=copy)
    push.send(b"still usable")
    assert pull.recv() == b"still usable"


def test_a_bad_part_is_named_and_nothing_is_sent(zmq, pair):
    pull, push = pair(zmq.PULL, zmq.PUSH)
    with pytest.raises(TypeError, match="Frame 1"):
        push.send_multipart([b"good", "bad"])
    with pytest.raises(TypeError):
        push.send_multipart(5)
    with pytest.raises(IndexError):
        push.send_multipart([])
    push.send(b"after")
    assert pull.recv_multipart() == [b"after"]


def test_strings_json_and_objects_go_both_ways(zmq, pair):
    left, right = pair(zmq.PAIR, zmq.PAIR)
    left.send_string("größe")
    assert right.recv_string() == "größe"
    left.send_unicode("x", encoding="utf-16")
    assert right.recv_unicode(encoding="utf-16") == "x"
    left.send_json({"a": [1, None, "ü"]})
    assert right.recv_json() == {"a": [1, None, "ü"]}
    left.send_pyobj({1: {2, 3}})
    assert right.recv_pyobj() == {1: {2, 3}}
    with pytest.raises(TypeError):
        left.send_string(b"bytes")


def test_serialized_messages_go_through_the_caller_functions(zmq, pair):
    left, right = pair(zmq.PAIR, zmq.PAIR)
    left.send_serialized([1, 2], lambda numbers: [str(n).encode() for n in numbers])
    assert right.recv_serialized(lambda parts: [int(bytes(p)) for p in parts], copy=False) == [1, 2]


def test_frames_are_buffers_that_know_their_peer(zmq, pair):
    router, dealer = pair(zmq.ROUTER, zmq.DEALER)
    dealer.send_multipart([b"small", bytes(100_000)])
    name, small, large = router.recv_multipart(copy=False)
    assert (small.bytes, len(small), bytes(small)) == (b"small", 5, b"small")
    assert [frame.more for frame in (name, small, large)] == [True, True, False]
    assert isinstance(small, zmq.Frame) and zmq.Message is zmq.Frame
    assert small["Socket-Type"] == small.get("Socket-Type") == "DEALER"
    assert small["Peer-Address"] == "127.0.0.1"
    assert (small.get(zmq.MORE), large.get(zmq.MORE)) == (1, 0)
    with pytest.raises(zmq.ZMQError) as refused:
        small["User-Id"]
    assert refused.value.errno == zmq.EINVAL
    with pytest.raises(AttributeError):
        small.no_such_option


def test_received_frames_can_be_written_to(zmq, pair):
    pull, push = pair(zmq.PULL, zmq.PUSH)
    push.send_multipart([b"abc", bytes(100_000)])
    for frame in pull.recv_multipart(copy=False):
        assert not frame.buffer.readonly
        memoryview(frame)[0:1] = b"z"
        assert frame.bytes[:1] == b"z"


def test_a_view_outlives_its_frame(zmq, pair):
    pull, push = pair(zmq.PULL, zmq.PUSH)
    push.send_multipart([b"abc", b"x" * 100_000])
    views = [memoryview(frame) for frame in pull.recv_multipart(copy=False)]
    assert bytes(views[0]) == b"abc" and bytes(views[1]) == b"x" * 100_000


def test_frames_are_sent_on(zmq, pair):
    left, right = pair(zmq.PAIR, zmq.PAIR)
    left.send_multipart([b"one", b"t" * 100_000])
    right.send_multipart(right.recv_multipart(copy=False), copy=False)
    assert left.recv_multipart() == [b"one", b"t" * 100_000]
    left.send(zmq.Frame(b"made"))
    assert right.recv() == b"made"


def test_frames_are_made_of_buffers_alone(zmq):
    assert zmq.Frame().bytes == b"" and len(zmq.Frame()) == 0
    assert zmq.Frame(b"abc").bytes == b"abc"
    assert zmq.Frame(bytearray(b"abc"), copy=False).bytes == b"abc"
    for wrong in ("text", 5):
        with pytest.raises(TypeError):
            zmq.Frame(wrong)


def test_recv_into_fills_a_buffer(zmq, pair):
    pull, push = pair(zmq.PULL, zmq.PUSH)
    push.send(b"abcdef")
    buffer = bytearray(8)
    assert pull.recv_into(buffer) == 6
    assert buffer == b"abcdef\0\0"
    push.send(b"abcdef")
    view = memoryview(buffer)[6:]
    pull.recv_into(view, nbytes=2)
    assert buffer == b"abcdefab"
    push.send(b"x")
    with pytest.raises((BufferError, TypeError, ValueError)):
        pull.recv_into(b"read-only")


def test_subscribers_get_what_they_asked_for(zmq, context):
    sub, xpub = context.socket(zmq.SUB), context.socket(zmq.XPUB)
    sub.connect(f"tcp://127.0.0.1:{xpub.bind_to_random_port('tcp://127.0.0.1')}")
    sub.subscribe("news")
    assert xpub.recv() == b"\x01news"
    xpub.send_multipart([b"weather", b"dull"])
    xpub.send_multipart([b"news", b"good"])
    assert sub.recv_multipart() == [b"news", b"good"]
    sub.unsubscribe(b"news")
    assert xpub.recv() == b"\x00news"


def test_sockets_and_contexts_are_not_pickled(zmq, context):
    for thing in (context.socket(zmq.PUSH), context):
        with pytest.raises(TypeError):
            pickle.dumps(thing)
