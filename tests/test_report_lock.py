"""One run at a time in a folder: the second is told who is first, and no lock outlives its run."""

import errno
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from filelock import FileLock

import fpstudy
from fpstudy import report_lock
from fpstudy.cli import main
from fpstudy.report_lock import FILE, InUseError, VanishedError, held

KEYS = {
    "name": "some",
    "sweep": [{"problem": "softmax", "dtype": "float16", "n": 3, "magnitude": [1, 100]}],
}
Start = Callable[[], subprocess.Popen[str]]
# Holds the lock of a folder until it is told to end, or killed.
HOLD = """
import sys
from pathlib import Path
from fpstudy.report_lock import held
sys.argv[0] = "/bin/fpstudy"
with held(Path(sys.argv[1]), print):
    print("held", flush=True)
    sys.stdin.readline()
"""


def run(folder: Path, **named: object) -> None:
    fpstudy.run(KEYS, folder, figures=False, **named)


@pytest.fixture
def holding(tmp_path: Path) -> Iterator[Start]:
    """Another process that holds the folder's lock when this returns."""
    started: list[subprocess.Popen[str]] = []

    def start() -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(tmp_path), "run", "some study.toml"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_the_second_is_told_who_is_first(tmp_path: Path, holding: Start) -> None:
    process = holding()
    words = (
        rf"in use by fpstudy {tmp_path} run 'some study.toml' \(process {process.pid} on"
        rf" {socket.gethostname()}, since \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d\+00:00\); wait"
    )
    start = time.monotonic()
    for _ in range(3):
        with pytest.raises(InUseError, match=words):
            run(tmp_path)
        with pytest.raises(InUseError, match=words):
            fpstudy.rebuild(tmp_path)
    assert time.monotonic() - start < 30
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
    process.communicate("\n", timeout=30)
    assert process.returncode == 0
    assert list(tmp_path.iterdir()) == []
    run(tmp_path)


@pytest.mark.parametrize("command", ["run", "report"])
def test_the_commands_refuse_with_74(tmp_path: Path, holding: Start, command: str) -> None:
    study = tmp_path / "study.toml"
    study.write_text('schema = 1\nname = "s"\n[[sweep]]\nproblem = "softmax"\ndtype = "float16"\n')
    (tmp_path / "record.parquet").touch()
    pid = holding().pid
    arguments = [str(study), "--out"] if command == "run" else []
    result = CliRunner().invoke(main, [command, *arguments, str(tmp_path)])
    assert result.exit_code == 74
    assert f"process {pid} on" in result.stderr
    assert "Traceback" not in result.output


def test_a_thread_of_the_same_process_is_refused_too(tmp_path: Path) -> None:
    caught: list[BaseException] = []

    def other(*_: int) -> None:
        def second() -> None:
            try:
                run(tmp_path)
            except InUseError as error:
                caught.append(error)

        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
        with pytest.raises(InUseError, match=f"process {os.getpid()} on"):
            run(tmp_path)

    run(tmp_path, progress=other)
    assert len(caught) == 1
    assert not list(tmp_path.glob(".*"))


def test_a_killed_holder_leaves_no_lock_and_its_description_misleads_nobody(
    tmp_path: Path, holding: Start
) -> None:
    process = holding()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert json.loads((tmp_path / FILE).read_text())["pid"] == process.pid
    second = holding()
    with pytest.raises(InUseError, match=f"process {second.pid} on"):
        run(tmp_path)
    second.kill()
    second.wait()
    run(tmp_path)
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    "left", ["", "{", "[]", '{"pid": 1}', "\x00" * 50, "9" * 10**5, "[" * 19_000]
)
def test_a_holder_that_says_nothing_is_a_holder(tmp_path: Path, left: str) -> None:
    (tmp_path / FILE).write_text(left)
    with (tmp_path / FILE).open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(InUseError, match="another run, which does not say who it is"):
            run(tmp_path)
        assert (tmp_path / FILE).read_text() == left
    run(tmp_path)
    assert not list(tmp_path.glob(".*"))


