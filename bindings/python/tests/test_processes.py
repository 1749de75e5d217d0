"""Processes as a whole: signals, forks, children of multiprocessing, the end of the interpreter."""

import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

import tightbeam


def run(program, *arguments, limit=20):
    """What a program prints, which ends well."""
    command = [sys.executable, "-W", "error", "-X", "faulthandler", "-c", textwrap.dedent(program), *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=limit)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "panicked" not in ended.stderr, ended.stderr
    return ended


INTERRUPTED = """
import asyncio, os, signal, sys
# What was started in the background ignores it.
signal.signal(signal.SIGINT, signal.default_int_handler)
import tightbeam as zmq, tightbeam.asyncio as zasync
context = zmq.Context()
pull, push = context.socket(zmq.PULL), context.socket(zmq.PUSH)
dealer, router = context.socket(zmq.DEALER), context.socket(zmq.ROUTER)
poller = zmq.Poller()
poller.register(pull, zmq.POLLIN)
lent = bytearray(100_000)

async def later():
    made = zasync.Context()
    with made.socket(zmq.PULL) as waits:
        try:
            await waits.recv()
        finally:
            made.destroy(0)

def term():
    ending = zmq.Context()
    lingers = ending.socket(zmq.PUSH)
    lingers.connect("tcp://127.0.0.1:9")
    lingers.send(b"x")
    lingers.close()
    ending.term()

def watch():
    lends = context.socket(zmq.PUSH)
    lends.connect("tcp://127.0.0.1:9")
    tracker = lends.send(lent, copy=False, track=True)
    try:
        tracker.wait(30)
    finally:
        lends.close(0)

calls = {
    "recv": pull.recv,
    "recv_multipart": pull.recv_multipart,
    "recv_into": lambda: pull.recv_into(bytearray(8)),
    "recv_json": pull.recv_json,
    "send": lambda: push.send(b"x"),
    "send_multipart": lambda: push.send_multipart([b"x", b"y"]),
    "poll": pull.poll,
    "poll for a time": lambda: pull.poll(30_000),
    "poller": poller.poll,
    "zmq_poll": lambda: zmq.zmq_poll([(pull, 1), (0, 1)], 30_000),
    "select": lambda: zmq.select([pull], [], [], 30),
    "proxy": lambda: zmq.proxy(router, dealer),
    "term": term,
    "asyncio": lambda: asyncio.run(later()),
    "tracker": watch,
}
call = calls[sys.argv[1]]
print("ready", flush=True)
try:
    call()
except KeyboardInterrupt:
    print("interrupted", flush=True)
os._exit(0)
"""


def is_waiting(process):
    """Whether the process sleeps, in all its threads."""
    try:
        for task in os.listdir(f"/proc/{process.pid}/task"):
            with open(f"/proc/{process.pid}/task/{task}/stat") as stat:
                if stat.read().rpartition(")")[2].split()[0] != "S":
                    return False
    except FileNotFoundError:
        return False
    return True


def wait_until_it_waits(process, limit=10):
    """Until it slept at three looks one after the other."""
    seen, until = 0, time.monotonic() + limit
    while seen < 3 and time.monotonic() < until:
        seen = seen + 1 if is_waiting(process) else 0
        time.sleep(0.02)
    assert seen == 3


CALLS = [
    "recv", "recv_multipart", "recv_into", "recv_json", "send", "send_multipart", "poll", "poll for a time",
    "poller", "zmq_poll", "select", "proxy", "term", "asyncio", "tracker",
]  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
def test_control_c_ends_every_wait_at_once(call):
    command = [sys.executable, "-c", INTERRUPTED, call]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, stdin=subprocess.PIPE) as process:
        try:
            assert process.stdout.readline() == "ready\n"
            wait_until_it_waits(process)
            process.send_signal(signal.SIGINT)
            said, failed = process.communicate(timeout=5)
        finally:
            process.kill()
    assert said == "interrupted\n", failed


