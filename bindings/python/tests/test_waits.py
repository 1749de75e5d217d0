"""Polls, signals, threads and forks."""

import os
import select
import signal
import socket
import threading
import time

import pytest


def test_a_poller_tells_what_is_ready(zmq, pair):
    pull, push = pair(zmq.PULL, zmq.PUSH)
    poller = zmq.Poller()
    poller.register(pull, zmq.POLLIN)
    poller.register(push)
    assert pull in poller and dict(poller.poll(10_000)) == {push: zmq.POLLOUT}
    push.send(b"x")
    poller.modify(push, zmq.POLLIN)
    assert poller.poll() == [(pull, zmq.POLLIN)]
    poller.register(pull, 0)
    assert pull not in poller
    with pytest.raises(KeyError):
        poller.unregister(pull)
    assert poller.poll(1) == []
    assert pull.poll(10_000) == zmq.POLLIN and pull.poll(0, zmq.POLLOUT) == 0


def test_a_poller_takes_descriptors_and_files(zmq, pair):
    pull, push = pair(zmq.PULL, zmq.PUSH)
    near, far = socket.socketpair()
    with near, far:
        poller = zmq.Poller()
        poller.register(pull, zmq.POLLIN)
        poller.register(near, zmq.POLLIN)
        poller.register(far.fileno(), zmq.POLLIN)
        assert poller.poll(0) == []
        far.send(b"x")
        assert poller.poll(10_000) == [(near.fileno(), zmq.POLLIN)]
    poller = zmq.Poller()
    poller.register("nonsense")
    with pytest.raises(TypeError):
        poller.poll(0)


def test_select_has_lists(zmq, pair):
    pull, push = pair(zmq.PULL, zmq.PUSH)
    assert zmq.select([pull], [push], [], 10) == ([], [push], [])
    push.send(b"x")
    assert zmq.select([pull], [], [], 10) == ([pull], [], [])


def test_the_descriptor_wakes_a_loop(zmq, pair):
    pull, push = pair(zmq.PULL, zmq.PUSH)
    assert pull.fileno() == pull.FD
    assert not pull.EVENTS & zmq.POLLIN
    push.send(b"x")
    while not pull.EVENTS & zmq.POLLIN:
        ready, _, _ = select.select([pull.fileno()], [], [], 10)
        assert ready
    assert pull.recv(zmq.DONTWAIT) == b"x"


class Rang(Exception):
    pass


@pytest.fixture
def alarm():
    """Has a function called by a signal, a moment from now."""
    before = signal.getsignal(signal.SIGALRM)

    def ring(handler):
        signal.signal(signal.SIGALRM, lambda *_: handler())
        signal.setitimer(signal.ITIMER_REAL, 0.1)

    yield ring
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def fail():
    raise Rang


@pytest.mark.parametrize(
    "wait",
    [
        lambda zmq, pull, push: pull.recv(),
        lambda zmq, pull, push: pull.recv_multipart(copy=False),
        lambda zmq, pull, push: push.send(b""),
        lambda zmq, pull, push: pull.poll(10_000),
        lambda zmq, pull, push: zmq.select([pull], [], [], 10),
        lambda zmq, pull, push: zmq.zmq_poll([(pull, zmq.POLLIN)], 10_000),
    ],
)
def test_what_a_signal_handler_raises_ends_every_wait(zmq, context, alarm, wait):
    pull, push = context.socket(zmq.PULL), context.socket(zmq.PUSH)
    pull.bind("inproc://nobody")
    alarm(fail)
    with pytest.raises(Rang):
        wait(zmq, pull, push)


def test_a_wait_goes_on_after_a_signal(zmq, context, alarm):
    pull, push = context.socket(zmq.PULL), context.socket(zmq.PUSH)
    pull.bind("inproc://goes-on")
    push.connect("inproc://goes-on")
    alarm(lambda: push.send(b"by the handler"))
    assert pull.recv() == b"by the handler"


def test_sockets_in_many_threads_do_not_hinder_each_other(zmq, context):
    router = context.socket(zmq.ROUTER)
    endpoint = f"tcp://127.0.0.1:{router.bind_to_random_port('tcp://127.0.0.1')}"
    clients, requests = 4, 50
    failed = []

    def ask(number):
        with context.socket(zmq.REQ) as req:
            req.connect(endpoint)
            for i in range(requests):
                request = b"%d %d" % (number, i)
                req.send(request)
                if req.recv() != request:
                    failed.append(request)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for _ in range(clients * requests):
        router.send_multipart(router.recv_multipart())
    for thread in threads:
        thread.join()
    assert not failed


