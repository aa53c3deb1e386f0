"""A formula of the user's own that goes wrong, however badly, is an outcome of its cases alone."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

import fpstudy
from fpstudy.execution import desk, imports
from fpstudy.user_code import CodeError

HONEST = """
import numpy as np

def honest(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
"""

SPOILT = "it closed files that its process needs, or lowered a limit for good"
# formula, what it does, outcome, reason
FAULTS = [
    ("raises", "raise ValueError('no <b>')", "crashed", "ValueError: no <b>"),
    ("sleeps", "import time; time.sleep(1e6)", "timeout", "not done in 2 s"),
    ("spins", "while True: pass", "timeout", "not done in 2 s"),
    ("ends_well", "import os; os._exit(0)", "crashed", "its process ended with exit code 0"),
    ("ends", "import os; os._exit(3)", "crashed", "its process ended with exit code 3"),
    ("faults", "import ctypes; ctypes.string_at(0)", "crashed", "its process was ended by SIGSEGV"),
    ("aborts", "import os; os.abort()", "crashed", "its process was ended by SIGABRT"),
    ("kills", "import os; os.kill(os.getpid(), 9)", "crashed", "its process was ended by SIGKILL"),
    ("interrupts", "raise KeyboardInterrupt('me')", "crashed", "KeyboardInterrupt: me"),
    ("exits", "raise SystemExit(4)", "crashed", "SystemExit: 4"),
    ("recurses", "return recurses(x)", "crashed", "RecursionError: .*"),
    ("eats", "return bytearray(2**50)", "crashed", "MemoryError.*"),
    ("closes", "import os; os.closerange(3, 4096); return honest(x)", "crashed", SPOILT),
    (
        "lowers", "import resource as r; r.setrlimit(r.RLIMIT_FSIZE, (9, 9)); return honest(x)",
        "crashed", f"UnsteadyError: .*limits of the process .*RLIMIT_FSIZE.*|{SPOILT}",
    ),
    (
        "replaces", "np.exp = np.tanh; return honest(x)",
        "crashed", r"UnsteadyError: .*changed functions of NumPy \(exp ufunc -> ufunc\)",
    ),
    (
        "speaks_slowly",
        "class Slow(Exception):\n        def __str__(self):\n            import time\n"
        "            time.sleep(1e6)\n    raise Slow",
        "timeout", "not done in 2 s",
    ),
    ("cuts", "return honest(x)[:, :1]", "bad_output", r"BadOutputError: returned \(16, 1\).*"),
    ("widens", "return honest(x).astype('float64')", "bad_output", "BadOutputError: .*float64.*"),
    ("nothing", "return None", "bad_output", "BadOutputError: .*"),
]  # fmt: skip
TABLE = [pytest.param(*row, id=row[0]) for row in FAULTS]


def study_of(folder: Path, formulas: list[str], **keys: str) -> Path:
    """A study of these formulas, beside a module with all of them."""
    bodies = "".join(f"\ndef {name}(x):\n    {body}\n" for name, body, *_ in FAULTS)
    (folder / "faulty_formulas.py").write_text(HONEST + bodies)
    listed = ", ".join(f'"{name}"' for name in formulas)
    lines = {"n": "5"} | keys
    path = folder / "study.toml"
    path.write_text(
        'schema = 1\nname = "faulty"\n[[sweep]]\nproblem = "softmax"\ndtype = "float32"\n'
        f"formula = [{listed}]\n" + "".join(f"{key} = {value}\n" for key, value in lines.items())
    )
    return path


def run(study: Path, out: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    given = [*command(study, out), *arguments]
    return subprocess.run(given, capture_output=True, text=True, timeout=280)


def command(study: Path, out: Path) -> list[str]:
    given = ["run", str(study), "--out", str(out), "--allow-code", "faulty_formulas"]
    return [sys.executable, "-m", "fpstudy", *given, "--no-figures"]


def started(study: Path, out: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(study, out), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="signals of POSIX")
def test_every_fault_is_recorded_and_every_other_case_completes(tmp_path: Path) -> None:
    honest = ["shifted", "faulty_formulas:honest"]
    faulty = [f"faulty_formulas:{name}" for name, *_ in FAULTS]
    mixed = [honest[0], *faulty, honest[1]]
    done = run(study_of(tmp_path, mixed), tmp_path / "mixed", "--timeout", "2")
    assert done.returncode == 3, done.stderr
    assert f"{len(faulty)} cases crashed" in done.stderr
    found = pd.read_csv(tmp_path / "mixed" / "summary.csv", keep_default_na=False)
    assert found["formula"].tolist() == mixed
    for name, _, outcome, reason in FAULTS:
        (row,) = found[found["formula"] == f"faulty_formulas:{name}"].to_dict("records")
        assert row[outcome] == row["components"] == 80, name
        assert re.fullmatch(reason, row["reason"]), (name, row["reason"])
    alone = run(study_of(tmp_path, honest), tmp_path / "alone")
    assert alone.returncode == 0, alone.stderr
    expected = pd.read_csv(tmp_path / "alone" / "summary.csv", keep_default_na=False)
    pd.testing.assert_frame_equal(
        found[found["formula"].isin(honest)].reset_index(drop=True), expected
    )


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_what_a_formula_prints_is_no_result(tmp_path: Path, jobs: str) -> None:
    study = study_of(tmp_path, ["faulty_formulas:says"])
    with (tmp_path / "faulty_formulas.py").open("a") as file:
        file.write("\ndef says(x):\n    print('out loud', flush=True)\n    return honest(x)\n")
    done = run(study, tmp_path / "out", "--jobs", jobs)
    assert done.returncode == 0, done.stderr
    assert "out loud" not in done.stdout
    assert "out loud" in done.stderr


IMPORTS = [  # the module, what is said
    ("1 / 0", "importing bad_to_import failed: ZeroDivisionError: division by zero"),
    ("import sys; sys.exit(7)", "importing bad_to_import failed: SystemExit: 7"),
    ("import os; os._exit(5)", "importing failed: its process ended with exit code 5"),
    ("import os; os._exit(0)", "importing failed: its process ended with exit code 0"),
    ("import time; time.sleep(1e6)", "importing took longer than 3 s"),
]


@pytest.mark.parametrize(("module", "words"), IMPORTS)
def test_a_module_that_cannot_be_imported_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, words: str
) -> None:
    if "longer" in words:
        monkeypatch.setattr(imports, "IMPORT_SECONDS", 3.0)
    study = study_of(tmp_path, ["bad_to_import:f"])
    (tmp_path / "bad_to_import.py").write_text(module + "\n")
    with pytest.raises(CodeError, match=re.escape(f"bad_to_import:f: {words}")):
        fpstudy.run(study, tmp_path / "out", allow_code=["bad_to_import"])
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("module", ["os", "builtins", "os.path", "subprocess"])
def test_python_s_own_modules_are_no_formulas(tmp_path: Path, module: str) -> None:
    study = study_of(tmp_path, [f"{module}:system"])
    with pytest.raises(CodeError, match=f"{re.escape(module)} is Python's own"):
        fpstudy.run(study, tmp_path / "out", allow_code=[module])


def test_a_changed_formula_is_measured_again_and_so_is_what_it_imports(tmp_path: Path) -> None:
    study = study_of(tmp_path, ["faulty_formulas:f"])
    own, other = tmp_path / "faulty_formulas.py", tmp_path / "its_own_neighbour.py"
    own.write_text(
        HONEST + "from its_own_neighbour import FACTOR\ndef f(x): return honest(x)*FACTOR\n"
    )
    other.write_text("import numpy as np\nFACTOR = np.float32(1)\n")
    kept = []
    for factor in (None, None, "2"):
        if factor is not None:
            other.write_text(f"import numpy as np\nFACTOR = np.float32({factor})\n")
        done = fpstudy.run(study, tmp_path / "out", allow_code=["faulty_formulas"], figures=False)
        kept.append((done.kept, bool(done.summary["relative_error_max"][0] > 0.5)))
    assert kept == [(False, False), (True, False), (False, True)]


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[list[int]]:
    """The processes that the formula `notes` ran in."""
    found: list[int] = []
    yield found
    deadline = time.monotonic() + 20
    while any(map(_alive, found)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(_alive, found))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_a_process_that_somebody_kills_costs_no_case(tmp_path: Path, processes: list[int]) -> None:
    study = study_of(tmp_path, ["shifted", "faulty_formulas:notes"], n="[4, 5, 6]")
    log = tmp_path / "log"
    with (tmp_path / "faulty_formulas.py").open("a") as file:
        file.write(
            "\ndef notes(x):\n    import os, time\n"
            f"    with open({str(log)!r}, 'a') as log:\n        log.write(f'{{os.getpid()}}\\n')\n"
            "    time.sleep(0.7)\n    return honest(x)\n"
        )
    whole = run(study, tmp_path / "whole")
    assert whole.returncode == 0, whole.stderr
    log.write_text("")
    running = started(study, tmp_path / "out")
    for _ in range(3):  # three times at the same case, by a signal that others send
        before = len(log.read_text().split())
        deadline = time.monotonic() + 60
        while len(pids := log.read_text().split()) == before and time.monotonic() < deadline:
            time.sleep(0.02)
        processes.append(int(pids[-1]))
        os.kill(processes[-1], signal.SIGKILL)
    assert running.communicate(timeout=120)[1].count("crashed") == running.returncode == 0
    assert len(set(processes)) == 3
    for name in ("record.parquet", "summary.csv"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="signals of POSIX")
@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_whose_formula_hangs_stops_when_it_is_told_to(
    tmp_path: Path, processes: list[int], sent: signal.Signals, code: int
) -> None:
    study, log = study_of(tmp_path, ["faulty_formulas:stays"]), tmp_path / "log"
    with (tmp_path / "faulty_formulas.py").open("a") as file:
        file.write(
            "\ndef stays(x):\n    import os, signal\n"
            "    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
            f"    with open({str(log)!r}, 'a') as log:\n        log.write(f'{{os.getpid()}}\\n')\n"
            "    while True: pass\n"
        )
    running = started(study, tmp_path / "out")
    deadline = time.monotonic() + 60
    while not (log.exists() and log.read_text().endswith("\n")) and time.monotonic() < deadline:
        time.sleep(0.02)
    processes.append(int(log.read_text()))
    running.send_signal(sent)
    said = running.communicate(timeout=20)[1]
    assert running.returncode == code, said
    assert "the same command goes on" in said
    assert "Traceback" not in said


def test_a_run_that_was_stopped_for_a_while_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-Z and fg: its processes stood still as well, so that no formula has been slow."""
    found = desk.Desk(2**30)
    found._station, clock = [3, 7, 1], [100.0]
    monkeypatch.setattr(desk.time, "monotonic", lambda: clock[0])
    assert found.at() == (3, 0.0)
    clock[0] += 0.25
    assert found.at() == (3, 0.25)
    clock[0] += 3600
    assert found.at() == (3, 0.25 + desk.STEP_SECONDS)
    found._station[1] = 8
    assert found.at() == (3, 0.0)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="signals of POSIX")
def test_a_process_that_is_killed_between_two_works_is_replaced() -> None:
    """Nobody waits for it then: Pebble refuses work from the moment that it has noticed."""
    at = desk.Desk(2**30)
    try:
        for noticed in (True, False, True):
            first = _worked(at)
            os.kill(first, signal.SIGKILL)
            deadline = time.monotonic() + 20
            while noticed and at._pool and at._pool.active and time.monotonic() < deadline:
                time.sleep(0.02)
            assert _worked(at) != first
    finally:
        at.clear()


def _worked(at: desk.Desk) -> int:
    """The process that works at the desk, which is replaced as often as it is lost."""
    for _ in range(3):
        future = at.start(os.getpid)
        deadline = time.monotonic() + 30
        while not (loss := at.lost()) and not future.done() and time.monotonic() < deadline:
            time.sleep(0.02)
        if loss is None:
            return int(future.result(0))
        assert loss.number == -1
        assert loss.killed
    raise AssertionError("lost three times")
