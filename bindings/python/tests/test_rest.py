"""Monitors, keys, constants, and small things."""

import enum
import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest


def test_a_monitor_tells_of_connections(zmq, context):
    monitor = importlib.import_module(zmq.__name__ + ".utils.monitor")
    pull = context.socket(zmq.PULL)
    events = pull.get_monitor_socket()
    assert pull.get_monitor_socket() is events
    port = pull.bind_to_random_port("tcp://127.0.0.1")
    event = monitor.recv_monitor_message(events)
    assert event["event"] == zmq.EVENT_LISTENING
    assert event["endpoint"] == f"tcp://127.0.0.1:{port}".encode()
    push = context.socket(zmq.PUSH)
    push.connect(f"tcp://127.0.0.1:{port}")
    assert monitor.recv_monitor_message(events)["event"] == zmq.EVENT_ACCEPTED
    assert monitor.recv_monitor_message(events)["event"] == zmq.EVENT_HANDSHAKE_SUCCEEDED
    pull.disable_monitor()
    events.close()


def test_a_monitor_message_is_checked(zmq):
    monitor = importlib.import_module(zmq.__name__ + ".utils.monitor")
    parsed = monitor.parse_monitor_message([b"\x01\x00\x05\x00\x00\x00", b"tcp://x"])
    assert parsed == {"event": zmq.EVENT_CONNECTED, "value": 5, "endpoint": b"tcp://x"}
    with pytest.raises(RuntimeError):
        monitor.parse_monitor_message([b"x"])


def test_keys_are_pairs_in_z85(zmq):
    z85 = importlib.import_module(zmq.__name__ + ".utils.z85")
    public, secret = zmq.curve_keypair()
    assert len(public) == len(secret) == 40
    assert zmq.curve_public(secret) == public
    assert z85.encode(z85.decode(public)) == public and len(z85.decode(public)) == 32
    with pytest.raises(ValueError):
        zmq.curve_public(b"short")


def test_curve_encrypts_between_those_who_know_the_key(zmq, context):
    public, secret = zmq.curve_keypair()
    server, client = context.socket(zmq.REP), context.socket(zmq.REQ)
    server.curve_server = True
    server.curve_secretkey = secret
    port = server.bind_to_random_port("tcp://127.0.0.1")
    client.curve_serverkey = public
    client.curve_publickey, client.curve_secretkey = zmq.curve_keypair()
    assert client.mechanism == zmq.CURVE
    client.connect(f"tcp://127.0.0.1:{port}")
    client.send(b"secret")
    server.send(server.recv())
    assert client.recv() == b"secret"


def test_capabilities_and_versions_are_told(zmq):
    assert zmq.has("ipc") and zmq.has("curve") and not zmq.has("nonsense")
    assert zmq.zmq_version_info() >= (4, 3, 0) and zmq.zmq_version().startswith("4.")
    assert zmq.pyzmq_version_info()[0] == 27
    assert isinstance(zmq.strerror(zmq.EAGAIN), str)


def test_every_constant_of_pyzmq_is_here():
    theirs, ours = importlib.import_module("zmq"), importlib.import_module("tightbeam")
    different = {}
    for name in dir(theirs):
        value = getattr(theirs, name)
        if isinstance(value, enum.Enum):
            other = getattr(ours, name, None)
            if other != value or type(other).__name__ != type(value).__name__:
                different[name] = (value, other)
    assert different == {}
    assert repr(ours.PUSH) == "<SocketType.PUSH: 8>" and isinstance(ours.LINGER, enum.IntEnum)


def test_every_option_of_the_engine_has_its_name():
    tightbeam = importlib.import_module("tightbeam")
    native = importlib.import_module("tightbeam._native")
    table = native.option_table()
    assert len(table) > 80
    for name, number, *_ in table:
        assert tightbeam.SocketOption[name] == number


def test_the_constants_are_generated_from_the_header():
    tools = Path(__file__).parent.parent / "tools" / "constants.py"
    subprocess.run([sys.executable, tools, "--check"], check=True)


def test_keys_are_made_on_the_command_line(zmq):
    command = [sys.executable, "-m", f"{zmq.__name__}.curve_keygen", "--json"]
    made = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=20).stdout)
    # A key may begin with a hyphen.
    again = [*command, f"--secret={made['secret']}"]
    found = json.loads(subprocess.run(again, capture_output=True, check=True, timeout=20).stdout)
    assert found == made and zmq.curve_public(made["secret"].encode()) == made["public"].encode()
