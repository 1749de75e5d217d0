"""Devices: proxies in threads and processes."""

import importlib
import multiprocessing
import pickle
import subprocess
import sys
import threading
import time

import pytest
import tightbeam
import tightbeam.devices


@pytest.fixture
def devices(zmq):
    return importlib.import_module(zmq.__name__ + ".devices")


@pytest.fixture
def begin(context):
    """Starts a device of this context, which ends it."""
    started = []

    def begin(device):
        device.context_factory = lambda: context
        device.start()
        started.append(device)
        return device

    yield begin
    context.term()
    for device in started:
        device.join(10)
        assert device.done


@pytest.fixture
def peer(context):
    """Opens sockets that are connected, and closes them."""
    opened = []

    def peer(kind, port):
        opened.append(context.socket(kind))
        opened[-1].linger = 0
        opened[-1].connect(f"tcp://127.0.0.1:{port}")
        return opened[-1]

    yield peer
    for socket in opened:
        socket.close()


LOCAL = "tcp://127.0.0.1"


def test_a_device_passes_requests_and_replies(zmq, devices, begin, peer):
    device = devices.ThreadDevice(zmq.QUEUE, zmq.ROUTER, zmq.DEALER)
    front, back = device.bind_in_to_random_port(LOCAL), device.bind_out_to_random_port(LOCAL)
    assert front != back and device.daemon and not device.done and device.launcher is None
    begin(device)
    assert device.launcher.daemon and isinstance(device.launcher, threading.Thread)
    client, worker = peer(zmq.REQ, front), peer(zmq.REP, back)
    client.send(b"question")
    assert worker.recv() == b"question"
    worker.send(b"answer")
    assert client.recv() == b"answer"


def test_a_device_of_one_socket_answers_with_what_it_is_asked(zmq, devices, begin, peer):
    device = devices.ThreadDevice(zmq.FORWARDER, zmq.REP, -1)
    port = device.bind_in_to_random_port(LOCAL)
    begin(device)
    client = peer(zmq.REQ, port)
    for beat in (b"1", b"2"):
        client.send(beat)
        assert client.recv() == beat


def test_options_are_set_before_endpoints(zmq, devices, begin, context):
    device = devices.ThreadDevice(zmq.FORWARDER, zmq.SUB, zmq.PUB)
    device.setsockopt_in(zmq.SUBSCRIBE, b"news")
    device.setsockopt_out(zmq.IDENTITY, b"out")
    source, sink = context.socket(zmq.XPUB), context.socket(zmq.SUB)
    sink.subscribe(b"")
    device.connect_in(f"{LOCAL}:{source.bind_to_random_port(LOCAL)}")
    sink_port = sink.bind_to_random_port(LOCAL)
    device.connect_out(f"{LOCAL}:{sink_port}")
    begin(device)
    assert source.recv() == b"\x01news"
    # Until the subscription has reached the device, it drops them.
    got = None
    for _ in range(200):
        source.send(b"weather")
        source.send(b"news of the day")
        if sink.poll(50):
            got = sink.recv()
            break
    assert got == b"news of the day"
    source.close(0)
    sink.close(0)


def test_what_a_proxy_passes_is_told_to_its_monitor(zmq, devices, begin, peer):
    device = devices.ThreadProxy(zmq.PULL, zmq.PUSH, zmq.PUSH)
    ports = [
        device.bind_in_to_random_port(LOCAL),
        device.bind_out_to_random_port(LOCAL),
        device.bind_mon_to_random_port(LOCAL),
    ]
    device.setsockopt_mon(zmq.SNDHWM, 7)
    begin(device)
    source, sink, monitor = (peer(*one) for one in zip((zmq.PUSH, zmq.PULL, zmq.PULL), ports, strict=True))
    source.send_multipart([b"a", b"b"])
    assert sink.recv_multipart() == monitor.recv_multipart() == [b"a", b"b"]


