"""Sockets in asyncio's loops."""

import asyncio
import contextvars
import gc
import importlib
import weakref

import pytest


@pytest.fixture
def zasync(zmq):
    return importlib.import_module(zmq.__name__ + ".asyncio")


@pytest.fixture
def run(zasync):
    """Runs a coroutine with a context whose sockets are closed behind it."""

    def run(main):
        async def limited():
            context = zasync.Context()
            opened = []

            def open_socket(kind):
                opened.append(context.socket(kind))
                return opened[-1]

            try:
                return await asyncio.wait_for(main(open_socket), 20)
            finally:
                for socket in opened:
                    socket.close(linger=0)
                context.term()

        return asyncio.run(limited())

    return run


def joined(open_socket, bound_type, connected_type):
    bound, connected = open_socket(bound_type), open_socket(connected_type)
    port = bound.bind_to_random_port("tcp://127.0.0.1")
    connected.connect(f"tcp://127.0.0.1:{port}")
    return bound, connected


def test_a_request_is_answered(zmq, run):
    async def main(open_socket):
        rep, req = joined(open_socket, zmq.REP, zmq.REQ)

        async def serve():
            for _ in range(50):
                await rep.send_multipart(await rep.recv_multipart())

        server = asyncio.ensure_future(serve())
        for i in range(50):
            await req.send(b"%d" % i)
            assert await req.recv() == b"%d" % i
        await server

    run(main)


def test_a_send_that_is_not_awaited_is_sent(zmq, run):
    async def main(open_socket):
        pull, push = joined(open_socket, zmq.PULL, zmq.PUSH)
        waiting = pull.recv()
        push.send(b"not awaited")
        push.send_string("text")
        assert await waiting == b"not awaited"
        assert await pull.recv_string() == "text"
        push.send_json([1])
        assert await pull.recv_json() == [1]
        push.send_pyobj({1})
        assert await pull.recv_pyobj() == {1}

    run(main)


def test_receives_are_served_in_turn(zmq, run):
    async def main(open_socket):
        pull, push = joined(open_socket, zmq.PULL, zmq.PUSH)
        waiting = [pull.recv() for _ in range(10)]
        for i in range(10):
            await push.send(b"%d" % i)
        assert await asyncio.gather(*waiting) == [b"%d" % i for i in range(10)]

    run(main)


def test_a_cancelled_receive_loses_nothing(zmq, run):
    async def main(open_socket):
        pull, push = joined(open_socket, zmq.PULL, zmq.PUSH)
        for _ in range(10):
            task = asyncio.ensure_future(_awaited(pull.recv))
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        waiting = [pull.recv() for _ in range(4)]
        for cancelled in waiting[::2]:
            cancelled.cancel()
        for i in range(20):
            await push.send(b"%d" % i)
        received = [await future for future in waiting[1::2]]
        received += [await pull.recv() for _ in range(18)]
        assert received == [b"%d" % i for i in range(20)]

    run(main)


def test_sends_wait_for_room(zmq, run):
    async def main(open_socket):
        pull, push = open_socket(zmq.PULL), open_socket(zmq.PUSH)
        push.sndhwm = pull.rcvhwm = 2
        push.bind("inproc://room")
        pull.connect("inproc://room")
        sends = [push.send(b"%d" % i) for i in range(20)]
        assert not sends[-1].done()
        for i in range(20):
            assert await pull.recv() == b"%d" % i
        await asyncio.gather(*sends)

    run(main)


def test_time_outs_raise_again(zmq, run):
    async def main(open_socket):
        pull = open_socket(zmq.PULL)
        pull.rcvtimeo = 20
        for call in (pull.recv, pull.recv_multipart, pull.recv_string):
            with pytest.raises(zmq.Again):
                await call()
        with pytest.raises(zmq.Again):
            await pull.recv(zmq.DONTWAIT)

    run(main)


