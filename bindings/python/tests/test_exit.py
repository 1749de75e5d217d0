"""What the end of a process says of messages that it has not delivered."""

import os
import re
import subprocess
import sys

import pytest
import tightbeam

OPENED = """
import os, sys, time, warnings
import {zmq} as zmq

def opened(name="nobody"):
    context = zmq.Context()
    push = context.socket(zmq.PUSH)
    push.connect(f"ipc://@{{name}}-{pid}")
    for _ in range(3):
        push.send(b"message")
    return context, push
"""


def ended(program, zmq="tightbeam", options=(), environment=None):
    """What a program has printed and been told."""
    text = OPENED.format(zmq=zmq, pid=os.getpid()) + program
    run = subprocess.run(
        [sys.executable, *options, "-c", text],
        capture_output=True,
        text=True,
        timeout=30,
        env={**os.environ, **(environment or {})},
    )
    assert run.returncode == 0, run.stderr
    return run.stdout, run.stderr


def told(errors):
    """Each warning's messages, types and endpoints."""
    lines = [line for line in errors.splitlines() if "UndeliveredWarning" in line]
    return [re.findall(r"(\d+) of a (\w+) for ([^ ,]+)", line) for line in lines]


def test_messages_that_are_lost_with_the_process_are_named():
    program = """
kept = opened("open")
context, closed = opened("closed")
closed.close()
late_context, late = opened("lingering")
late.close(linger=60_000)
gone_context, gone = opened("collected")
gone.close()
del gone_context, gone
opened("left")
raise SystemExit(0)
"""
    _, errors = ended(program)
    names = ("open", "closed", "lingering", "collected", "left")
    (named,) = told(errors)
    assert sorted(named) == sorted(("3", "PUSH", f"ipc://@{name}-{os.getpid()}") for name in names)


def test_nothing_is_said_of_what_nobody_waits_for():
    program = """
context = zmq.Context.instance()
_, careless = opened()
careless.linger = 0
opened()[1].close(linger=0)
whole = opened()
whole[0].destroy(linger=10)
# What is sent within the process.
push = context.socket(zmq.PUSH)
push.connect("inproc://nobody")
push.send(b"")
# Subscriptions are not messages, and who subscribes to nothing is sent nothing.
sub, pub = context.socket(zmq.SUB), context.socket(zmq.PUB)
for socket in (sub, pub):
    socket.connect("ipc://@nobody-either")
sub.subscribe(b"")
pub.send(b"")
# What the parent sends is not the child's.
if os.fork() == 0:
    sys.exit()
os.wait()
"""
    assert "Undelivered" not in ended(program)[1]


def test_a_program_may_not_want_to_know():
    program = "warnings.simplefilter('ignore', zmq.UndeliveredWarning); context, push = opened()"
    assert ended(program)[1] == ""


def test_a_forked_child_answers_for_its_own_messages():
    program = """
context, push = opened()
push.linger = 0
if os.fork() == 0:
    mine = opened()
    sys.exit()
os.wait()
"""
    assert len(told(ended(program)[1])) == 1


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_process_of_multiprocessing_says_it_too(tmp_path, method):
    program = tmp_path / "program.py"
    program.write_text(
        OPENED.format(zmq="tightbeam", pid=os.getpid())
        + f"""
import multiprocessing

if __name__ == "__main__":
    multiprocessing.set_start_method({method!r})
    child = multiprocessing.Process(target=opened)
    child.start()
    child.join()
"""
    )
    run = subprocess.run([sys.executable, program], capture_output=True, text=True, timeout=30)
    assert told(run.stderr) == [[("3", "PUSH", f"ipc://@nobody-{os.getpid()}")]]


def test_what_was_sent_to_a_peer_that_is_there_is_delivered_without_a_word():
    with tightbeam.Context() as context, context.socket(tightbeam.ROUTER) as router:
        port = router.bind_to_random_port("tcp://127.0.0.1")
        program = f"""
dealer = zmq.Context.instance().socket(zmq.DEALER)
dealer.connect("tcp://127.0.0.1:{port}")
dealer.send(b"here")
dealer.recv()
for number in range(500):
    dealer.send(b"%d" % number)
"""
        run = subprocess.Popen(
            [sys.executable, "-c", OPENED.format(zmq="tightbeam", pid=0) + program],
            stderr=subprocess.PIPE,
            text=True,
        )
        name, _ = router.recv_multipart(timeout=20)
        router.send_multipart([name, b"go on"])
        received = [router.recv_multipart(timeout=20)[1] for _ in range(500)]
        assert received == [b"%d" % number for number in range(500)]
        assert run.communicate(timeout=20)[1] == "" and run.returncode == 0


def test_many_endpoints_are_counted():
    program = """
context, push = opened()
others = [context.socket(zmq.DEALER) for _ in range(12)]
for number, other in enumerate(others):
    other.connect(f"ipc://@nobody-either-{number}")
    other.send(b"")
"""
    _, errors = ended(program)
    (named,) = told(errors)
    assert named[0][0] == "3" and len(named) == 8 and "5 more endpoints" in errors


def test_as_an_error_it_still_lets_the_process_end():
    _, errors = ended("context, push = opened()", options=["-W", "error"])
    assert "UndeliveredWarning" in errors


def test_programs_of_pyzmq_are_told_on_our_engine():
    backend = {"PYZMQ_BACKEND": "tightbeam.pyzmq_backend"}
    _, errors = ended("context, push = opened()", zmq="zmq", environment=backend)
    assert len(told(errors)) == 1


def test_contexts_that_are_gone_are_not_watched():
    program = """
from tightbeam import _exit
for _ in range(100):
    zmq.Context().term()
print(len(_exit._watched))
"""
    assert int(ended(program)[0]) <= 32
