"""locust: a master and two workers, which talk through zmq.green, and greenlets in its way."""

import json
import subprocess
import sys

import pytest
from engines import PROGRAMS, environment, run

pytest.importorskip("gevent", reason="gevent is not installed")

pytestmark = pytest.mark.timeout(120)

CALL = [sys.executable, "-m", "locust", "-f", str(PROGRAMS / "locustfile.py")]
MASTER = ["--master", "--headless", "--expect-workers=2", "--users=8", "--spawn-rate=8", "--run-time=60s", "--json"]


def start(engine, *arguments):
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([*CALL, *arguments], env=environment(engine), **pipes)


def free_port():
    import zmq

    with zmq.Context() as context, context.socket(zmq.REP) as socket:
        return socket.bind_to_random_port("tcp://127.0.0.1")


def test_a_master_collects_what_its_workers_counted(engine):
    pytest.importorskip("locust", reason="locust is not installed")
    port = free_port()
    processes = [start(engine, *MASTER, "--master-bind-host=127.0.0.1", f"--master-bind-port={port}")]
    try:
        for _ in range(2):
            processes.append(start(engine, "--worker", "--master-host=127.0.0.1", f"--master-port={port}"))
        outputs = [process.communicate(timeout=100) for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert [process.returncode for process in processes] == [0, 0, 0], outputs
    assert all(f"engine {engine}" in printed for printed, _ in outputs), outputs
    printed = outputs[0][0]
    counted = json.loads(printed[printed.index("[") : printed.rindex("]") + 1])
    assert counted[0]["num_requests"] >= 100 and counted[0]["num_failures"] == 0, counted


def test_greenlets_wait_beside_each_other(engine):
    run(engine, "greenlets.py")
