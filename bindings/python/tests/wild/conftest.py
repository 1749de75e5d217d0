"""Programs as people write them for pyzmq, unchanged, each in a process of its own on one engine after the other.

They are in `programs`, print last which engine they had, and fail if something was not as it should be.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parent / "programs"
BACKEND = {"PYZMQ_BACKEND": "tightbeam.pyzmq_backend"}


def environment(engine):
    """What makes `import zmq` mean this engine."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("PYZMQ_BACKEND", "LD_PRELOAD")}
    if engine == "backend":
        return inherited | BACKEND
    if engine == "preload":
        library = os.environ.get("TIGHTBEAM_LIBRARY")
        if library is None:
            pytest.skip("TIGHTBEAM_LIBRARY names no libzmq.so.5 of Tightbeam: `cargo xtask install --prefix DIR` makes one")
        return inherited | {"LD_PRELOAD": library}
    return inherited


@pytest.fixture(params=["pyzmq", "backend", "preload"])
def engine(request):
    """pyzmq as it is says what is right; then our engine as its backend, and our library in the place of libzmq."""
    return request.param


@pytest.fixture
def run(engine):
    """Runs a program on the engine, and answers what it printed before the engine's name."""

    def run(program, *arguments, **more):
        call = [sys.executable, str(PROGRAMS / program), *arguments]
        done = subprocess.run(call, env=environment(engine) | more, capture_output=True, text=True, timeout=100)
        assert done.returncode == 0, done.stdout + done.stderr
        *printed, last = done.stdout.splitlines()
        assert last == engine
        return printed

    return run
