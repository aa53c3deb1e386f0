"""Runs and their processes killed at random moments: nothing finished is lost, repeated or changed.

Fifty kills, in both cores' time; a thousand by

    python -m pytest tests/test_kills.py --kills 1000
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    not Path(f"/proc/{os.getpid()}/task").exists(), reason="needs Linux's /proc"
)

STORMS = 2  # at a time, so that they meet each other's load
STUDY = """
schema = 1
name = "killed"
[[sweep]]
problem = ["softmax", "logsumexp"]
dtype = ["float16", "float32"]
n = [700, 701, 702]
magnitude = [1, 10, 100, 1000]
samples = 100
"""
OUTPUTS = ("record.parquet", "summary.csv")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study, with what an undisturbed run gives beside it."""
    folder = tmp_path_factory.mktemp("undisturbed")
    (folder / "study.toml").write_text(STUDY)
    done = subprocess.run(command(folder, folder / "out"), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def command(folder: Path, out: Path) -> list[str]:
    given = ["run", str(folder / "study.toml"), "--out", str(out), "--jobs", "2", "--no-figures"]
    return [sys.executable, "-m", "fpstudy", *given]


class Storm:
    """Kills at random moments, of a run or of one of its processes, until there were enough."""

    def __init__(self, undisturbed: Path, out: Path, seed: int) -> None:
        self.undisturbed, self.out, self.random = undisturbed, out, random.Random(seed)
        self.log = out.with_suffix(".log")
        self.kept: dict[str, tuple[int, int]] = {}
        self.counts: Counter[str] = Counter()

    def rage(self, kills: int) -> None:
        while self._kills() < kills:
            running = self._start()
            while running.poll() is None and self._kills() < kills:
                if self.random.random() < 0.7:  # starting takes a second; else it is killed there
                    self._wait_for_workers(running)
                time.sleep(self.random.uniform(0.0, 1.5))
                self._kill_one(running)
            if running.poll() in (None, -signal.SIGKILL):
                running.kill()
                running.wait()
                self._compare_kept()
            else:
                self._finished(running.returncode)
        running = self._start()
        self._finished(running.wait(timeout=240))

    def _kills(self) -> int:
        return self.counts["run"] + self.counts["process"]

    def _wait_for_workers(self, running: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + 60
        while running.poll() is None and len(workers(running.pid)) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def _start(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(command(self.undisturbed, self.out), stdout=log, stderr=log)

    def _kill_one(self, running: subprocess.Popen[bytes]) -> None:
        children = workers(running.pid)
        kind = "process" if children and self.random.random() < 0.7 else "run"
        pid = self.random.choice(children) if kind == "process" else running.pid
        if running.poll() is not None:
            return
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return
        self.counts[kind] += 1
        if kind == "run":
            running.wait()

    def _compare_kept(self) -> None:
        """What was finished at an earlier kill is there as it was: not lost, not measured again."""
        found = {
            path.name: (path.stat().st_ino, path.stat().st_mtime_ns)
            for path in self.out.glob("chunks/*.chunk")
        }
        if not found and (self.out / "manifest.json").exists():
            self.kept = {}  # it was killed after the manifest was written
            return
        assert self.kept.items() <= found.items()
        self.kept = found

    def _finished(self, code: int) -> None:
        assert code == 0, self.log.read_text()[-3000:]
        for name in OUTPUTS:
            there, wanted = self.out / name, self.undisturbed / "out" / name
            assert there.read_bytes() == wanted.read_bytes(), name
        assert not (self.out / "chunks").exists()
        assert "crashed" not in self.log.read_text()
        shutil.rmtree(self.out)
        self.kept = {}
        self.counts["finished"] += 1


BEGUN = "from fpstudy.__main__ import main; print(flush=True); main()"


@pytest.mark.parametrize("seed", range(8))
def test_an_interrupt_at_any_moment_stops_with_130_and_no_traceback(
    undisturbed: Path, tmp_path: Path, seed: int
) -> None:
    """Ctrl-C goes to all processes of the terminal, once or twice, also while they start."""
    chance = random.Random(seed)
    _, _, _, *arguments = command(undisturbed, tmp_path / "out")
    running = subprocess.Popen(
        [sys.executable, "-c", BEGUN, *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert running.stdout is not None
    running.stdout.readline()
    time.sleep(chance.uniform(0, 2))
    for _ in range(chance.choice([1, 2])):
        os.killpg(running.pid, signal.SIGINT)
        time.sleep(chance.choice([0, 0.03]))
    said = running.communicate(timeout=30)[1]
    assert running.returncode == 130, said
    assert "Traceback" not in said
    assert said == "" or "the same command goes on" in said


def workers(pid: int) -> list[int]:
    """The processes that a run has started to measure."""
    found = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(child) for child in path.read_text().split()]
        except OSError:
            continue
    return [child for child in found if b"spawn_main" in _command_line(child)]


def _command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@pytest.mark.parametrize("seed", range(STORMS))
def test_nothing_finished_is_lost_or_repeated(
    undisturbed: Path, tmp_path: Path, seed: int, pytestconfig: pytest.Config
) -> None:
    storm = Storm(undisturbed, tmp_path / "out", seed)
    kills = -(-int(pytestconfig.getoption("--kills")) // STORMS)
    storm.rage(kills)
    assert storm.counts["run"] + storm.counts["process"] == kills, storm.counts
    assert storm.counts["finished"] >= 1
    if kills >= 20:
        assert min(storm.counts["run"], storm.counts["process"]) >= 3
