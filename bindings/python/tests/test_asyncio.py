"""Sockets in asyncio's loops."""

import asyncio
import contextvars
import gc
import importlib
import os
import time
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


def test_what_came_for_one_who_waits_is_not_lost_when_another_begins_to_wait(zmq, run):
    async def main(open_socket):
        left, right = open_socket(zmq.DEALER), open_socket(zmq.DEALER)
        left.sndhwm = right.rcvhwm = 1
        left.bind("inproc://two")
        right.connect("inproc://two")
        first = left.recv()
        await right.send(b"1")
        second = left.recv()
        assert await asyncio.wait_for(first, 5) == b"1"
        await asyncio.sleep(0.01)
        # Those who wait to send, and both at once.
        while (full := left.send(b"x")).done():
            pass
        await right.recv()
        more = left.send(b"x")
        await asyncio.wait_for(full, 5)
        await right.send(b"2")
        more = [more, left.send(b"x")]
        assert await asyncio.wait_for(second, 5) == b"2"
        for waiting in more:
            waiting.cancel()

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


@pytest.mark.parametrize("wait", ["recv", "recv_multipart", "poll"])
def test_what_waits_in_a_socket_that_is_closed_is_cancelled(zmq, run, wait):
    async def main(open_socket):
        pull = open_socket(zmq.PULL)
        waiting = getattr(pull, wait)()
        await asyncio.sleep(0.01)
        pull.close()
        done, _ = await asyncio.wait([waiting], timeout=10)
        assert [future.cancelled() for future in done] == [True]

    run(main)


@pytest.mark.parametrize("call", ["recv", "recv_multipart", "recv_string", "recv_json", "poll"])
def test_flags_are_numbers(zmq, run, call):
    async def main(open_socket):
        pull, push = joined(open_socket, zmq.PULL, zmq.PUSH)
        await push.send(b"1")
        await pull.poll(10_000)
        with pytest.raises(TypeError):
            await getattr(pull, call)(flags="x")

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


def test_closing_a_socket_ends_what_waits_in_it(zmq, zasync, run):
    async def main(open_socket):
        pull = open_socket(zmq.PULL)
        poller = zasync.Poller()
        poller.register(pull, zmq.POLLIN)
        waiting = [pull.recv(), pull.poll(), poller.poll()]
        await asyncio.sleep(0)
        pull.close()
        for future in waiting:
            with pytest.raises(asyncio.CancelledError):
                await asyncio.wait_for(future, 5)

    run(main)


def test_a_loop_that_polls_a_blocking_socket_is_idle(zmq, zasync, run):
    async def main(_):
        with zmq.Context() as context, context.socket(zmq.DEALER) as left, context.socket(zmq.DEALER) as right:
            right.connect(f"tcp://127.0.0.1:{left.bind_to_random_port('tcp://127.0.0.1')}")
            poller = zasync.Poller()
            poller.register(left, zmq.POLLIN)
            selector = asyncio.get_running_loop()._selector
            select, selects = selector.select, 0

            def counted(timeout=None):
                nonlocal selects
                selects += 1
                return select(timeout)

            selector.select = counted
            assert await poller.poll(300) == []
            assert selects < 20
            right.send(b"x")
            assert await poller.poll(10_000) == [(left, zmq.POLLIN)]

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


def test_what_is_loaded_goes_back_when_its_task_is_cancelled(ours):
    zmq, zasync = ours

    async def main():
        loop = asyncio.get_running_loop()
        with zasync.Context() as context:
            with context.socket(zmq.PULL) as pull, context.socket(zmq.PUSH) as push:
                pull.bind("inproc://loaded")
                push.connect("inproc://loaded")
                for receive in (pull.recv_string, pull.recv_json, lambda: pull.recv_serialized(list)):
                    task = asyncio.ensure_future(_awaited(receive))
                    await asyncio.sleep(0)
                    push.send(b"true")
                    # As in a loop that is late: the message has come and the time is over in the same round.
                    loop.call_soon(pull._waits.look)
                    loop.call_soon(task.cancel)
                    try:
                        await task
                    except asyncio.CancelledError:
                        await pull.recv_json(timeout=5)
                    # It came, and its task goes on later.
                    task = asyncio.ensure_future(_awaited(receive))
                    await asyncio.sleep(0)
                    push.send(b"true")
                    pull._waits.look()
                    task.cancel()
                    with pytest.raises(asyncio.CancelledError):
                        await task
                    assert await pull.recv_json(timeout=5) is True
                waiting = pull.recv_json()
                push.send(b"{")
                with pytest.raises(ValueError):
                    await waiting

    asyncio.run(main())


