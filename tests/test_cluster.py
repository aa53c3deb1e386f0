"""A run on a Dask cluster: a real scheduler and workers here, that are lost and refused."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from fpstudy.execution import cluster
from fpstudy.outages import ClusterError

pytest.importorskip("distributed", reason="dask.distributed is not installed: fpstudy[cluster]")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

STUDY = """
schema = 1
name = "shared_out"
[[sweep]]
problem = ["softmax", "logsumexp"]
dtype = ["float16", "float32"]
n = [900, 901, 902, 903]
magnitude = [1, 10, 100, 1000]
samples = 64
"""
FAULTY = """
import os
def honest(x):
    return x
def ends(x):
    os._exit(3)
def spins(x):
    while True: pass
"""
PLAIN = {  # what a shell that the tests run in may have set
    name: value
    for name, value in os.environ.items()
    if name not in ("FPSTUDY_SCHEDULER", "DASK_SCHEDULER_ADDRESS", "OPENBLAS_CORETYPE")
}


class Dask:
    """A scheduler and workers, each a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file = folder, folder / "scheduler.json"
        self.processes: list[subprocess.Popen[bytes]] = []
        self._start("dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        self._wait(lambda: self.file.exists() and self.file.read_text().endswith("}"))
        self.address = json.loads(self.file.read_text())["address"]

    def worker(self, *arguments: str, **settings: str) -> subprocess.Popen[bytes]:
        local = self.folder / f"worker{len(self.processes)}"
        given = ["--nthreads", "1", "--no-dashboard", "--local-directory", str(local)]
        return self._start("dask_worker", *given, *arguments, **settings)

    def _start(self, module: str, *arguments: str, **settings: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.{module}", *arguments]
        command += ["--scheduler-file", str(self.file)]
        with (self.folder / f"{module}{len(self.processes)}.log").open("wb") as log:
            process = subprocess.Popen(command, env=PLAIN | settings, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def _wait(self, until: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not until():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def end(self) -> None:
        for process in reversed(self.processes):
            process.kill()
            process.wait()


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[Dask]:
    made = Dask(tmp_path)
    yield made
    made.end()


def command(study: Path, out: Path, *arguments: str) -> list[str]:
    given = ["run", str(study), "--out", str(out), "--no-figures", *arguments]
    return [sys.executable, "-m", "fpstudy", *given]


def run(
    study: Path, out: Path, *arguments: str, **settings: str
) -> subprocess.CompletedProcess[str]:
    given = command(study, out, *arguments)
    return subprocess.run(given, env=PLAIN | settings, capture_output=True, text=True, timeout=240)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "study.toml"
    path.write_text(STUDY)
    return path


def under_way(dask: Dask, study: Path, out: Path, chunks: int) -> subprocess.Popen[str]:
    """A run on the cluster, as soon as so many chunks are there."""
    running = subprocess.Popen(
        command(study, out, "--scheduler", dask.address),
        env=PLAIN, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    dask._wait(lambda: len(list(out.glob("chunks/*.chunk"))) >= chunks)
    return running


def alike(one: Path, other: Path) -> None:
    for name in ("record.parquet", "summary.csv"):
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


def test_a_cluster_that_loses_a_worker_gives_the_bytes_of_this_machine(
    dask: Dask, study: Path, tmp_path: Path
) -> None:
    local = run(study, tmp_path / "local", "--jobs", "2")
    assert local.returncode == 0, local.stderr
    lost, _ = dask.worker("--no-nanny"), dask.worker()
    running = under_way(dask, study, tmp_path / "out", chunks=2)
    lost.send_signal(signal.SIGKILL)
    said = running.communicate(timeout=240)[1]
    assert running.returncode == 0, said
    alike(tmp_path / "local", tmp_path / "out")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["other_environments"] == {}


def test_a_formula_that_crashes_or_hangs_costs_its_case_there_too(
    dask: Dask, tmp_path: Path
) -> None:
    (tmp_path / "formulas_elsewhere.py").write_text(FAULTY)
    formulas = ["shifted", *(f"formulas_elsewhere:{name}" for name in ("ends", "spins", "honest"))]
    path = tmp_path / "study.toml"
    path.write_text(
        f'schema = 1\nname = "faulty"\n[[sweep]]\nproblem = "softmax"\ndtype = "float32"\n'
        f"n = [3, 4]\nformula = {json.dumps(formulas)}\n"
    )
    given = ("--allow-code", "formulas_elsewhere", "--timeout", "2")
    worker = dask.worker()
    for out, more in (("local", ()), ("out", ("--scheduler", str(dask.file)))):
        done = run(path, tmp_path / out, *given, *more)
        assert done.returncode == 3, done.stderr
        assert done.stderr.count("crashed: its process ended with exit code 3") == 2
        assert done.stderr.count("timeout: not done in 2 s") == 2
    assert worker.poll() is None
    alike(tmp_path / "local", tmp_path / "out")
    found = pd.read_csv(tmp_path / "out" / "summary.csv")
    assert found["crashed"].sum() == found["timeout"].sum() == 16 * (3 + 4)


def test_a_worker_of_another_kind_is_refused_or_its_rows_say_so(
    dask: Dask, study: Path, tmp_path: Path
) -> None:
    dask.worker(OPENBLAS_CORETYPE="Haswell")
    dask.worker()
    refused = run(study, tmp_path / "out", FPSTUDY_SCHEDULER=dask.address)
    assert refused.returncode == 74
    assert "workers unlike this machine" in refused.stderr
    assert "OPENBLAS_CORETYPE none -> Haswell" in refused.stderr
    assert "--allow-mixed" in refused.stderr
    assert not (tmp_path / "out" / "record.parquet").exists()
    taken = run(study, tmp_path / "out", "--allow-mixed", DASK_SCHEDULER_ADDRESS=dask.address)
    assert taken.returncode == 0, taken.stderr
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    ((other, how),) = manifest["other_environments"].items()
    assert any("OPENBLAS_CORETYPE" in line for line in how)
    rows = pd.read_parquet(tmp_path / "out" / "record.parquet")
    assert set(rows["environment"]) <= {other, manifest["environment"]}
    assert (rows["environment"] == other).any()
    for name in ("README.md", "index.html"):
        assert other in (tmp_path / "out" / name).read_text()


def test_where_no_scheduler_answers_nothing_is_measured(study: Path, tmp_path: Path) -> None:
    done = run(study, tmp_path / "out", "--scheduler", "tcp://127.0.0.1:9")
    assert done.returncode == 74
    assert "no Dask scheduler answers there" in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_ends_a_run_on_a_cluster(dask: Dask, study: Path, tmp_path: Path) -> None:
    dask.worker()
    running = under_way(dask, study, tmp_path / "out", chunks=1)
    running.send_signal(signal.SIGINT)
    said = running.communicate(timeout=20)[1]
    assert running.returncode == 130, said
    assert "the same command goes on" in said
    again = run(study, tmp_path / "out", "--scheduler", dask.address)
    assert again.returncode == 0, again.stderr
    assert "going on" in again.stderr


def test_without_dask_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(ClusterError, match=r"pip install 'fpstudy\[cluster\]'"),
        cluster._client("x"),
    ):
        pass
