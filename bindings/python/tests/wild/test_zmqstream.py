"""ZMQStream in tornado's loop, pyzmq's and ours, and ours in asyncio's alone."""

import asyncio
import importlib

import pytest


@pytest.fixture
def streams(zmq, context):
    """Makes two streams of joined sockets, in a loop that runs."""
    pytest.importorskip("tornado", reason="tornado is not installed")
    module = importlib.import_module(f"{zmq.__name__}.eventloop.zmqstream")

    def make(first=zmq.DEALER, second=zmq.DEALER):
        sockets = context.socket(first), context.socket(second)
        sockets[0].bind("inproc://streams")
        sockets[1].connect("inproc://streams")
        return [module.ZMQStream(socket) for socket in sockets]

    return make


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.001)


def test_messages_are_handed_to_callbacks_in_their_order(streams):
    async def main():
        one, other = streams()
        came, sent = [], []
        other.on_recv(came.append)
        one.on_send(lambda parts, tracker: sent.append((parts, tracker)))
        assert other.receiving() and not one.sending()
        one.send(b"part")
        assert one.sending()
        one.send_multipart([b"two", b"parts"])
        one.send_string("text")
        one.send_json({"json": 1})
        one.send_pyobj(None, protocol=4)
        await until(lambda: len(came) == 5)
        assert came[:4] == [[b"part"], [b"two", b"parts"], [b"text"], [b'{"json": 1}']] or came[3] == [b'{"json":1}']
        assert [parts for parts, tracker in sent] == came and sent[0][1] is None
        assert not one.sending()
        one.close()
        other.close()

    asyncio.run(main())


def test_a_callback_may_take_frames_the_stream_and_be_a_coroutine(zmq, streams):
    async def main():
        one, other = streams()
        came = []

        async def answer(stream, parts):
            await asyncio.sleep(0)
            stream.send_multipart([b"again", *parts])

        other.on_recv_stream(answer)
        one.on_recv(came.extend, copy=False)
        one.send(b"x", copy=False, track=True, callback=lambda parts, tracker: came.append(tracker))
        await until(lambda: len(came) == 3)
        assert isinstance(came[0], zmq.MessageTracker)
        assert [type(frame) for frame in came[1:]] == [zmq.Frame, zmq.Frame]
        assert b" ".join(map(bytes, came[1:])) == b"again x"
        one.close()
        other.close()

    asyncio.run(main())


def test_a_flush_moves_messages_without_the_loop(streams):
    async def main():
        one, other = streams()
        came = []
        for number in range(3):
            one.send(b"%d" % number)
        assert one.flush() == 3 and not one.sending()
        other.on_recv(came.append)
        assert other.flush(limit=2) == 2 and came == [[b"0"], [b"1"]]
        await until(lambda: len(came) == 3)
        other.stop_on_recv()
        one.send(b"to nobody")
        assert one.flush() == 1
        assert other.flush() == 1 and len(came) == 3
        one.close()
        other.close()

    asyncio.run(main())


def test_a_stream_stops_and_goes_on(streams):
    async def main():
        one, other = streams()
        came = []

        def once(parts):
            came.append(parts)
            other.stop_on_recv()

        other.on_recv(once)
        for number in range(3):
            one.send(b"%d" % number)
        await until(lambda: not one.sending() and came)
        await asyncio.sleep(0.02)
        assert came == [[b"0"]] and not other.receiving()
        other.on_recv(came.append)
        await until(lambda: len(came) == 3)
        one.close()
        other.close()

    asyncio.run(main())


def test_a_closed_stream_tells_once_and_takes_nothing(streams):
    async def main():
        one, other = streams()
        closed = []
        other.set_close_callback(lambda: closed.append(True))
        other.on_recv(lambda parts: other.close())
        one.send(b"x")
        one.send(b"y")
        await until(other.closed)
        other.close()
        await asyncio.sleep(0.02)
        assert closed == [True]
        for call in (lambda: other.send(b"x"), lambda: other.on_recv(None), other.flush):
            with pytest.raises(OSError, match="Stream is closed"):
                call()
        one.close()

    asyncio.run(main())


def test_what_a_full_peer_has_no_room_for_leaves_later(zmq, context, streams):
    context.sndhwm = context.rcvhwm = 2

    async def main():
        one, other = streams(zmq.PUSH, zmq.PULL)
        came = []
        for number in range(100):
            one.send(b"%d" % number)
        await asyncio.sleep(0.02)
        assert one.sending()
        other.on_recv(came.append)
        await until(lambda: len(came) == 100)
        assert came == [[b"%d" % number] for number in range(100)] and not one.sending()
        one.close()
        other.close()

    asyncio.run(main())


def test_ours_needs_no_tornado_and_is_idle_while_nothing_comes():
    import tightbeam as zmq
    from tightbeam.eventloop.zmqstream import ZMQStream

    async def main():
        loop, turns = asyncio.get_running_loop(), []
        with zmq.Context() as context, context.socket(zmq.PUSH) as push, context.socket(zmq.PULL) as pull:
            push.connect(f"tcp://127.0.0.1:{pull.bind_to_random_port('tcp://127.0.0.1')}")
            stream, came = ZMQStream(pull, loop), []
            stream.on_recv(came.append)
            push.send(b"x")
            await until(lambda: came)
            await asyncio.sleep(0.02)
            look = stream._look
            stream.stop_on_recv()
            stream._look = lambda: (turns.append(True), look())
            stream.on_recv(came.append)
            await asyncio.sleep(0.1)
            assert 1 <= len(turns) <= 3
            push.send(b"y")
            await until(lambda: len(came) == 2)
            stream.close()

    asyncio.run(main())


def test_ours_says_what_a_callback_raised_and_goes_on(caplog):
    import tightbeam as zmq
    from tightbeam.eventloop.zmqstream import ZMQStream

    async def main():
        with zmq.Context() as context, context.socket(zmq.PUSH) as push, context.socket(zmq.PULL) as pull:
            push.connect(f"tcp://127.0.0.1:{pull.bind_to_random_port('tcp://127.0.0.1')}")
            stream, came = ZMQStream(pull, asyncio.get_running_loop()), []

            def fail(parts):
                came.append(parts)
                raise ValueError("at once")

            async def fail_later(parts):
                fail(parts)

            stream.on_recv(fail)
            push.send(b"x")
            await until(lambda: came)
            stream.on_recv(fail_later)
            push.send(b"y")
            await until(lambda: len(caplog.records) == 2)
            assert [record.exc_info[0] for record in caplog.records] == [ValueError] * 2
            stream.close()

    asyncio.run(main())
