"""The engines that programs are run on, each in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).parent / "programs"

# pyzmq as it is says what is right; then our engine as its backend, our library in libzmq's place, and our package in pyzmq's.
ENGINES = ["pyzmq", "backend", "preload"]
ALL_ENGINES = [*ENGINES, "run"]


def environment(engine):
    """What makes `import zmq` mean this engine."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("PYZMQ_BACKEND", "LD_PRELOAD")}
    if engine == "backend":
        return inherited | {"PYZMQ_BACKEND": "tightbeam.pyzmq_backend"}
    if engine == "preload":
        library = os.environ.get("TIGHTBEAM_LIBRARY")
        if library is None:
            pytest.skip("TIGHTBEAM_LIBRARY names no libzmq.so.5 of Tightbeam: `cargo xtask install --prefix DIR` makes one")
        return inherited | {"LD_PRELOAD": library}
    return inherited


def python(engine):
    """What a program's name comes after."""
    return [sys.executable, "-m", "tightbeam.run"] if engine == "run" else [sys.executable]


def run(engine, program, *arguments, **variables):
    """Runs a program, which fails if anything is not as it should be, and prints last which engine it had."""
    call = [*python(engine), str(PROGRAMS / program), *arguments]
    everything = environment(engine) | variables
    done = subprocess.run(call, env=everything, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == engine
