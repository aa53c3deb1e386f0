"""Nobody needs to listen to a run: broken pipes, closed streams, and clocks that jump."""

import io
import os
import random
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

import fpstudy
from fpstudy import flow
from fpstudy.streams import heedless

ROOT = Path(fpstudy.__file__).parent
STUDY = """
schema = 1
name = "some"
[[sweep]]
problem = "softmax"
formula = ["shifted", "naive"]
dtype = "float16"
n = 3
samples = 2
"""
SAME = ("record.parquet", "summary.csv")
FILES = {*SAME, "README.md", "index.html", "manifest.json", "figures"}
PYTHON = f"{sys.executable} -m fpstudy"
RUN = f"{PYTHON} run some.toml --out out --no-figures"
needs_bash = pytest.mark.skipif(os.name != "posix", reason="the redirections are of a POSIX shell")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    (folder / "some.toml").write_text(STUDY)
    fpstudy.run(folder / "some.toml", folder / "out", figures=False)
    return folder / "out"


def shell(command: str, folder: Path, **environment: str) -> tuple[int, str]:
    """The exit code of the first command of a pipeline, and what was not redirected."""
    done = subprocess.run(
        ["bash", "-c", f"{command}\nexit ${{PIPESTATUS[0]}}"], cwd=folder, text=True, timeout=120,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env=os.environ | environment,
    )  # fmt: skip
    return done.returncode, done.stdout


@needs_bash
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    "redirected",
    ["| head -1", "| true", "2>&1 | true", ">&-", "2>&-", "<&- >&- 2>&-", "2>/dev/full"],
)
def test_a_run_that_nobody_listens_to_ends_as_any_other(
    redirected: str, unbuffered: str, whole: Path, tmp_path: Path
) -> None:
    (tmp_path / "some.toml").write_text(STUDY)
    code, said = shell(f"{RUN} {redirected}", tmp_path, PYTHONUNBUFFERED=unbuffered)
    assert code == 0, said
    assert "Traceback" not in said
    assert "Broken pipe" not in said
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES
    for name in SAME:
        assert (tmp_path / "out" / name).read_bytes() == (whole / name).read_bytes()


@needs_bash
@pytest.mark.parametrize("command", ["list formulas", "schema", "--help", "exact softmax --help"])
def test_other_commands_end_quietly_too(command: str, tmp_path: Path) -> None:
    assert shell(f"{PYTHON} {command} | true", tmp_path) == (0, "")
    assert shell(f"{PYTHON} {command} >&-", tmp_path) == (0, "")


@needs_bash
def test_a_check_that_failed_is_not_lost_with_the_pipe(tmp_path: Path) -> None:
    (tmp_path / "some.toml").write_text(STUDY.replace("float16", "flaot16"))
    assert shell(f"{RUN} 2>&1 | true", tmp_path)[0] == 2


@needs_bash
@pytest.mark.parametrize("command", [RUN, f"{PYTHON} list formulas", f"{PYTHON} --help"])
def test_results_that_the_disk_cannot_take_are_a_fault(command: str, tmp_path: Path) -> None:
    (tmp_path / "some.toml").write_text(STUDY)
    code, said = shell(f"{command} >/dev/full", tmp_path)
    assert code == 74
    assert said.endswith("standard output: No space left on device\n")
    assert "Traceback" not in said
    assert not (tmp_path / "out").exists() or (tmp_path / "out" / "manifest.json").is_file()


@needs_bash
@pytest.mark.parametrize("redirected", ["2>&1 | true", "2>&-", "2>/dev/full"])
def test_from_python_progress_and_notices_need_no_reader(redirected: str, tmp_path: Path) -> None:
    (tmp_path / "some.toml").write_text(STUDY)
    (tmp_path / "some.py").write_text(
        "import fpstudy, warnings\n"
        "def progress(done, total): warnings.warn('a notice')\n"
        "for shown in (True, progress):\n"
        "    fpstudy.run('some.toml', 'out', figures=False, progress=shown, fresh=True)\n"
    )
    command = f"{sys.executable} some.py {redirected}"
    code, said = shell(command, tmp_path)
    # Python's own last flush of a broken stream ends with 120, when all is done
    assert (code, said) in ((0, ""), (120, ""))
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES


def test_a_stream_that_breaks_takes_what_it_is_given() -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as stream:
        said = heedless(stream)
        print("heard", file=said, flush=True)
        assert os.read(reader, 100) == b"heard\n"
        os.close(reader)
        for _ in range(3):
            print("x" * 10**5, file=said, flush=True)
        with pytest.raises(BrokenPipeError, match="Broken pipe"):
            os.write(writer, b"x")


def test_what_is_no_file_of_the_system_stays_as_it_is(tmp_path: Path) -> None:
    memory = io.StringIO()
    assert heedless(memory) is memory
    closed = (tmp_path / "closed").open("w")
    closed.close()
    for stream in (None, closed):
        nowhere = heedless(stream)
        print("x", file=nowhere, flush=True)
        assert not nowhere.isatty()


def test_no_wall_clock_is_used_but_for_stamps() -> None:
    """What counts time is monotonic.

    The lock's file has a stamp; that of a file of logits is compared for equality alone.
    """
    found = {
        path.relative_to(ROOT).as_posix(): sorted(set(words))
        for path in ROOT.rglob("*.py")
        if (words := re.findall(
            r"time\.time\w*|datetime\.\w+|gmtime|localtime|st_[amc]time\w*|getmtime",
            path.read_text(encoding="utf-8"),
        ))
    }  # fmt: skip
    assert found == {"report_lock.py": ["datetime.now"], "logit_files.py": ["st_mtime_ns"]}


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_clock_that_jumps_by_years_changes_nothing(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jobs: int
) -> None:
    rng, years = random.Random(1), 365.25 * 86400
    monkeypatch.setattr(time, "time", lambda: 1e9 + rng.uniform(-20, 20) * years)
    monkeypatch.setattr(time, "time_ns", lambda: int(1e9 * time.time()))
    (tmp_path / "some.toml").write_text(STUDY)
    start = time.perf_counter()
    done = flow.run(tmp_path / "some.toml", tmp_path / "out", jobs=jobs, figures=False)
    assert 0 < done.manifest["duration_seconds"] < time.perf_counter() - start
    for name in SAME:
        assert (tmp_path / "out" / name).read_bytes() == (whole / name).read_bytes()
    assert done.manifest["cases"] == {"total": 2, "run": 2, "skipped": 0, "crashed": 0}
