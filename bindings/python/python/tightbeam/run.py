"""Runs a program that says `import zmq` on Tightbeam, without pyzmq: `python -m tightbeam.run PROGRAM [ARGUMENT]...`.

`-m MODULE` runs a module, as Python's own option does. `zmq` and its modules are then those of this package of the same name.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os.path
import runpy
import sys
from multiprocessing import spawn
from types import ModuleType
from typing import Any

_THEIRS = "zmq"
_OURS = "tightbeam"


class _Names(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds `zmq` and what is in it in this package."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        if fullname != _THEIRS and not fullname.startswith(_THEIRS + "."):
            return None
        ours = _OURS + fullname.removeprefix(_THEIRS)
        if importlib.util.find_spec(ours) is None:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, origin=ours)

    def create_module(self, spec: Any) -> ModuleType:
        module = importlib.import_module(spec.origin)
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """It was run when it was imported under its own name, which it keeps."""
        spec = module.__spec__
        if spec is not None and spec.loader_state is not None:
            module.__spec__ = spec.loader_state


class _Installation:
    """What a child of multiprocessing is sent before anything of the program: it installs when it is unpickled."""

    def __reduce__(self) -> Any:
        # Not that of `__main__`, which is another module there.
        return importlib.import_module("tightbeam.run").install, ()


def install() -> None:
    """From now on `import zmq` in this process is `import tightbeam`, and in the processes that multiprocessing starts."""
    if any(isinstance(finder, _Names) for finder in sys.meta_path):
        return
    sys.meta_path.insert(0, _Names())
    prepare = spawn.get_preparation_data

    def get_preparation_data(name: str) -> dict[str, Any]:
        return {**prepare(name), "tightbeam": _Installation()}

    spawn.get_preparation_data = get_preparation_data


def main() -> None:
    """Runs what `sys.argv` names."""
    arguments = sys.argv[1:]
    is_module = arguments[:1] == ["-m"]
    arguments = arguments[is_module:]
    if not arguments:
        sys.exit("python -m tightbeam.run [-m MODULE | PROGRAM] [ARGUMENT]...")
    install()
    sys.argv = arguments
    if is_module:
        runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
    else:
        if not sys.flags.safe_path:
            # As Python does for a program: modules beside it are found.
            sys.path[0] = os.path.dirname(os.path.realpath(arguments[0]))
        runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    main()