def test_a_traceback_can_be_asked_for_while_a_call_waits():
    # faulthandler looks at threads as they run, which is safe only while they stand still: here is one, and its call waits long enough.
    ended = run(
        """
        import faulthandler, os, signal, subprocess
        import tightbeam as zmq
        faulthandler.register(signal.SIGUSR1, all_threads=True)
        faulthandler.dump_traceback_later(1)
        ask = ["sh", "-c", f"sleep 0.1; kill -USR1 {os.getpid()}"]
        with zmq.Context() as context, context.socket(zmq.PULL) as pull, subprocess.Popen(ask):
            try:
                pull.recv(timeout=3)
            except zmq.Again:
                print("went on")
        """
    )
    assert ended.stdout == "went on\n" and ended.stderr.count("most recent call first") >= 2


# Forks


def test_a_child_of_a_thread_beside_others_has_sockets_of_its_own():
    run(
        """
        import os, threading, time
        import tightbeam as zmq

        context = zmq.Context.instance()
        echo = context.socket(zmq.REP)
        port = echo.bind_to_random_port("tcp://127.0.0.1")
        stop, end = threading.Event(), threading.Event()

        def serve():
            while not end.is_set():
                try:
                    echo.send(echo.recv(timeout=0.05))
                except zmq.Again:
                    pass

        def ask():
            with context.socket(zmq.REQ) as asks:
                asks.connect(f"tcp://127.0.0.1:{port}")
                while not stop.is_set():
                    asks.send(b"x")
                    assert asks.recv(timeout=10) == b"x"
            done.append(True)

        def child():
            # The inherited ones cannot be used; closing and collecting them does not disturb the parent.
            assert zmq.Context.instance() is not context
            echo.close()
            context.destroy()
            with zmq.Context.instance().socket(zmq.REQ) as asks:
                asks.connect(f"tcp://127.0.0.1:{port}")
                asks.send(b"child")
                assert asks.recv(timeout=10) == b"child"
            zmq.Context.instance().term()

        def fork():
            for _ in range(5):
                pid = os.fork()
                if pid == 0:
                    try:
                        child()
                    except BaseException as error:
                        os.write(2, repr(error).encode())
                        os._exit(1)
                    os._exit(0)
                assert os.waitpid(pid, 0)[1] == 0
            done.append(True)

        import warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        done = []
        serving, *asking, forking = [threading.Thread(target=target) for target in (serve, ask, ask, fork)]
        for thread in (serving, *asking, forking):
            thread.start()
        forking.join()
        stop.set()
        for thread in asking:
            thread.join()
        end.set()
        serving.join()
        echo.close()
        context.term()
        assert len(done) == 3
        """
    )


def answer(port):
    """Runs in a child."""
    with tightbeam.Context.instance().socket(tightbeam.REQ) as socket:
        socket.linger = 0
        socket.connect(f"tcp://127.0.0.1:{port}")
        socket.send(str(os.getpid()).encode())
        assert socket.recv(timeout=15) == b"yes"
    tightbeam.Context.instance().term()


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_children_of_multiprocessing_talk_to_their_parent(method):
    multi = multiprocessing.get_context(method)
    with tightbeam.Context() as context, context.socket(tightbeam.REP) as socket:
        port = socket.bind_to_random_port("tcp://127.0.0.1")
        children = [multi.Process(target=answer, args=(port,)) for _ in range(2)]
        for child in children:
            child.start()
        asked = set()
        for _ in children:
            asked.add(int(socket.recv(timeout=20)))
            socket.send(b"yes")
        for child in children:
            child.join(20)
        assert {child.exitcode for child in children} == {0} and asked == {child.pid for child in children}