def test_polls_answer_futures(zmq, zasync, run):
    async def main(open_socket):
        pull, push = joined(open_socket, zmq.PULL, zmq.PUSH)
        assert await pull.poll(10) == 0
        waiting = asyncio.ensure_future(pull.poll(10_000))
        await asyncio.sleep(0)
        await push.send(b"x")
        assert await waiting == zmq.POLLIN
        poller = zasync.Poller()
        poller.register(pull, zmq.POLLIN)
        assert await poller.poll(10_000) == [(pull, zmq.POLLIN)]
        assert await pull.recv() == b"x"
        assert await poller.poll(10) == []
        assert await push.poll(10_000, zmq.POLLOUT) == zmq.POLLOUT

    run(main)


def test_a_poll_and_a_receive_wait_for_the_same_socket(zmq, run):
    async def main(open_socket):
        pull, push = joined(open_socket, zmq.PULL, zmq.PUSH)
        received = pull.recv()
        polled = asyncio.ensure_future(pull.poll(10_000))
        await asyncio.sleep(0)
        await push.send(b"one")
        await push.send(b"two")
        assert await received == b"one"
        assert await polled == zmq.POLLIN
        assert await pull.recv() == b"two"

    run(main)


def test_a_monitor_can_be_awaited(zmq, run):
    monitor = importlib.import_module(zmq.__name__ + ".utils.monitor")

    async def main(open_socket):
        pull = open_socket(zmq.PULL)
        events = pull.get_monitor_socket()
        pull.bind("tcp://127.0.0.1:*")
        event = await monitor.recv_monitor_message(events)
        assert event["event"] == zmq.EVENT_LISTENING
        pull.disable_monitor()
        events.close()

    run(main)


def test_errors_come_with_the_future(zmq, run):
    async def main(open_socket):
        pull = open_socket(zmq.PULL)
        with pytest.raises(zmq.ZMQError) as refused:
            await pull.send(b"x")
        assert refused.value.errno == zmq.ENOTSUP

    run(main)


@pytest.fixture
def ours():
    return importlib.import_module("tightbeam"), importlib.import_module("tightbeam.asyncio")


def test_a_message_that_came_for_a_cancelled_task_goes_back(ours):
    zmq, zasync = ours

    async def main():
        with zasync.Context() as context:
            with context.socket(zmq.PULL) as pull, context.socket(zmq.PUSH) as push:
                pull.bind("inproc://back")
                push.connect("inproc://back")
                for receive in (pull.recv_multipart, pull.recv):
                    task = asyncio.ensure_future(_awaited(receive))
                    await asyncio.sleep(0)
                    # It comes, and before the task hears of it, the task is cancelled.
                    await push.send_multipart([b"a", b"b"])
                    pull._waits.look()
                    task.cancel()
                    with pytest.raises(asyncio.CancelledError):
                        await task
                    assert await pull.poll(0) == zmq.POLLIN
                    assert await pull.recv_multipart() == [b"a", b"b"]

    asyncio.run(main())


async def _awaited(receive):
    return await receive()


def test_an_idle_loop_is_not_called(ours):
    zmq, zasync = ours

    async def main():
        loop = asyncio.get_running_loop()
        calls = 0
        with zasync.Context() as context:
            with context.socket(zmq.PULL) as pull, context.socket(zmq.PUSH) as push:
                pull.bind("inproc://idle")
                push.connect("inproc://idle")
                look = pull._waits.look

                def counted():
                    nonlocal calls
                    calls += 1
                    look()

                pull._waits.look = counted
                waiting = pull.recv()
                await asyncio.sleep(0.2)
                assert calls <= 3
                await push.send(b"x")
                assert await waiting == b"x"
                calls = 0
                for _ in range(5):
                    await push.send(b"y")
                    await asyncio.sleep(0.02)
                # Once to find that nobody waits, and then the loop does not listen any more.
                assert calls <= 2 and not pull._waits.heard
                assert [await pull.recv() for _ in range(5)] == [b"y"] * 5
                assert loop.is_running()

    asyncio.run(main())