def test_a_wait_lets_other_threads_run(zmq, pair):
    pull, push = pair(zmq.PULL, zmq.PUSH)
    waiting = threading.Event()
    received = []

    def wait():
        waiting.set()
        received.append(pull.recv())

    waiter = threading.Thread(target=wait)
    waiter.start()
    waiting.wait()
    push.send(b"x")
    waiter.join()
    assert received == [b"x"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_has_a_context_of_its_own(zmq):
    instance = zmq.Context.instance()
    rep = instance.socket(zmq.REP)
    rep.rcvtimeo = 10_000
    endpoint = f"tcp://127.0.0.1:{rep.bind_to_random_port('tcp://127.0.0.1')}"
    child = os.fork()
    if child == 0:
        status = 1
        try:
            rep.close(linger=0)
            own = zmq.Context.instance()
            assert own is not instance
            req = own.socket(zmq.REQ)
            req.rcvtimeo = 10_000
            req.connect(endpoint)
            req.send(b"from the child")
            assert req.recv() == b"to the child"
            req.close()
            own.term()
            status = 0
        finally:
            os._exit(status)
    assert rep.recv() == b"from the child"
    rep.send(b"to the child")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    rep.close()
    instance.term()


def test_a_proxy_passes_messages_until_its_context_ends(zmq):
    context = zmq.Context()
    ready = threading.Barrier(2)
    ended = []

    def serve():
        front, back = context.socket(zmq.ROUTER), context.socket(zmq.DEALER)
        front.bind("inproc://front")
        back.bind("inproc://back")
        ready.wait()
        try:
            zmq.proxy(front, back)
        except zmq.ContextTerminated:
            ended.append(True)
        front.close(linger=0)
        back.close(linger=0)

    proxy = threading.Thread(target=serve)
    proxy.start()
    ready.wait()
    with context.socket(zmq.REQ) as req, context.socket(zmq.REP) as rep:
        req.connect("inproc://front")
        rep.connect("inproc://back")
        req.send(b"there")
        rep.send(rep.recv() + b" and back")
        assert req.recv() == b"there and back"
    context.term()
    proxy.join()
    assert ended == [True]


def test_a_device_echoes_over_one_socket(zmq):
    context = zmq.Context()
    router = context.socket(zmq.ROUTER)
    endpoint = f"tcp://127.0.0.1:{router.bind_to_random_port('tcp://127.0.0.1')}"

    def serve():
        with pytest.raises(zmq.ContextTerminated):
            zmq.device(zmq.QUEUE, router, router)
        router.close(linger=0)

    device = threading.Thread(target=serve)
    device.start()
    with context.socket(zmq.REQ) as req:
        req.connect(endpoint)
        req.send(b"heartbeat")
        assert req.poll(10_000) and req.recv() == b"heartbeat"
    context.term()
    device.join()


def test_a_time_out_is_waited_out(zmq, context):
    pull = context.socket(zmq.PULL)
    start = time.monotonic()
    assert pull.poll(50) == 0
    assert time.monotonic() - start >= 0.045


def test_threads_answer_each_other(zmq, context):
    left, right = context.socket(zmq.PAIR), context.socket(zmq.PAIR)
    left.bind("inproc://threads")
    right.connect("inproc://threads")

    def answer():
        for _ in range(2000):
            right.send_multipart(right.recv_multipart())

    thread = threading.Thread(target=answer)
    thread.start()
    for i in range(2000):
        left.send(b"%d" % i)
        assert left.recv() == b"%d" % i
    thread.join()


def test_who_waits_for_long_each_time_soon_sleeps_at_once(zmq, context):
    pull, push = context.socket(zmq.PULL), context.socket(zmq.PUSH)
    port = pull.bind_to_random_port("tcp://127.0.0.1")
    push.connect(f"tcp://127.0.0.1:{port}")

    def send():
        for _ in range(100):
            time.sleep(0.003)
            push.send(b"x")

    thread = threading.Thread(target=send)
    begun, used = time.monotonic(), time.process_time()
    thread.start()
    for _ in range(100):
        pull.recv()
    thread.join()
    assert time.process_time() - used < (time.monotonic() - begun) / 2
