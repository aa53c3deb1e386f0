"""The set of planted faults fits the sources, and its command tells what survives.

Whether each fault turns the suite red is for the command itself, which takes minutes:
`python -m tests.planted_faults`.
"""

import ast
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import planted_faults.trial
import pytest
from planted_faults import FAULTS, Fault
from planted_faults.__main__ import main

CHECKOUT = Path(__file__).resolve().parents[1]
EACH = pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)


def test_there_are_enough_and_each_has_a_name_of_its_own() -> None:
    assert len(FAULTS) >= 20
    assert max(Counter(fault.name for fault in FAULTS).values()) == 1
    assert max(Counter((fault.file, fault.old, fault.new) for fault in FAULTS).values()) == 1


@EACH
def test_a_fault_fits_its_file_and_leaves_it_python(fault: Fault) -> None:
    """Its old text stands there once; with the new one the file is another program."""
    assert re.fullmatch(r"[a-z0-9_]+", fault.name)
    assert fault.mistake.endswith(".")
    text = (CHECKOUT / fault.file).read_text(encoding="utf-8")
    planted = ast.dump(ast.parse(fault.planted(text)))
    assert planted != ast.dump(ast.parse(text))


@EACH
def test_the_tests_named_with_a_fault_are_there(fault: Fault) -> None:
    assert fault.tests
    for test in fault.tests:
        file, _, function = test.partition("::")
        text = (CHECKOUT / file).read_text(encoding="utf-8")
        name = function.partition("[")[0]
        assert not function or re.search(rf"^def {name}\(", text, flags=re.MULTILINE), test


def test_a_fault_that_does_not_fit_is_refused() -> None:
    fault = Fault("twice", "It is.", "a.py", "x", "y", ())
    for text, found in (("x x", 2), ("z", 0)):
        with pytest.raises(ValueError, match=f"twice: {found} places in a.py read 'x', not 1"):
            fault.planted(text)


# --- the command, on a checkout of three lines ----------------------------------------------------

TESTED = """
from fpstudy import double
def test_double():
    assert double(3) == 6
"""
BESIDE = """
from fpstudy import double
def test_zero():
    assert double(0) == 0
def test_of_a_checkout():
    assert False, "a copy is none"
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "checkout"
    (root / "fpstudy").mkdir(parents=True)
    (root / "tests").mkdir()
    (root / "pyproject.toml").write_text('[tool.pytest.ini_options]\npythonpath = ["."]\n')
    (root / "fpstudy" / "__init__.py").write_text("# doubles\ndef double(x):\n    return 2 * x\n")
    (root / "tests" / "test_double.py").write_text(TESTED)
    (root / "tests" / "test_beside.py").write_text(BESIDE)
    return root


def fault(name: str, old: str, new: str) -> Fault:
    return Fault(
        name, "A mistake.", "fpstudy/__init__.py", old, new, ("tests/test_double.py::test_double",)
    )


SEEN = fault("seen", "2 * x", "3 * x")
SEEN_BESIDE = fault("seen_beside", "2 * x", "2 * x + (x == 0)")  # by a test that it does not name
HARMLESS = fault("harmless", "# doubles", "# triples")


def contents(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_survivor_is_told_and_fails_the_command(
    checkout: Path, capsys: pytest.CaptureFixture
) -> None:
    """A test that is red in every copy has not seen it."""
    before = contents(checkout)
    assert main(["--jobs", "2"], checkout, [SEEN, SEEN_BESIDE, HARMLESS]) == 1
    told = capsys.readouterr().out
    assert re.search(r"^seen +[\d.]+  tests/test_double.py::test_double$", told, re.MULTILINE)
    assert re.search(
        r"^seen_beside +[\d.]+  tests/test_beside.py::test_zero \(not named\)$", told, re.MULTILINE
    )
    assert re.search(r"^harmless +[\d.]+  SURVIVED$", told, re.MULTILINE)
    assert "3 faults: 2 turned the suite red, 1 survived" in told
    assert contents(checkout) == before


def test_the_tests_that_are_named_alone_may_judge(
    checkout: Path, capsys: pytest.CaptureFixture
) -> None:
    assert main(["--named-only", "seen_beside"], checkout, [SEEN, SEEN_BESIDE]) == 1
    assert "1 faults: 0 turned the suite red, 1 survived" in capsys.readouterr().out


def test_red_without_a_fault_means_nothing(checkout: Path, capsys: pytest.CaptureFixture) -> None:
    (checkout / "fpstudy" / "__init__.py").write_text("def double(x):\n    return 2 * x + 1\n")
    assert main([], checkout, [SEEN]) == 2
    assert "red without a fault: tests/test_double.py::test_double" in capsys.readouterr().err


def test_a_run_without_an_end_sees_nothing(
    checkout: Path, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planted_faults.trial, "NAMED_SECONDS", 3)
    endless = fault("endless", "return 2 * x", "while True: pass")
    assert main([], checkout, [endless]) == 1
    told = capsys.readouterr().out
    assert "SURVIVED no end within 3 s: tests/test_double.py::test_double" in told


def test_tests_of_another_fpstudy_than_the_copys_do_not_run(
    checkout: Path, capsys: pytest.CaptureFixture
) -> None:
    path = checkout.parent / "elsewhere"
    shutil.copytree(checkout / "fpstudy", path / "fpstudy")
    options = f"[tool.pytest.ini_options]\npythonpath = [{str(path)!r}]\n"
    (checkout / "pyproject.toml").write_text(options)
    assert main([], checkout, [SEEN]) == 2
    assert "is another fpstudy" in capsys.readouterr().err


def test_unknown_names_are_refused_and_the_list_plants_nothing(
    checkout: Path, capsys: pytest.CaptureFixture
) -> None:
    assert main(["saen"], checkout, [SEEN]) == 2
    assert "no fault saen; --list names those there are" in capsys.readouterr().err
    assert main(["--list"], checkout, [SEEN]) == 0
    assert capsys.readouterr().out == "seen\n    A mistake.\n    fpstudy/__init__.py\n"
    absent = Fault("absent", "A mistake.", "fpstudy/none.py", "a", "b", ("tests",))
    assert main([], checkout, [absent]) == 2
    assert "none.py" in capsys.readouterr().err


def test_the_command_is_a_module_of_the_checkout() -> None:
    command = [sys.executable, "-m", "tests.planted_faults", "--list"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 3 * len(FAULTS)