def test_messages_are_iterated_over(ours):
    zmq, zasync = ours

    async def main():
        with zasync.Context() as context:
            with context.socket(zmq.PULL) as pull, context.socket(zmq.PUSH) as push:
                pull.bind("inproc://each")
                push.connect("inproc://each")
                for i in range(3):
                    await push.send_multipart([b"%d" % i])
                received = []
                async for message in pull:
                    received.append(message)
                    if len(received) == 3:
                        break
                assert received == [[b"0"], [b"1"], [b"2"]]
                with pytest.raises(zmq.Again):
                    await pull.recv(timeout=0.01)

    asyncio.run(main())


def test_a_future_that_waits_calls_back_as_any_other(ours):
    zmq, zasync = ours
    variable = contextvars.ContextVar("variable", default="outside")

    async def main():
        loop = asyncio.get_running_loop()
        failures, called = [], []
        loop.set_exception_handler(lambda _, failure: failures.append(failure["exception"]))
        with zasync.Context() as context:
            with context.socket(zmq.PULL) as pull, context.socket(zmq.PUSH) as push:
                pull.bind("inproc://calls")
                push.connect("inproc://calls")

                def fails(_):
                    raise LookupError("in a callback")

                def sees(future):
                    called.append((variable.get(), future.result()))

                received = [pull.recv() for _ in range(3)]
                variable.set("inside")
                received[0].add_done_callback(fails)
                received[0].add_done_callback(sees)
                received[1].add_done_callback(sees)
                assert received[1].remove_done_callback(sees) == 1
                received[1].add_done_callback(sees)
                received[2].add_done_callback(lambda future: called.append(future.cancelled()))
                received[2].cancel()
                for body in (b"0", b"1"):
                    await push.send(body)
                while len(called) < 3:
                    await asyncio.sleep(0.001)
                assert sorted(called, key=str) == [("inside", b"0"), ("inside", b"1"), True]
                assert [type(failure) for failure in failures] == [LookupError]

    asyncio.run(main())


def test_many_tasks_receive_from_one_socket(ours):
    zmq, zasync = ours

    async def main():
        received = []

        async def take(socket):
            while (body := await socket.recv()) != b"end":
                received.append(body)

        with zasync.Context() as context:
            with context.socket(zmq.PULL) as pull, context.socket(zmq.PUSH) as push:
                port = pull.bind_to_random_port("tcp://127.0.0.1")
                push.connect(f"tcp://127.0.0.1:{port}")
                takers = [asyncio.ensure_future(take(pull)) for _ in range(5)]
                for i in range(3000):
                    await push.send(b"%d" % i)
                    if i % 100 == 0:
                        await asyncio.sleep(0)
                for _ in takers:
                    await push.send(b"end")
                await asyncio.wait_for(asyncio.gather(*takers), 20)
        assert sorted(received, key=int) == [b"%d" % i for i in range(3000)]

    asyncio.run(main())


def test_a_socket_that_was_waited_for_is_collected(ours):
    zmq, zasync = ours

    async def main():
        with zasync.Context() as context:
            for kind in ("inproc://collected", "tcp://127.0.0.1:*"):
                pull, push = context.socket(zmq.PULL), context.socket(zmq.PUSH)
                pull.bind(kind)
                push.connect(pull.get_string(zmq.LAST_ENDPOINT).rstrip("\0"))
                shadow = zasync.Socket.shadow(pull)
                waiting = shadow.recv()
                await push.send(b"x")
                assert await waiting == b"x"
                gone = weakref.ref(shadow)
                del shadow, waiting
                # The callback that heard of the message is over then, too.
                await asyncio.sleep(0)
                gc.collect()
                assert gone() is None
                waiting = pull.recv()
                await push.send(b"y")
                assert await waiting == b"y"
                pull.close()
                push.close()

    asyncio.run(main())
