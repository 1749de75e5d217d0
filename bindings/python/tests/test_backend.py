"""Unmodified pyzmq on our engine: in processes of their own, whose environment names the backend."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ENVIRONMENT = {**os.environ, "PYZMQ_BACKEND": "tightbeam.pyzmq_backend"}

ENGINE = """
import zmq, tightbeam._native as native
context = zmq.Context()
assert isinstance(context, native.Context) and isinstance(context, zmq.Context)
push = context.socket(zmq.PUSH)
assert isinstance(push, native.Socket)
try:
    push.send(b"", zmq.NOBLOCK)
except zmq.Again as error:
    import tightbeam
    assert isinstance(error, tightbeam.Again)
context.destroy(linger=0)
"""

SHADOWS = """
import zmq, zmq.asyncio
context = zmq.Context()
pull, push = context.socket(zmq.PULL), context.socket(zmq.PUSH)
pull.bind("inproc://shadow")
push.connect("inproc://shadow")
for lent in (zmq.Socket.shadow(push.underlying), zmq.Socket.shadow(push)):
    lent.send(b"x")
    assert pull.recv() == b"x"
assert lent.context.underlying == context.underlying
same = zmq.asyncio.Context.shadow(context)
other = same.socket(zmq.PUSH)
other.connect("inproc://shadow")
other.close()
context.destroy(linger=0)
"""

AUTHENTICATION = """
import zmq
from zmq.auth.thread import ThreadAuthenticator
context = zmq.Context()
auth = ThreadAuthenticator(context)
auth.start()
auth.configure_plain(domain="*", passwords={"admin": "secret"})
server, client = context.socket(zmq.REP), context.socket(zmq.REQ)
server.plain_server = True
server.rcvtimeo = client.rcvtimeo = 10_000
client.plain_username, client.plain_password = b"admin", b"secret"
client.connect(f"tcp://127.0.0.1:{server.bind_to_random_port('tcp://127.0.0.1')}")
client.send(b"who am I")
request = server.recv(copy=False)
assert request["User-Id"] == "admin"
server.send(b"admin")
assert client.recv() == b"admin"
auth.stop()
context.destroy(linger=0)
"""

QUEUE = """
import threading, zmq
from zmq.backend import monitored_queue
context = zmq.Context()
front, back, monitor = (context.socket(kind) for kind in (zmq.ROUTER, zmq.DEALER, zmq.PUB))
seen = context.socket(zmq.SUB)
seen.subscribe(b"")
monitor.bind("inproc://monitor")
seen.connect("inproc://monitor")
front.bind("inproc://front")
back.bind("inproc://back")
req, rep = context.socket(zmq.REQ), context.socket(zmq.REP)
req.connect("inproc://front")
rep.connect("inproc://back")

def run():
    try:
        monitored_queue(front, back, monitor, b"in", b"out")
    except zmq.ContextTerminated:
        pass
    for socket in (front, back, monitor):
        socket.close(linger=0)

thread = threading.Thread(target=run)
thread.start()
for socket in (req, rep, seen):
    socket.rcvtimeo = 10_000
req.send(b"there")
rep.send(rep.recv() + b" and back")
assert req.recv() == b"there and back"
first, second = seen.recv_multipart(), seen.recv_multipart()
assert (first[0], first[-1]) == (b"in", b"there")
assert (second[0], second[-1]) == (b"out", b"there and back")
for socket in (req, rep, seen):
    socket.close(linger=0)
context.term()
thread.join()
"""

LOGS = """
import logging, zmq
from zmq.log.handlers import PUBHandler
context = zmq.Context()
sub, pub = context.socket(zmq.SUB), context.socket(zmq.XPUB)
sub.subscribe("")
sub.rcvtimeo = pub.rcvtimeo = 10_000
pub.bind("inproc://log")
sub.connect("inproc://log")
assert pub.recv() == b"\\x01"
handler = PUBHandler(pub)
log = logging.getLogger("test")
log.addHandler(handler)
log.warning("careful")
assert sub.recv_multipart()[0] == b"WARNING"
context.destroy(linger=0)
"""


@pytest.mark.parametrize("program", [ENGINE, SHADOWS, AUTHENTICATION, QUEUE, LOGS])
def test_its_layers_work(program):
    call = [sys.executable, "-c", program]
    subprocess.run(call, env=ENVIRONMENT, check=True, timeout=50)


@pytest.mark.timeout(300)
def test_what_holds_for_it_holds_on_our_engine():
    call = [sys.executable, "-m", "pytest", "-q", "-k", "[zmq", "-p", "no:cacheprovider"]
    call += ["test_messages.py", "test_sockets.py", "test_waits.py", "test_zero_copy.py", "test_asyncio.py", "test_rest.py"]
    call += ["test_auth.py", "test_devices.py"]
    done = subprocess.run(call, env=ENVIRONMENT, cwd=Path(__file__).parent, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout
    assert int(done.stdout.rsplit(" passed", 1)[0].split()[-1]) > 120