def test_a_pool_of_processes_inherits_what_is_open():
    run(
        """
        import warnings
        warnings.simplefilter("ignore")
        import multiprocessing
        import tightbeam as zmq

        def square(number):
            return number * number

        with zmq.Context() as context, context.socket(zmq.PUB) as publisher:
            publisher.bind("tcp://127.0.0.1:*")
            with multiprocessing.get_context("fork").Pool(3) as pool:
                assert pool.map(square, range(50)) == [n * n for n in range(50)]
            assert publisher.get(zmq.TYPE) == zmq.PUB
        """
    )


# The end of the interpreter

WORK = """
import sys, threading, time
import tightbeam as zmq

context = zmq.Context()
left, right = context.socket(zmq.PAIR), context.socket(zmq.PAIR)
right.connect(f"tcp://127.0.0.1:{left.bind_to_random_port('tcp://127.0.0.1')}")

def blocked():
    left.recv()

def busy():
    while True:
        left.send(b"x")
        right.recv()

def impatient():
    while True:
        try:
            left.recv(timeout=0.001)
        except zmq.Again:
            pass

def polling():
    poller = zmq.Poller()
    poller.register(left, zmq.POLLIN)
    while True:
        poller.poll(1)

def lending():
    while True:
        left.send(bytearray(100_000), copy=False, track=True)
        right.recv(copy=False)

def passing():
    zmq.proxy(context.socket(zmq.ROUTER), context.socket(zmq.DEALER))

def opening():
    while True:
        with zmq.Context() as made, made.socket(zmq.PUB) as publisher:
            publisher.bind("tcp://127.0.0.1:*")

def ending():
    context.term()

for work in sys.argv[1].split():
    threading.Thread(target=globals()[work], daemon=True).start()
time.sleep(0.1)
"""


@pytest.mark.parametrize("work", ["blocked", "busy", "impatient impatient polling", "lending", "passing", "opening opening", "ending"])
def test_daemon_threads_do_not_hinder_the_end(work):
    for _ in range(2):
        run("import warnings; warnings.simplefilter('ignore')\n" + WORK, work)


@pytest.mark.parametrize(
    "last",
    [
        "",
        "sys.exit(0)",
        "import atexit; atexit.register(lambda: (socket.send(b'late'), socket.close(0), context.term()))",
        "import atexit; atexit.register(context.destroy, 0)",
        "socket.linger = 0\nclass Late:\n    def __del__(self): socket.close(0); context.term()\nlate = Late()",
        "frame = zmq.Frame(bytearray(100_000), copy=False, track=True); socket.send(frame, copy=False)",
        "socket.send(bytearray(1_000_000), copy=False, track=True)",
        "sys.modules['kept'] = socket, context; del socket, context",
        "zmq.Context.instance().socket(zmq.PUB).bind('tcp://127.0.0.1:*')",
        "import asyncio, tightbeam.asyncio as za\nasync def main(): await za.Context.instance().socket(zmq.PULL).poll(1)\nasyncio.run(main())",
    ],
)
def test_the_interpreter_ends_with_what_is_open(last):
    run(
        "import warnings; warnings.simplefilter('ignore')\nimport sys\nimport tightbeam as zmq\n"
        "context = zmq.Context()\nsocket = context.socket(zmq.PUSH)\nsocket.connect('tcp://127.0.0.1:9')\n"
        "socket.send(b'never arrives')\n" + last
    )


def test_a_subinterpreter_is_refused():
    run(
        """
        import sys
        import tightbeam
        PROGRAM = "try: import tightbeam\\nexcept ImportError: pass\\nelse: raise SystemError('imported')"
        if sys.version_info >= (3, 14):
            from concurrent import interpreters
            interpreters.create().exec(PROGRAM)
        elif sys.version_info >= (3, 13):
            import _interpreters
            assert _interpreters.exec(_interpreters.create(), PROGRAM) is None
        else:
            import _xxsubinterpreters as interpreters
            interpreters.run_string(interpreters.create(), PROGRAM)
        tightbeam.Context().term()
        """
    )
