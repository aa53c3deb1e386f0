"""Where there is no room, no right or no folder: told early, told well, and nothing is lost."""

import errno
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

import fpstudy
from fpstudy import flow, folder_faults, report, room
from fpstudy.cases import expand
from fpstudy.chunks import cut
from fpstudy.cli import main
from fpstudy.report_lock import VanishedError
from fpstudy.room import RoomError
from fpstudy.study import from_keys
from fpstudy.tasks import tasks

STUDY = """
schema = 1
name = "some"
seed = 0
[[sweep]]
problem = "softmax"
formula = "shifted"
dtype = "float16"
n = 3
samples = 2
"""
PAGE = 4096  # bytes, in which a tmpfs counts


def text(seed: int) -> str:
    return STUDY.replace("seed = 0", f"seed = {seed}")


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "some.toml"
    path.write_text(text(1))
    return path


def fpstudy_(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def run(study: Path, out: Path) -> Result:
    return fpstudy_("run", study, "--out", out, "--no-figures")


def held(folder: Path) -> dict[str, bytes]:
    """Every file of a report's folder, but what a run keeps to go on."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    return {name: data for name, data in files.items() if not name.startswith("chunks/")}


def refused(result: Result, *words: str) -> None:
    """74, with these words in a message that is no traceback."""
    assert result.exit_code == 74, result.output
    assert isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output
    for word in words:
        assert word in result.stderr


SWEEP = {
    "problem": "softmax", "dtype": ["float16", "float32"], "n": [10, 100],
    "magnitude": {"scale": "log10", "start": -1, "stop": 4, "num": 11},
}  # fmt: skip


@pytest.mark.parametrize(
    "sweep",
    [
        {"problem": "softmax", "dtype": "float16", "n": 3, "magnitude": 1},
        SWEEP | {"samples": 1},
        SWEEP | {"problem": "cross_entropy", "samples": 256},
        SWEEP | {"dtype": ["float32", "float64"], "n": [16, 1000], "samples": 64},
    ],
)
def test_the_estimate_is_within_a_factor_of_two_and_a_half(
    sweep: dict, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the record, the chunks, the pages and figures of a whole run."""
    kept: dict[str, int] = {}

    def seen(folder: Path) -> None:
        kept.update((path.name, path.stat().st_size) for path in folder.glob("*"))

    monkeypatch.setattr(flow, "forget", seen)
    keys = {"name": "some", "sweep": [sweep]}
    fpstudy.run(keys, tmp_path)
    written = sum(kept.values()) + sum(map(len, held(tmp_path).values()))
    asked = from_keys(keys)
    chunks = list(cut(tasks(asked, expand(asked)), "here"))
    assert len(chunks) == sum(name.endswith(".chunk") for name in kept)
    need = room.of_run(chunks, tmp_path / "none")
    assert written / 2.5 < need < written * 2.5
    there = tmp_path / "there"
    there.mkdir()
    for chunk in chunks:
        (there / chunk.file).touch()
    assert room.of_run(chunks, there) < need


def test_a_report_needs_the_room_of_what_is_written_anew(tmp_path: Path) -> None:
    for name in ("record.parquet", "summary.csv", "figures/a.svg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"1234567")
    assert room.of_report(tmp_path) == 14


def test_too_little_room_is_told_before_the_first_case(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    usage = SimpleNamespace(total=10**9, used=10**9 - 50_000, free=50_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    refused(
        run(study, out), f"{out}: about 91.1 kB will be written there, and 50.0 kB are free",
        "free about 41.1 kB, or name another folder with run --out", "nothing was begun",
    )  # fmt: skip
    assert not list(out.iterdir())
    usage.free = 10**9
    assert run(study, out).exit_code == 0


@contextmanager
def mounted(folder: Path, *arguments: str) -> Iterator[None]:
    """A file system of its own at the folder; skips where one may not mount any."""
    folder.mkdir(exist_ok=True)
    done = subprocess.run(["mount", *arguments, str(folder)], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"cannot mount: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


mounts = pytest.mark.skipif(
    os.name != "posix" or os.geteuid() != 0 or shutil.which("mount") is None,
    reason="only root may mount file systems",
)


@mounts
def test_a_full_disk_is_told_before_the_first_case(study: Path, tmp_path: Path) -> None:
    out = tmp_path / "disk"
    with mounted(out, "-t", "tmpfs", "-o", f"size={4 * PAGE}", "tmpfs"):
        refused(run(study, out), "kB will be written there", "free about", "nothing was begun")
        assert not list(out.iterdir())
    with mounted(out, "-t", "tmpfs", "-o", "size=16k,nr_inodes=2", "tmpfs"):
        (out / "one").touch()
        refused(run(study, out), "no more files (inodes) can be made there", "run --out")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run takes no estimate for an obstacle, as though the room went when it had begun.

    What the pages say is found out once for each seed, which takes most of a small run's time.
    """
    compose, composed = report.contents, {}

    def once(
        record: object, summary: object, manifest: dict, *rest: object, **named: object
    ) -> Any:
        if manifest["seed"] not in composed:
            composed[manifest["seed"]] = compose(record, summary, manifest, *rest, **named)
        return composed[manifest["seed"]]

    monkeypatch.setattr(report, "contents", once)
    monkeypatch.setattr(flow, "check", lambda *_: None)


def made(folder: Path, seed: int) -> dict[str, bytes]:
    """The files of a report with this seed in the folder."""
    study = folder.with_suffix(".toml")
    study.write_text(text(seed))
    assert run(study, folder).exit_code == 0
    return held(folder)


def same(one: dict[str, bytes], other: dict[str, bytes]) -> bool:
    """Whether two runs gave the same bytes; the manifest has their duration."""
    return {**one, "manifest.json": b""} == {**other, "manifest.json": b""}


def goes_on(study: Path, out: Path, new: dict[str, bytes]) -> None:
    """The same command ends well, with the bytes of a run that nothing stopped."""
    again = run(study, out)
    assert again.exit_code == 0, again.output
    assert same(held(out), new)
    assert not (out / "chunks").exists()


@mounts
def test_whichever_page_of_the_disk_is_the_last_the_report_is_the_old_or_the_new_one(
    study: Path, tmp_path: Path, quick: None
) -> None:
    """A real disk that is full after one page more each time."""
    old, new = made(tmp_path / "old", 0), made(tmp_path / "new", 1)
    disk, ends = tmp_path / "disk", []

    def resized(bytes_: int) -> None:
        options = f"remount,size={bytes_}"
        subprocess.run(["mount", "-o", options, str(disk)], check=True)

    with mounted(disk, "-t", "tmpfs", "-o", "size=10m", "tmpfs"):
        while not ends or ends[-1] == 74:
            out = disk / str(len(ends))
            shutil.copytree(tmp_path / "old", out)
            resized(shutil.disk_usage(disk).used + len(ends) * PAGE)
            result = run(study, out)
            ends.append(result.exit_code)
            assert same(held(out), new) if result.exit_code == 0 else held(out) == old
            if result.exit_code:
                refused(result, "No space left on device", "the same command goes on")
            resized(10**7)
            goes_on(study, out, new)
            shutil.rmtree(out)
    assert len(ends) > 20


CALLS = ("fsync", "replace", "rename", "mkdir", "open", "pwrite", "ftruncate")


def failing(monkeypatch: pytest.MonkeyPatch, at: int, out: Path) -> list[str]:
    """The calls of os from now on, of which the one at this place finds the disk full.

    Files that are opened elsewhere are not counted, nor folders that need not be made.
    """
    calls: list[str] = []

    def planted(name: str) -> None:
        call = getattr(os, name)

        def counted(*arguments: object, **named: object) -> object:
            elsewhere = name == "open" and str(out) not in str(arguments[0])
            if not elsewhere and not (name == "mkdir" and os.path.isdir(str(arguments[0]))):
                calls.append(name)
                if len(calls) == at:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return call(*arguments, **named)

        monkeypatch.setattr(os, name, counted)

    for name in CALLS:
        planted(name)
    return calls


def test_whichever_call_fails_the_report_is_the_old_or_the_new_one(
    study: Path, tmp_path: Path, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = made(tmp_path / "old", 0), made(tmp_path / "new", 1)
    failed: set[str] = set()
    found: list[bool] = []
    while True:
        out = tmp_path / str(len(found))
        shutil.copytree(tmp_path / "old", out)
        with monkeypatch.context() as patch:
            calls = failing(patch, len(found) + 1, out)
            result = run(study, out)
        if len(calls) <= len(found):
            break
        failed.add(calls[len(found)])
        refused(result, "No space left on device", "the same command goes on")
        found.append(same(held(out), new))
        assert found[-1] or held(out) == old, calls
        goes_on(study, out, new)
        shutil.rmtree(out)
    assert result.exit_code == 0
    assert failed == set(CALLS)
    assert found == sorted(found)
    assert True in found and False in found


def test_a_limit_on_a_files_size_is_told_and_the_command_goes_on(
    study: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    study.write_text(
        text(1).replace("shifted", "all").replace("= 2", "= 16")
    )  # a page is larger than a chunk
    command = [sys.executable, "-m", "fpstudy", "run", str(study), "--no-figures", "--out", out]
    limited = ["bash", "-c", 'ulimit -f 26; exec "$@"', "limited", *command]
    done = subprocess.run(limited, capture_output=True, text=True, timeout=120)
    assert done.returncode == 74
    assert "File too large" in done.stderr
    assert "look for a quota or another limit" in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in out.iterdir()] == ["chunks"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0
    assert "going on: 0 of" in done.stderr


@mounts
def test_a_folder_that_is_read_only_is_told_before_the_first_case(
    study: Path, tmp_path: Path
) -> None:
    """By a mount, since root may write whatever the mode says."""
    folder = tmp_path / "shut"
    (folder / "there").mkdir(parents=True)
    with mounted(folder, "--bind", str(folder)):
        subprocess.run(["mount", "-o", "remount,ro,bind", str(folder)], check=True)
        for out in (folder / "new", folder / "there"):
            refused(run(study, out), "Read-only file system", "want a folder that one may write to")
    assert not list((folder / "there").iterdir())


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_no_right_to_write_is_told(
    study: Path, tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    mkdir = os.mkdir

    def refuse(path: str, *arguments: object, **named: object) -> None:
        if Path(path).name == "out":
            raise OSError(number, os.strerror(number), path)
        mkdir(path, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "mkdir", refuse)
    refused(run(study, tmp_path / "out"), os.strerror(number), "or name another with run --out")


def removing(out: Path) -> Callable[..., object]:
    @contextmanager
    def shown(_: str) -> Iterator[Callable[[int, int], None]]:
        yield lambda *_: shutil.rmtree(out)

    return shown


def test_a_folder_that_vanishes_is_told(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    told = f"{out}: removed, or its lock, by somebody while this was at work in it"
    with monkeypatch.context() as patch:
        patch.setattr("fpstudy.progress.shown", removing(out))
        refused(run(study, out), told, "the same command begins anew")
    assert not out.exists()
    assert run(study, out).exit_code == 0
    with monkeypatch.context() as patch:
        patch.setattr(report, "write_report", lambda *_, **__: shutil.rmtree(out))
        refused(fpstudy_("report", out), told)
        with pytest.raises(VanishedError, match="by somebody"):
            fpstudy.run(study, out)
    assert run(study, out).exit_code == 0


def test_a_folder_that_was_replaced_gets_no_report(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its own copy: all that is looked for is there, but for the lock."""
    out = tmp_path / "out"
    assert run(study, out).exit_code == 0
    write = report.write_report

    def replace(*arguments: Any, **named: Any) -> None:
        write(*arguments, **named)
        out.rename(tmp_path / "away")
        shutil.copytree(tmp_path / "away", out)

    def written() -> dict[str, bytes]:
        return {name: data for name, data in held(out).items() if not name.startswith(".")}

    before = written()
    study.write_text(text(2))
    for command in (("report", out), ("run", study, "--out", out, "--no-figures")):
        with monkeypatch.context() as patch:
            patch.setattr(report, "write_report", replace)
            refused(fpstudy_(*command), f"{out}: removed, or its lock, by somebody")
        assert written() == before
        shutil.rmtree(tmp_path / "away")


def test_a_fault_of_another_file_is_not_taken_for_one_of_the_folder(tmp_path: Path) -> None:
    def raised(error: OSError) -> OSError:
        words = os.strerror(error.errno or 0)
        with pytest.raises(OSError, match=words) as caught, folder_faults.told(tmp_path / "a", int):
            raise error
        return caught.value

    for number, name, of_folder in (
        (errno.ENOSPC, None, True),
        (errno.ENOSPC, tmp_path / "a" / "b", True),
        (errno.ENOSPC, str(tmp_path / "other"), False),
        (errno.EACCES, tmp_path, True),
        (errno.EACCES, None, False),
        (errno.EACCES, 3, False),
        (errno.EIO, tmp_path / "a", False),
    ):
        error = OSError(number, os.strerror(number), name)
        found = raised(error)
        assert isinstance(found, RoomError) == of_folder
        assert (found is error) != of_folder


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0.0 kB"), (150, "0.1 kB"), (10**6, "1.0 MB"), (10**10, "10,000.0 MB")]
)
def test_a_size_is_told_in_a_unit_that_shows_it(number: int, text: str) -> None:
    assert room.size(number) == text