def test_a_monitored_queue_says_where_messages_came_in(zmq, devices, begin, peer):
    device = devices.ThreadMonitoredQueue(zmq.ROUTER, zmq.DEALER, zmq.PUSH, b"asked", b"answered")
    front, back = device.bind_in_to_random_port(LOCAL), device.bind_out_to_random_port(LOCAL)
    port = device.bind_mon_to_random_port(LOCAL)
    begin(device)
    client, worker, monitor = peer(zmq.REQ, front), peer(zmq.REP, back), peer(zmq.PULL, port)
    client.send(b"question")
    assert worker.recv() == b"question"
    worker.send(b"answer")
    assert client.recv() == b"answer"
    asked, answered = monitor.recv_multipart(), monitor.recv_multipart()
    assert (asked[0], asked[-1]) == (b"asked", b"question")
    assert (answered[0], answered[-1]) == (b"answered", b"answer")


def test_between_two_routers_names_change_places(zmq, devices, begin, context):
    device = devices.ThreadMonitoredQueue(zmq.ROUTER, zmq.ROUTER)
    ports = [device.bind_in_to_random_port(LOCAL), device.bind_out_to_random_port(LOCAL)]
    begin(device)
    left, right = context.socket(zmq.DEALER), context.socket(zmq.DEALER)
    for socket, name, port in ((left, b"left", ports[0]), (right, b"right", ports[1])):
        socket.identity, socket.linger = name, 0
        socket.connect(f"{LOCAL}:{port}")
    # Until the other one is known, it drops them.
    for _ in range(200):
        left.send_multipart([b"right", b"hello"])
        if right.poll(50):
            break
    assert right.recv_multipart() == [b"left", b"hello"]
    right.send_multipart([b"left", b"and back"])
    assert left.recv_multipart() == [b"right", b"and back"]
    left.close()
    right.close()


def test_a_monitored_queue_of_one_socket_passes_each_message_once(zmq, devices, context, peer):
    both, monitor = context.socket(zmq.REP), context.socket(zmq.PUB)
    port = both.bind_to_random_port(LOCAL)
    ended = []

    def run():
        with pytest.raises(zmq.ContextTerminated):
            devices.monitored_queue(both, both, monitor)
        both.close(0)
        monitor.close(0)
        ended.append(True)

    thread = threading.Thread(target=run)
    thread.start()
    client = peer(zmq.REQ, port)
    client.send(b"beat")
    assert client.recv() == b"beat"
    client.close()
    context.term()
    thread.join(10)
    assert ended


def test_a_monitored_queue_needs_bytes(zmq, devices, context):
    sockets = [context.socket(kind) for kind in (zmq.PULL, zmq.PUSH, zmq.PUB)]
    with pytest.raises(TypeError):
        devices.monitored_queue(*sockets, in_prefix="text")


def test_a_steerable_proxy_obeys(zmq, devices, context, peer):
    device = devices.ThreadProxySteerable(zmq.PULL, zmq.PUSH, zmq.PUB, zmq.PAIR)
    device.context_factory = lambda: context
    ports = [device.bind_in_to_random_port(LOCAL), device.bind_out_to_random_port(LOCAL)]
    control = device.bind_ctrl_to_random_port(LOCAL)
    device.setsockopt_ctrl(zmq.LINGER, 0)
    device.start()
    source, sink, control = peer(zmq.PUSH, ports[0]), peer(zmq.PULL, ports[1]), peer(zmq.PAIR, control)
    source.send(b"passed")
    assert sink.recv() == b"passed"
    control.send(b"TERMINATE")
    device.join(10)
    assert device.done and not device.launcher.is_alive()


def test_a_device_in_this_thread_returns_when_its_context_ends(zmq, devices):
    context = zmq.Context()
    device = devices.Device(zmq.QUEUE, zmq.PULL, zmq.PUSH)
    device.context_factory = lambda: context
    device.bind_in("inproc://in")
    ending = threading.Timer(0.1, context.term)
    ending.start()
    device.start()
    assert device.done
    device.join()
    ending.join()


def test_devices_say_what_they_need(zmq, devices, context):
    for types in ((), (zmq.QUEUE,), (zmq.QUEUE, zmq.PULL)):
        with pytest.raises(TypeError):
            devices.ThreadDevice(*types)
    device = devices.Device(zmq.QUEUE, zmq.PULL, zmq.PUSH)
    device.bind_in("tcp://127.0.0.1:nowhere")
    device.context_factory = lambda: context
    with pytest.raises(zmq.ZMQError):
        device.start()
    assert device.done


