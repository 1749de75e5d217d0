"""Jupyter: a client, and a kernel that it starts, on the same engine."""

import json

import pytest
from engines import ALL_ENGINES, python, run

pytest.importorskip("jupyter_client", reason="jupyter_client is not installed")
pytest.importorskip("ipykernel", reason="ipykernel is not installed")

pytestmark = [pytest.mark.timeout(120), pytest.mark.parametrize("engine", ALL_ENGINES)]


@pytest.fixture
def kernels(engine, tmp_path):
    """Where a kernel is described that is started on the engine. It inherits the environment of the client."""
    call = [*python(engine), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    kernel = {"argv": call, "display_name": engine, "language": "python", "metadata": {"supported_encryption": "curve"}}
    directory = tmp_path / "kernels" / "ours"
    directory.mkdir(parents=True)
    (directory / "kernel.json").write_text(json.dumps(kernel))
    return {"JUPYTER_PATH": str(tmp_path)}


def test_a_client_has_cells_run_by_a_kernel(engine, kernels):
    run(engine, "jupyter.py", "ours", "disabled", **kernels)


def test_it_encrypts_what_it_tells_the_kernel(engine, kernels):
    run(engine, "jupyter.py", "ours", "required", **kernels)
