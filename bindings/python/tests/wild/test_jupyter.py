"""Jupyter: a client, and a kernel that it starts, on the same engine."""

import pytest

pytest.importorskip("jupyter_client", reason="jupyter_client is not installed")
pytest.importorskip("ipykernel", reason="ipykernel is not installed")

pytestmark = pytest.mark.timeout(120)


def test_a_client_has_cells_run_by_a_kernel(run):
    run("jupyter.py", "python3", "disabled")


def test_it_encrypts_what_it_tells_the_kernel(run):
    run("jupyter.py", "python3", "required")
