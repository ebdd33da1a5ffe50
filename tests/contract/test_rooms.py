"""The rooms of the code: who may import whom, who reads the clock, and how large a module may grow."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = ROOT / "operator" / "sublet"
MODULES = sorted(CODE.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))

CLOCK = re.compile(r"\b(datetime\.(now|utcnow|today)|date\.today|time\.(time|time_ns))\s*\(")


def lines(path: Path) -> int:
    """How many lines a file has."""
    return len(path.read_text().splitlines())


def test_the_folder_operator_is_no_package() -> None:
    """`operator/__init__.py` would shadow the standard library's `operator`, and Python itself would not start here."""
    assert not (ROOT / "operator" / "__init__.py").exists()


@pytest.mark.parametrize("program", ["import operator; operator.eq", "import json.tool, sublet; sublet.__version__"])
def test_python_works_from_the_root(program: str) -> None:
    """From the root of the repository the standard library's `operator` is found, and Sublet beside it."""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_imports_go_one_way() -> None:
    """The contracts in pyproject.toml hold: layers, pure rooms, one room for kopf and one for the client."""
    lint = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "5 kept, 0 broken" in done.stdout


def test_every_room_is_found() -> None:
    """The checks below look at something: a folder that was renamed does not pass them by being empty."""
    assert {path.name for path in CODE.iterdir() if path.is_dir() and path.name != "__pycache__"} >= {
        "api",
        "calendar",
        "policy",
        "desired",
        "plan",
        "cluster",
        "telemetry",
        "handlers",
    }
    assert len(MODULES) > 50


def test_no_module_is_longer_than_400_lines() -> None:
    """A module that grows is split by what it is about."""
    assert {str(path.relative_to(ROOT)): lines(path) for path in MODULES if lines(path) > 400} == {}


def test_no_test_file_is_longer_than_500_lines() -> None:
    """Tests are split by the behaviour they speak of."""
    assert {str(path.relative_to(ROOT)): lines(path) for path in TESTS if lines(path) > 500} == {}


def test_only_the_clock_reads_the_clock() -> None:
    """Everything else takes `now` as an argument, so that a test can stand at any instant."""
    readers = {str(path.relative_to(CODE)) for path in MODULES if CLOCK.search(path.read_text())}
    assert readers == {"clock.py"}


@pytest.mark.parametrize(
    "line",
    ["datetime.now(UTC)", "dt.datetime.utcnow ()", "time.time()", "time.time_ns()", "date.today()"],
)
def test_the_check_of_the_clock_sees_every_way_to_read_it(line: str) -> None:
    """The pattern bites, whichever way a module asks the machine."""
    assert CLOCK.search(f"    now = {line}")