def test_contexts_of_devices(zmq, devices):
    assert devices.ThreadDevice(zmq.QUEUE, zmq.PULL, zmq.PUSH).context_factory() is zmq.Context.instance()
    assert devices.ProcessDevice.context_factory is zmq.Context
    assert devices.ProcessProxy(zmq.PULL, zmq.PUSH).mon_type == zmq.PUB


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_device_runs_in_a_process(zmq, devices, peer, method):
    before = multiprocessing.get_start_method()
    multiprocessing.set_start_method(method, force=True)
    device = devices.ProcessProxy(zmq.PULL, zmq.PUSH)
    ports = [device.bind_in_to_random_port(LOCAL), device.bind_out_to_random_port(LOCAL)]
    try:
        device.start()
    finally:
        multiprocessing.set_start_method(before, force=True)
    source, sink = peer(zmq.PUSH, ports[0]), peer(zmq.PULL, ports[1])
    source.send(b"through a process")
    assert sink.recv() == b"through a process"
    assert device.launcher.daemon and not device.done
    device.join(0.01)
    assert device.launcher.is_alive()
    device.launcher.terminate()
    device.join(10)
    assert not device.launcher.is_alive()


# What pyzmq does otherwise


def test_a_steerable_proxy_without_a_control_socket_is_a_proxy():
    context = tightbeam.Context()
    device = tightbeam.devices.ThreadProxySteerable(tightbeam.PULL, tightbeam.PUSH)
    device.context_factory = lambda: context
    port = device.bind_in_to_random_port(LOCAL)
    with context.socket(tightbeam.PULL) as sink, context.socket(tightbeam.PUSH) as source:
        device.connect_out(f"{LOCAL}:{sink.bind_to_random_port(LOCAL)}")
        device.start()
        source.connect(f"{LOCAL}:{port}")
        source.send(b"passed")
        assert sink.recv(timeout=10) == b"passed"
    context.term()
    device.join(10)
    assert device.done


def test_replies_pass_while_requests_have_nowhere_to_go():
    context = tightbeam.Context()
    device = tightbeam.devices.ThreadMonitoredQueue(tightbeam.PAIR, tightbeam.PAIR)
    device.context_factory = lambda: context
    device.setsockopt_out(tightbeam.SNDHWM, 1)
    device.bind_in("inproc://left")
    device.bind_out("inproc://right")
    left, right = context.socket(tightbeam.PAIR), context.socket(tightbeam.PAIR)
    right.rcvhwm = 1
    device.start()
    left.connect("inproc://left")
    right.connect("inproc://right")
    # More than there is room for on the right.
    for _ in range(20):
        left.send(b"to the right", timeout=10)
    right.send(b"to the left")
    assert left.recv(timeout=10) == b"to the left"
    left.close(0)
    right.close(0)
    context.term()
    device.join(10)


@pytest.mark.parametrize("how", ["term", "destroy"])
def test_the_end_of_its_context_ends_a_device(how):
    context = tightbeam.Context()
    device = tightbeam.devices.ThreadProxy(tightbeam.PULL, tightbeam.PUSH)
    device.context_factory = lambda: context
    port = device.bind_in_to_random_port(LOCAL)
    device.start()
    with context.socket(tightbeam.PUSH) as source:
        source.linger = 0
        source.connect(f"{LOCAL}:{port}")
        source.send(b"", timeout=10)
    getattr(context, how)()
    device.join(10)
    assert device.done


def test_a_device_that_was_not_started_is_not_waited_for():
    with pytest.raises(RuntimeError):
        tightbeam.devices.ThreadProxy(tightbeam.PULL, tightbeam.PUSH).join()


def test_a_device_is_sent_to_a_process_without_what_runs_it():
    device = tightbeam.devices.ProcessProxy(tightbeam.PULL, tightbeam.PUSH)
    device.bind_in("tcp://127.0.0.1:5555")
    copy = pickle.loads(pickle.dumps(device))
    assert copy.in_type == tightbeam.PULL and not copy.done and copy.launcher is None


def test_a_process_ends_beside_its_devices():
    program = """
import tightbeam as zmq
from tightbeam.devices import ThreadProxy
device = ThreadProxy(zmq.PULL, zmq.PUSH)
device.bind_in_to_random_port("tcp://127.0.0.1")
device.start()
"""
    begun = time.monotonic()
    done = subprocess.run([sys.executable, "-X", "dev", "-c", program], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert time.monotonic() - begun < 20
