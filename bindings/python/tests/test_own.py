"""What pyzmq does not have."""

import asyncio
import signal
import threading
import time

import pytest
import tightbeam
import tightbeam.asyncio
from tightbeam.utils.monitor import recv_monitor_message


@pytest.fixture
def context():
    opened = []

    class Context(tightbeam.Context):
        def socket(self, *args, **kwargs):
            opened.append(super().socket(*args, **kwargs))
            return opened[-1]

    context = Context()
    yield context
    context.destroy(linger=0)


def test_calls_take_a_time_out(context):
    pull, push = context.socket(tightbeam.PULL), context.socket(tightbeam.PUSH)
    for call in (
        lambda: pull.recv(timeout=0.01),
        lambda: pull.recv_multipart(timeout=0),
        lambda: pull.recv_json(timeout=0.01),
        lambda: pull.recv_string(timeout=0.01),
        lambda: push.send(b"", timeout=0.01),
        lambda: push.send_multipart([b""], timeout=0.01),
        lambda: push.send_json({}, timeout=0.01),
    ):
        with pytest.raises(tightbeam.Again):
            call()
    with pytest.raises(OverflowError):
        pull.recv(timeout=float("inf"))


def test_a_time_out_is_not_begun_again_by_signals(context):
    pull = context.socket(tightbeam.PULL)
    rings = []
    before = signal.signal(signal.SIGALRM, lambda *_: rings.append(time.monotonic()))
    signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
    try:
        with pytest.raises(tightbeam.Again):
            pull.recv(timeout=0.3)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert rings


def test_statistics_tell_what_was_carried_and_waits(context):
    pull, push = context.socket(tightbeam.PULL), context.socket(tightbeam.PUSH)
    push.connect(f"tcp://127.0.0.1:{pull.bind_to_random_port('tcp://127.0.0.1')}")
    push.send(b"12345")
    assert pull.recv(timeout=10) == b"12345"
    stats = push.stats()
    assert (stats["messages_sent"], stats["bytes_sent"], stats["connections"]) == (1, 5, 1)
    (peer,) = pull.stats()["peers"]
    assert peer["connected"] and peer["address"] == "127.0.0.1" and peer["recv_queue"] == 0


def test_a_socket_is_shared_between_threads(context):
    pull, push = context.socket(tightbeam.PULL), context.socket(tightbeam.PUSH)
    push.connect(f"tcp://127.0.0.1:{pull.bind_to_random_port('tcp://127.0.0.1')}")
    threads, each = 4, 200
    received = []

    def send(number):
        for i in range(each):
            push.send_multipart([b"%d" % number, b"%d" % i])

    def receive():
        for _ in range(each):
            received.append(tuple(pull.recv_multipart(timeout=10)))

    workers = [threading.Thread(target=send, args=(n,)) for n in range(threads)]
    workers += [threading.Thread(target=receive) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(received) == sorted((b"%d" % n, b"%d" % i) for n in range(threads) for i in range(each))


def test_a_closed_socket_ends_the_waits_of_other_threads(context):
    pull = context.socket(tightbeam.PULL)
    told = []

    def wait():
        try:
            pull.recv()
        except tightbeam.ZMQError as error:
            told.append(error.errno)

    waiter = threading.Thread(target=wait)
    waiter.start()
    pull.close()
    waiter.join()
    assert told == [tightbeam.ENOTSOCK]


def test_a_lent_buffer_cannot_be_resized(context):
    push = context.socket(tightbeam.PUSH)
    push.connect("inproc://resize")
    buffer = bytearray(1 << 20)
    tracker = push.send(buffer, copy=False, track=True)
    with pytest.raises(BufferError):
        buffer.extend(b"x")
    push.close(linger=0)
    tracker.wait(10)
    buffer.extend(b"x")


def secured(context, serves):
    """A server and a client of PLAIN or CURVE, with a domain."""
    server, client = context.socket(tightbeam.DEALER), context.socket(tightbeam.DEALER)
    keys = tightbeam.curve_keypair()
    if serves == "PLAIN":
        server.plain_server = True
        client.plain_username, client.plain_password = b"ada", b"secret"
    else:
        theirs, server.curve_secretkey = tightbeam.curve_keypair()
        server.curve_server = True
        client.curve_publickey, client.curve_secretkey = keys
        client.curve_serverkey = theirs
    server.zap_domain = b"weather"
    return server, client, keys[0]


@pytest.mark.parametrize("serves", ["PLAIN", "CURVE"])
def test_rules_let_in_whom_they_know_without_a_thread(context, serves):
    rules = tightbeam.Authenticator()
    context.set_authenticator(rules)
    server, client, key = secured(context, serves)
    rules.plain("weather", "ada", "secret")
    rules.curve_key("weather", key)
    client.connect(f"tcp://127.0.0.1:{server.bind_to_random_port('tcp://127.0.0.1')}")
    client.send(b"hello")
    frame = server.recv(copy=False, timeout=10)
    assert frame["User-Id"] == ("ada" if serves == "PLAIN" else key.decode())
    assert rules.forget_domain("weather")


@pytest.mark.parametrize("serves", ["PLAIN", "CURVE"])
def test_whom_no_rule_knows_is_refused(context, serves):
    rules = tightbeam.Authenticator()
    context.set_authenticator(rules)
    server, client, key = secured(context, serves)
    rules.plain("weather", "ada", "another")
    rules.curve_key("elsewhere", key)
    events = server.get_monitor_socket(tightbeam.EVENT_HANDSHAKE_FAILED_AUTH)
    client.connect(f"tcp://127.0.0.1:{server.bind_to_random_port('tcp://127.0.0.1')}")
    event = recv_monitor_message(events)
    assert event["value"] == 400
    server.disable_monitor()
    events.close()


def test_rules_name_what_they_do_not_understand():
    rules = tightbeam.Authenticator()
    with pytest.raises(tightbeam.ZMQError):
        rules.allow("nowhere")
    with pytest.raises(ValueError):
        rules.curve_key("*", b"short")


def test_in_asyncio_a_receive_tries_for_a_moment_only_where_the_loop_would_sleep(monkeypatch):
    tried = []
    moment = tightbeam._native.moment

    def counting(socket):
        tried.append(socket)
        return moment(socket)

    monkeypatch.setattr(tightbeam._native, "moment", counting)

    async def main():
        with tightbeam.asyncio.Context() as context, context.socket(tightbeam.PULL) as pull, context.socket(tightbeam.PUSH) as push:
            push.connect(f"tcp://127.0.0.1:{pull.bind_to_random_port('tcp://127.0.0.1')}")
            alone = asyncio.ensure_future(pull.recv())
            assert tried == [pull]
            second = asyncio.ensure_future(pull.recv())
            assert tried == [pull], "somebody waits already"
            await push.send(b"1")
            await push.send(b"2")
            assert [await alone, await second] == [b"1", b"2"]
            other = asyncio.create_task(asyncio.sleep(0))
            busy = asyncio.ensure_future(pull.recv())
            assert tried == [pull], "another task can go on"
            await other
            await push.send(b"3")
            assert await busy == b"3"

    asyncio.run(asyncio.wait_for(main(), 20))