NO_LOCKS: dict[str, tuple[Callable[[Path, Path], object], str]] = {
    "another's file": (lambda path, other: path.hardlink_to(other), "has another name elsewhere"),
    "a link": (lambda path, other: path.symlink_to(other), "is not a regular file"),
    "a pipe": (lambda path, other: os.mkfifo(path), "is not a regular file"),
    "a folder": (lambda path, other: path.mkdir(), "is not a regular file"),
}


@pytest.mark.parametrize("kind", NO_LOCKS)
def test_what_could_be_somebody_s_file_is_no_lock(tmp_path: Path, kind: str) -> None:
    """A lock's file is emptied and written to."""
    make, words = NO_LOCKS[kind]
    folder, other = tmp_path / "report", tmp_path / "other"
    folder.mkdir()
    other.write_text("somebody's")
    make(folder / FILE, other)
    (folder / "record.parquet").touch()
    result = CliRunner().invoke(main, ["report", str(folder)])
    assert result.exit_code == 74
    assert result.stderr.startswith(f"{folder / FILE}: {words}")
    assert other.read_text() == "somebody's"
    assert sorted(path.name for path in folder.iterdir()) == [FILE, "record.parquet"]


def test_of_many_at_once_one_runs_at_a_time(tmp_path: Path) -> None:
    """Threads in and out of the folder; whoever is in finds nobody else there."""
    inside, most, entered = 0, 0, 0
    guard = threading.Lock()
    end = time.monotonic() + 2

    def visit() -> None:
        nonlocal inside, most, entered
        while time.monotonic() < end:
            try:
                with held(tmp_path, print):
                    with guard:
                        inside += 1
                        entered += 1
                        most = max(most, inside)
                    time.sleep(0.001)
                    with guard:
                        inside -= 1
            except InUseError:
                pass

    threads = [threading.Thread(target=visit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1
    assert entered > 20
    assert list(tmp_path.iterdir()) == []


def test_the_file_goes_before_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise one takes the lock of a file that is removed then, and the next makes another."""
    there: list[bool] = []
    release = FileLock.release

    def seen(lock: FileLock, force: bool = False) -> None:
        there.append((tmp_path / FILE).exists())
        release(lock, force)

    monkeypatch.setattr(FileLock, "release", seen)
    with held(tmp_path, print):
        assert (tmp_path / FILE).exists()
    assert there[0] is False


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP])
def test_where_there_are_no_locks_a_run_goes_on_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def missing(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", missing)
    said: list[str] = []
    run(tmp_path, notice=said.append)
    assert len(said) == 1
    assert said[0].startswith(f"{tmp_path}: no locks on this file system ({os.strerror(number)})")
    assert not list(tmp_path.glob(".*"))


def test_another_error_of_the_lock_is_raised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(fcntl, "flock", broken)
    with pytest.raises(OSError, match="Input/output error"):
        run(tmp_path)


def test_a_lock_that_cannot_be_described_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with pytest.raises(OSError, match="No space left"):
            run(tmp_path)
    assert list(tmp_path.iterdir()) == []
    run(tmp_path)


@pytest.mark.parametrize("again", [False, True])
def test_a_folder_that_was_removed_or_replaced_is_not_written_to(
    tmp_path: Path, again: bool
) -> None:
    folder = tmp_path / "report"

    def vanish(holder: report_lock.Holder) -> None:
        shutil.rmtree(folder)
        if again:
            folder.mkdir()
            (folder / FILE).touch()
        holder.check()

    folder.mkdir()
    with pytest.raises(VanishedError, match="removed, or its lock"), held(folder, print) as holder:
        vanish(holder)
    assert folder.exists() == again
    assert [path.name for path in tmp_path.rglob("*")] == (["report", FILE] if again else [])
