"""What type checkers are told: of the package, of programs that use it, and of its native part."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parents[2] / "examples" / "python"
CACHE = ("--cache-dir", str(HERE.parent / ".mypy_cache"))


def check(*command):
    ended = subprocess.run(
        [sys.executable, "-m", *command], cwd=HERE.parent, capture_output=True, text=True, timeout=280
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_mypy_finds_nothing_in_the_package_and_the_types_that_a_program_expects():
    examples = [str(path) for path in EXAMPLES.glob("*.py") if not path.stem.startswith("jupyter")]
    check("mypy", "--strict", *CACHE, "python/tightbeam", "tests/typed/program.py", *examples)


def test_the_stubs_say_what_the_native_part_is():
    check("mypy.stubtest", "--allowlist", "tests/typed/stubtest.txt", "--ignore-unused-allowlist", "tightbeam._native")


def test_the_package_says_that_it_has_types():
    import tightbeam

    assert (Path(tightbeam.__file__).parent / "py.typed").is_file()
