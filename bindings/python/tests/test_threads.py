"""Objects that are shared by threads: with the GIL, which changes hands as often as it can here, and without it."""

import contextlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import tightbeam as zmq

# How long each storm lasts, in seconds.
STORM_S = 0.3


@pytest.fixture(autouse=True)
def hasty():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.fixture
def context():
    context = zmq.Context()
    context.linger = 0
    yield context
    context.destroy(0)


def storm(*works, threads=2):
    """Calls each function again and again in several threads. Again is no failure, nor is a socket that was closed."""
    until, failures = time.monotonic() + STORM_S, []
    start = threading.Barrier(len(works) * threads)

    def run(work):
        start.wait()
        while time.monotonic() < until and not failures:
            try:
                work()
            except zmq.Again:
                pass
            except zmq.ZMQError as error:
                if error.errno != zmq.ENOTSOCK:
                    failures.append(error)
            except BaseException as error:
                failures.append(error)

    running = [threading.Thread(target=run, args=(work,)) for work in works for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(20)
    assert not any(thread.is_alive() for thread in running)
    assert failures == []


@contextlib.contextmanager
def joined(context, left=zmq.DEALER, right=zmq.DEALER):
    with context.socket(left) as first, context.socket(right) as second:
        for socket in (first, second):
            socket.sndtimeo = socket.rcvtimeo = 5
        second.connect(f"tcp://127.0.0.1:{first.bind_to_random_port('tcp://127.0.0.1')}")
        yield first, second


def test_a_socket_may_be_used_in_every_way_at_once(context):
    with joined(context) as (left, right):
        use_in_every_way(left, right)


def use_in_every_way(left, right):
    lent = bytearray(100_000)

    def options():
        left.linger = left.linger
        left.rcvtimeo = 5
        assert left.type == zmq.DEALER and left.get(zmq.LAST_ENDPOINT)

    def lend():
        tracker = left.send(lent, copy=False, track=True)
        assert tracker.done in (True, False)

    def receive():
        for part in right.recv_multipart(copy=False):
            assert len(part.buffer) == len(part.bytes)

    storm(
        lambda: left.send_multipart([b"x", b"y" * 100]),
        lend,
        receive,
        lambda: left.poll(1, zmq.POLLIN | zmq.POLLOUT),
        options,
        lambda: left.stats()["peers"],
        lambda: repr(left),
        threads=1,
    )


def test_sockets_are_opened_and_closed_while_their_context_is_looked_at(context):
    def use():
        with context.socket(zmq.PAIR) as socket:
            socket.bind("tcp://127.0.0.1:*")
            shadow = zmq.Socket.shadow(socket)
            assert shadow.get(zmq.LAST_ENDPOINT) == socket.last_endpoint

    def default():
        context.sndhwm = 7
        assert context.sndhwm == 7

    storm(use, lambda: repr(context), default)


def test_a_socket_may_be_closed_under_those_who_use_it(context):
    sockets, changing = [context.socket(zmq.DEALER)], threading.Lock()

    def change():
        with changing:
            sockets[0].close(0)
            made = context.socket(zmq.DEALER)
            made.rcvtimeo = made.sndtimeo = 1
            made.bind("tcp://127.0.0.1:*")
            sockets[0] = made

    def use():
        socket = sockets[0]
        socket.send(b"x", copy=False)
        socket.recv(copy=False)

    storm(change, use, lambda: sockets[0].recv(), lambda: sockets[0].get(zmq.EVENTS))
    sockets[0].close()


def test_a_context_may_be_ended_under_those_who_use_it():
    def use():
        with zmq.Context() as made:
            ended = []
            socket = made.socket(zmq.PULL)

            def wait():
                try:
                    socket.recv()
                except zmq.ContextTerminated:
                    ended.append(True)
                finally:
                    socket.close()

            waiter = threading.Thread(target=wait)
            waiter.start()
            made.term()
            waiter.join(10)
            assert ended

    storm(use, threads=2)


def test_one_instance_is_made_for_all():
    class Own(zmq.Context):
        pass

    made, start = [], threading.Barrier(8)

    def get():
        start.wait()
        made.append(Own.instance())

    threads = [threading.Thread(target=get) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(made) == 8 and len(set(map(id, made))) == 1
    made[0].term()


def test_frames_are_shared():
    frame = zmq.Frame(b"x" * 100_000, copy=False, track=True)

    def views():
        assert frame.buffer[:3] == b"xxx" and len(frame) == 100_000
        assert frame.fast_copy().bytes == frame.bytes

    storm(views, lambda: repr(frame), lambda: frame.tracker.done)


def test_buffers_come_back_to_whoever_lent_them(context):
    class Buffer(bytearray):
        pass

    with joined(context, zmq.PUSH, zmq.PULL) as (push, pull):
        storm(lambda: push.send(Buffer(70_000), copy=False), pull.recv, lambda: pull.recv(copy=False))


def test_rules_are_changed_while_peers_are_judged(context):
    rules = zmq.Authenticator()
    context.set_authenticator(rules)

    def join():
        with context.socket(zmq.DEALER) as server, context.socket(zmq.DEALER) as client:
            server.plain_server, server.zap_domain = True, b"domain"
            client.plain_username, client.plain_password = b"user", b"word"
            client.connect(f"tcp://127.0.0.1:{server.bind_to_random_port('tcp://127.0.0.1')}")
            client.send(b"x")
            assert server.poll(5000)

    def change():
        rules.plain("domain", "user", "word")
        rules.allow("127.0.0.1")
        rules.plain("other", "user", "word")
        rules.forget_user("other", "user")

    change()
    storm(join, change, threads=1)


def free_threaded():
    """A free-threaded interpreter that has this package and what its tests need, if there is one."""
    named = os.environ.get("TIGHTBEAM_FREE_THREADED_PYTHON")
    if named:
        return named
    return next((str(path) for path in Path.home().glob(".pyenv/versions/*t/bin/python")), None)


@pytest.mark.timeout(600)
@pytest.mark.skipif(free_threaded() is None, reason="TIGHTBEAM_FREE_THREADED_PYTHON names no interpreter")
@pytest.mark.skipif("not sys._is_gil_enabled()" if hasattr(sys, "_is_gil_enabled") else "False", reason="this is it")
def test_all_of_it_holds_without_the_gil():
    """Builds the module for the interpreter, and runs the tests of threads and of objects on it."""
    here = Path(__file__).resolve().parent
    python = free_threaded()
    environment = {**os.environ, "PYTHON_GIL": "0"}
    build = [python, "-m", "maturin", "develop", "--quiet"]
    subprocess.run(build, cwd=here.parent, env=environment, check=True, timeout=400)
    tests = ["test_threads.py", "test_own.py", "test_objects.py", "test_processes.py", "test_collected.py"]
    call = [python, "-X", "gil=0", "-m", "pytest", "--quiet", *(str(here / test) for test in tests)]
    subprocess.run(call, cwd=here.parent, env=environment, check=True, timeout=400)
