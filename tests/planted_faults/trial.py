"""One fault on trial: a copy of the checkout, the fault planted in it, its tests run there.

Nothing is written into the checkout, and each run has a process group of its own, which ends with
it or at its time limit.
"""

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock

from .fault import Fault

PLUGIN = Path(__file__).with_name("own_copy.py")
# What the tests read of a checkout; what is not there is not copied.
PARTS = (
    "fpstudy", "tests", "benchmarks", "experiments", "reports", ".ci", "pyproject.toml",
    "README.md", "LICENSE", "uv.lock", ".gitignore",
)  # fmt: skip
LEFT_OUT = ("record.parquet*", "chunks", ".hypothesis", ".pytest_cache", "*.partial")
NAMED_SECONDS, SUITE_SECONDS = 300, 3600  # after which a run is ended
GREEN, RED = 0, 1  # pytest's exit codes: all passed; some failed. Others say that it did not run.
# Random examples are the same in every run, so that what is red once is red again.
OPTIONS = (
    "-q", "-p", PLUGIN.stem, "-p", "no:cacheprovider", "--hypothesis-seed=0", "-r", "fE",
    "--no-header", "--tb=no",
)  # fmt: skip


class TrialError(RuntimeError):
    """Tests could not be run, or are red without any fault; the message says which."""


@dataclass(frozen=True)
class Verdict:
    """What became of a fault, and how long that took.

    seen_by: the first test that turned red, "" where none did
    trouble: why the tests could not say, where pytest did not come to its end
    """

    fault: Fault
    seen_by: str
    seconds: float
    trouble: str = ""


@contextmanager
def copy_of(source: Path) -> Iterator[Path]:
    """A copy of a checkout, or of another copy, with the plugin beside it; removed at the end."""
    with TemporaryDirectory(prefix="planted-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        for part in PARTS:
            path = source / part
            if path.is_dir():
                shutil.copytree(path, folder / part, ignore=shutil.ignore_patterns(*LEFT_OUT))
            elif path.is_file():
                shutil.copy2(path, folder / part)
        shutil.copy2(PLUGIN, folder)
        yield folder


def plant(fault: Fault, folder: Path) -> None:
    """Put the fault into a copy. Raises ValueError where the file reads otherwise."""
    path = folder / fault.file
    path.write_text(fault.planted(path.read_text(encoding="utf-8")), encoding="utf-8")
    # A change within a second that leaves the size as it was would not be compiled.
    Path(importlib.util.cache_from_source(str(path))).unlink(missing_ok=True)


class Runs:
    """Runs of tests under way, in several threads, all of which can be ended."""

    def __init__(self) -> None:
        """None yet."""
        self._under_way: set[subprocess.Popen[str]] = set()
        self._ended = False

    def red(self, folder: Path, tests: Sequence[str], *options: str, seconds: float) -> list[str]:
        """The tests of a copy that fail, of those that are named, or of all where none is.

        Raises TrialError where pytest could not run them or did not come to an end in time.
        """
        command = [sys.executable, "-m", "pytest", *OPTIONS, *options, *tests]
        code, said = self._run(command, folder, seconds)
        if code is None:
            raise TrialError(f"no end within {seconds:g} s: {' '.join(tests) or 'the whole suite'}")
        failed = re.findall(r"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", said, flags=re.MULTILINE)
        if code not in (GREEN, RED) or bool(failed) != (code == RED):
            raise TrialError(f"pytest ended with {code}:\n{said[-2000:]}")
        return failed

    def _run(self, command: list[str], folder: Path, seconds: float) -> tuple[int | None, str]:
        """The exit code, None past the time limit, and what was printed."""
        kept = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
        with subprocess.Popen(
            command, cwd=folder, env=kept | {"PYTHONPATH": str(folder), "COLUMNS": "1000"},
            text=True, encoding="utf-8", errors="replace", start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        ) as process:  # fmt: skip
            self._under_way.add(process)
            try:
                if self._ended:
                    raise TrialError("interrupted")
                said, _ = process.communicate(timeout=seconds)
                return process.returncode, said
            except subprocess.TimeoutExpired:
                return None, ""
            finally:
                _end(process)
                self._under_way.discard(process)

    def end(self) -> None:
        """End all that is under way, and what would begin."""
        self._ended = True
        for process in list(self._under_way):
            _end(process)


def _end(process: subprocess.Popen[str]) -> None:
    """End a run with all that it started: they are a process group."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (AttributeError, ProcessLookupError, PermissionError):  # it has ended; or Windows
        process.kill()


class Court:
    """An unplanted copy, whose tests are green before anything is planted in copies of it."""

    def __init__(self, folder: Path) -> None:
        """Judge by this copy."""
        self.folder, self.runs = folder, Runs()
        self._one_suite = Lock()
        self._known: frozenset[str] | None = None

    def demand_green(self, tests: Sequence[str], jobs: int) -> None:
        """Run tests without a fault; raises TrialError where any fails."""
        failed = self.runs.red(self.folder, tests, "-n", str(jobs), seconds=SUITE_SECONDS)
        if failed:
            raise TrialError(f"red without a fault: {', '.join(failed)}")

    def try_fault(self, fault: Fault, suite: bool) -> Verdict:
        """Plant a fault in a copy and run its tests; if they stay green, perhaps the whole suite.

        What fails in the suite without a fault as well, as a copy is no checkout, sees nothing.
        """
        start, seen_by, trouble = time.perf_counter(), "", ""
        with copy_of(self.folder) as folder:
            plant(fault, folder)
            try:
                seen_by = self._seen_by(fault, folder, suite)
            except TrialError as error:
                trouble = str(error)
        return Verdict(fault, seen_by, time.perf_counter() - start, trouble)

    def _seen_by(self, fault: Fault, folder: Path, suite: bool) -> str:
        seen = self.runs.red(folder, fault.tests, "-n", "0", "-x", seconds=NAMED_SECONDS)
        if not seen and suite:
            with self._one_suite:  # it takes all cores
                known = self._red_without_a_fault()
                failed = self._suite(folder)
            seen = [f"{test} (not named)" for test in failed if test not in known]
        return seen[0] if seen else ""

    def _red_without_a_fault(self) -> frozenset[str]:
        if self._known is None:
            self._known = frozenset(self._suite(self.folder))
        return self._known

    def _suite(self, folder: Path) -> list[str]:
        return self.runs.red(folder, (), "-n", "auto", seconds=SUITE_SECONDS)
