"""The examples for Python run to their end, say something, and are listed; and that of the project's first page."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[3] / "examples" / "python"
PROGRAMS = sorted(EXAMPLES.glob("*.py"))


def test_there_are_examples_for_each_pattern():
    assert {"req_rep", "pub_sub", "pipeline", "router_dealer", "pair"} <= {program.stem for program in PROGRAMS}


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.stem)
def test_an_example_is_short_and_listed_and_ends_well(program):
    assert f"[{program.stem}](python/{program.name})" in (EXAMPLES.parent / "README.md").read_text()
    assert len(program.read_text().splitlines()) <= 60
    if program.stem == "jupyter_kernel":
        pytest.importorskip("zmq", reason="pyzmq is not installed")
        pytest.importorskip("ipykernel", reason="ipykernel is not installed")
        pytest.importorskip("jupyter_client", reason="jupyter_client is not installed")
    call = [sys.executable, "-W", "error", str(program)]
    done = subprocess.run(call, capture_output=True, text=True, timeout=50)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout
    if program.stem == "jupyter_kernel":
        assert "tightbeam" in done.stdout
    else:
        assert not done.stderr


def test_the_program_on_the_first_page_runs():
    page = (EXAMPLES.parents[1] / "README.md").read_text()
    (program,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    call = [sys.executable, "-W", "error", "-c", program]
    assert subprocess.check_output(call, text=True, timeout=50) == "b'hello'\n"