def test_a_class_with_a_receive_of_its_own_loads_what_that_answers(ours):
    zmq, zasync = ours

    class Shouting(zasync.Socket):
        def recv(self, *args, **kwargs):
            async def shout():
                return (await super(Shouting, self).recv(*args, **kwargs)).upper()

            return asyncio.ensure_future(shout())

    async def main():
        with zasync.Context() as context:
            with Shouting(context, zmq.PULL) as pull, context.socket(zmq.PUSH) as push:
                pull.bind("inproc://shouting")
                push.connect("inproc://shouting")
                waiting = pull.recv_string()
                await push.send(b"hello")
                assert await waiting == "HELLO"

    asyncio.run(main())


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_socket_that_is_dropped_after_a_cancelled_receive_is_closed(ours):
    zmq, zasync = ours

    async def main():
        with zasync.Context() as context:
            for call in (zasync.Socket.recv, zasync.Socket.poll):
                socket = context.socket(zmq.PULL)
                socket.bind("tcp://127.0.0.1:*")
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(call(socket), 0.001)
                gone = weakref.ref(socket)
                del socket
                await asyncio.sleep(0)
                gc.collect()
                assert gone() is None

    asyncio.run(main())


def test_a_socket_that_connects_while_it_is_waited_for_is_driven_by_the_loop(ours):
    zmq, zasync = ours

    async def main():
        with zasync.Context() as context:
            with context.socket(zmq.PULL) as pull, context.socket(zmq.PUSH) as push:
                waiting = [pull.recv(), pull.recv()]
                pull.connect(f"tcp://127.0.0.1:{push.bind_to_random_port('tcp://127.0.0.1')}")
                await push.send(b"one")
                assert await asyncio.wait_for(waiting[0], 10) == b"one"
                # The second is that of the network.
                assert len(pull._waits.heard) == 2
                await push.send(b"two")
                assert await asyncio.wait_for(waiting[1], 10) == b"two"

    asyncio.run(main())


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_socket_is_closed_after_the_loop_in_which_somebody_waited(ours):
    zmq, zasync = ours
    with zasync.Context() as context:
        pull = context.socket(zmq.PULL)

        async def poll():
            pull.poll()
            asyncio.ensure_future(_awaited(pull.recv))
            await asyncio.sleep(0)

        loop = asyncio.new_event_loop()
        loop.run_until_complete(poll())
        loop.close()
        pull.close()
        assert pull.closed


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


def test_a_forked_child_does_not_disturb_the_loop_of_its_parent(ours):
    zmq, zasync = ours

    async def main():
        with zasync.Context() as context:
            pull, left, push = context.socket(zmq.PULL), context.socket(zmq.PULL), context.socket(zmq.PUSH)
            with pull, left, push:
                push.connect(f"tcp://127.0.0.1:{pull.bind_to_random_port('tcp://127.0.0.1')}")
                waiting, waiting_left = pull.recv(), left.recv()
                await asyncio.sleep(0)
                child = os.fork()
                if child == 0:
                    pull.close()
                    del left, waiting_left
                    os._exit(0)
                assert os.waitpid(child, 0)[1] == 0
                await push.send(b"x")
                assert await asyncio.wait_for(waiting, 5) == b"x"
                waiting_left.cancel()

    asyncio.run(main())


def test_an_interrupt_in_one_task_leaves_no_other_waiting(ours):
    zmq, zasync = ours
    loop = asyncio.new_event_loop()

    async def interrupted(pull):
        await pull.recv()
        raise KeyboardInterrupt

    async def begin(pull, push):
        push.connect(f"tcp://127.0.0.1:{pull.bind_to_random_port('tcp://127.0.0.1')}")
        assert await push.poll(10_000, zmq.POLLOUT)
        return loop.create_task(interrupted(pull)), loop.create_task(_awaited(pull.recv))

    with zasync.Context() as context, context.socket(zmq.PULL) as pull, context.socket(zmq.PUSH) as push:
        first, second = loop.run_until_complete(begin(pull, push))
        blocking = zmq.Socket.shadow(push)

        def send():
            for _ in range(2):
                blocking.send(b"x")
            # Both have come when the loop hears of them.
            time.sleep(0.05)

        loop.call_later(0.01, send)
        with pytest.raises(KeyboardInterrupt):
            loop.run_forever()
        assert loop.run_until_complete(asyncio.wait_for(second, 5)) == b"x"
        with pytest.raises(KeyboardInterrupt):
            first.result()
    loop.close()


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
