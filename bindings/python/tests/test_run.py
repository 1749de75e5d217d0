"""Programs that say `import zmq`, without pyzmq."""

import subprocess
import sys

PROGRAM = """
import sys
import zmq
import zmq.asyncio
import zmq.auth
from zmq.auth.asyncio import AsyncioAuthenticator
from zmq.auth.thread import ThreadAuthenticator
from zmq.decorators import context as with_context, socket as with_socket
from zmq.devices import ThreadProxy
from zmq.devices.monitoredqueue import monitored_queue
from zmq.utils import z85
from zmq.utils.monitor import recv_monitor_message

assert zmq.__name__ == zmq.__spec__.name == "tightbeam" and sys.argv[1:] == ["argument"]
context = zmq.Context()
pull, push = context.socket(zmq.PULL), context.socket(zmq.PUSH)
pull.bind("inproc://run")
push.connect("inproc://run")
push.send_string("ran")
print(pull.recv_string())
assert issubclass(zmq.asyncio.Context, zmq.Context) and z85.decode(b"00000") == bytes(4)
assert issubclass(ThreadAuthenticator, zmq.auth.Authenticator) and zmq.auth.CURVE_ALLOW_ANY == "*"
assert isinstance(ThreadProxy(zmq.XSUB, zmq.XPUB), zmq.devices.ThreadDevice)
assert with_context()(lambda opened: isinstance(opened, zmq.Context))()
try:
    import zmq.no_such_module
except ImportError:
    pass
else:
    raise AssertionError
context.destroy()
"""


CHILD = """
import multiprocessing
import beside

def child(pipe):
    import zmq
    pipe.send((zmq.__name__, beside.NAME))

if __name__ == "__main__":
    for way in ("spawn", "forkserver"):
        context = multiprocessing.get_context(way)
        ours, theirs = context.Pipe()
        process = context.Process(target=child, args=(theirs,))
        process.start()
        print(*ours.recv())
        process.join()
"""


def run(*arguments, **options):
    call = [sys.executable, *arguments]
    return subprocess.run(call, check=True, capture_output=True, text=True, timeout=30, **options)


def test_a_program_runs_on_tightbeam(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    assert run("-m", "tightbeam.run", program, "argument").stdout == "ran\n"


def test_a_module_runs_on_tightbeam(tmp_path):
    (tmp_path / "some_module.py").write_text(PROGRAM)
    done = run("-m", "tightbeam.run", "-m", "some_module", "argument", cwd=tmp_path)
    assert done.stdout == "ran\n"


def test_modules_beside_a_program_are_found_and_processes_that_it_starts_run_on_tightbeam(tmp_path):
    (tmp_path / "beside.py").write_text("import zmq\nNAME = zmq.__name__")
    program = tmp_path / "program.py"
    program.write_text(CHILD)
    assert run("-m", "tightbeam.run", program).stdout == "tightbeam tightbeam\n" * 2
