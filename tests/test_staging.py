"""A report's files appear together or not at all, wherever the building of new ones ends."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

import fpstudy
from fpstudy import staging, whole_file
from fpstudy.staging import BUILDING, COMPLETE, STALE, finish, staged

KEYS = {
    "name": "some",
    "sweep": [{"problem": "softmax", "dtype": "float16", "n": 3, "magnitude": [1, 100]}],
}
OLD = {
    "record.parquet": "old", "summary.csv": "old", "README.md": "old", "index.html": "old",
    "figures/a.svg": "old", "figures/b.svg": "old", "manifest.json": "old",
}  # fmt: skip
NEW = dict.fromkeys(OLD.keys() - {"figures/b.svg"} | {"figures/c.svg"}, "new")
OTHERS = {"notes.txt": "mine", "figures/notes.txt": "mine", "figures/mine.png": "mine"}


def put(folder: Path, texts: dict[str, str]) -> None:
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def held(folder: Path) -> dict[str, bytes]:
    """Every file below the folder."""
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def texts(folder: Path) -> dict[str, str]:
    return {name: data.decode() for name, data in held(folder).items()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    put(tmp_path, OLD | OTHERS)
    return tmp_path


def test_new_files_replace_the_old_and_no_other_is_touched(folder: Path) -> None:
    with staged(folder) as new:
        put(new, NEW)
        assert texts(folder) == OLD | OTHERS | {f"{BUILDING}/{name}": "new" for name in NEW}
    assert texts(folder) == NEW | OTHERS
    assert sorted(p.name for p in folder.iterdir() if p.is_dir()) == ["figures"]


def test_what_is_not_built_anew_stays_but_for_figures(folder: Path) -> None:
    with staged(folder) as new:
        put(new, {"summary.csv": "new"})
    stays = {name: text for name, text in OLD.items() if not name.startswith("figures")}
    assert texts(folder) == stays | OTHERS | {"summary.csv": "new"}


def test_a_body_that_raises_leaves_the_old_files(folder: Path) -> None:
    def half() -> None:
        with staged(folder) as new:
            put(new, NEW)
            raise KeyError("half")

    with pytest.raises(KeyError, match="half"):
        half()
    assert texts(folder) == OLD | OTHERS


def test_what_another_run_is_building_stays(tmp_path: Path) -> None:
    """The folder was removed while one worked in it, and another began there."""
    folder = tmp_path / "report"
    folder.mkdir()

    def replaced() -> None:
        with staged(folder) as new:
            put(new, NEW)
            folder.rename(tmp_path / "away")
            put(folder / BUILDING, OLD)
            raise KeyError("replaced")

    with pytest.raises(KeyError, match="replaced"):
        replaced()
    assert texts(folder / BUILDING) == OLD


def test_what_a_killed_run_was_building_goes(folder: Path) -> None:
    put(folder / BUILDING, NEW)
    finish(folder)
    assert texts(folder) == OLD | OTHERS


@pytest.mark.parametrize("name", ["README.md", "manifest.json", "figures"])
def test_what_stands_in_the_way_is_noticed_before_anything_moves(folder: Path, name: str) -> None:
    (shutil.rmtree if name == "figures" else os.unlink)(folder / name)
    if name == "figures":
        (folder / name).write_text("a file")
    else:
        (folder / name).mkdir()
    before = texts(folder)

    def build() -> None:
        with staged(folder) as new:
            put(new, NEW)

    with pytest.raises(OSError, match=r"exists|a folder stands"):
        build()
    assert texts(folder) == before


@pytest.mark.parametrize(
    "stale",
    [
        '["../notes.txt", "notes.txt", "/etc/passwd", "figures"]', "{}", "3", "[", "[[1]]",
        "[" * 200_000,
    ],
)  # fmt: skip
def test_what_it_says_is_stale_removes_nothing_but_figures(folder: Path, stale: str) -> None:
    put(folder / COMPLETE, NEW | {STALE: stale, "other.txt": "new", "figures/other.txt": "new"})
    finish(folder)
    assert texts(folder) == OLD | NEW | OTHERS
    assert not (folder / COMPLETE).exists()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_what_says_nothing_of_stale_figures_blocks_nobody(folder: Path, make: Callable) -> None:
    put(folder / COMPLETE, NEW)
    make(folder / COMPLETE / STALE)
    finish(folder)
    assert texts(folder) == OLD | NEW | OTHERS
    assert not (folder / COMPLETE).exists()


# Ends the process as kill -9 does, at the k-th call that changes a folder.
KILLED = """
import os, signal, sys
from pathlib import Path
from fpstudy.staging import staged
folder, at, count = Path(sys.argv[1]), int(sys.argv[2]), 0
def deadly(call):
    def counted(*arguments, **named):
        global count
        count += 1
        if count == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*arguments, **named)
    return counted
with staged(folder) as new:
    for source in Path(sys.argv[3]).rglob("*.*"):
        target = new / source.relative_to(sys.argv[3])
        target.parent.mkdir(exist_ok=True)
        target.write_text(source.read_text())
    for name in ("rename", "replace", "unlink", "rmdir", "mkdir"):
        setattr(os, name, deadly(getattr(os, name)))
print(count)
"""


def killed(folder: Path, at: int, source: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", KILLED, str(folder), str(at), str(source)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_killed_at_any_step_the_folder_has_all_old_or_all_new_files(tmp_path: Path) -> None:
    source = tmp_path / "source"
    put(source, NEW)
    put(tmp_path / "whole", OLD | OTHERS)
    whole = killed(tmp_path / "whole", 0, source)
    steps = int(whole.stdout)
    assert texts(tmp_path / "whole") == NEW | OTHERS
    assert steps > len(NEW) + 2
    ends = []
    for at in range(1, steps + 1):
        folder = tmp_path / str(at)
        put(folder, OLD | OTHERS)
        assert killed(folder, at, source).returncode == -signal.SIGKILL
        mixed = {n: t for n, t in texts(folder).items() if not n.startswith(".")}
        finish(folder)
        found = texts(folder)
        assert found in (OLD | OTHERS, NEW | OTHERS), at
        assert not list(folder.glob(".*"))
        ends.append("old" if found == OLD | OTHERS else "mixed" if mixed != found else "new")
    assert ends == sorted(ends, key=["old", "mixed", "new"].index)
    assert len(set(ends)) == 3


class FaultError(OSError):
    """A disk that takes nothing more."""

    def __init__(self) -> None:
        super().__init__(28, "No space left on device")


def failing(monkeypatch: pytest.MonkeyPatch, at: int, names: tuple[str, ...]) -> list[str]:
    """The calls of these names in os from now on, of which the one at this place fails."""
    calls: list[str] = []

    def planted(name: str) -> None:
        call = getattr(os, name)

        def counted(*arguments: object, **named: object) -> object:
            calls.append(name)
            if len(calls) == at:
                raise FaultError
            return call(*arguments, **named)

        monkeypatch.setattr(os, name, counted)

    for name in names:
        planted(name)
    return calls


def test_a_step_that_fails_leaves_all_old_or_all_new_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps, at, ends = 10**6, 1, []
    while at <= steps:
        folder = tmp_path / str(at)
        put(folder, OLD | OTHERS)
        with monkeypatch.context() as patch:
            calls = failing(patch, at, ("rename", "replace", "fsync", "unlink"))
            try:
                with staged(folder) as new:
                    put(new, NEW)
                steps = len(calls)
            except FaultError:
                pass
        ends.append("old" if texts(folder) == OLD | OTHERS else "new")
        assert texts(folder) == (OLD if ends[-1] == "old" else NEW) | OTHERS, calls[-1]
        at += 1
    assert ends == sorted(ends, reverse=True)
    assert set(ends) == {"old", "new"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fpstudy.run(KEYS, tmp_path_factory.mktemp("whole"), figures=False).directory


SAME = ("record.parquet", "summary.csv")  # whatever the run; the others tell its duration


@pytest.mark.parametrize("fails", ["write_csv", "write_report"])
@pytest.mark.parametrize("what", ["run", "rebuild"])
def test_a_report_that_cannot_be_built_leaves_the_old_one(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str, what: str
) -> None:
    folder = tmp_path / "report"
    shutil.copytree(whole, folder)
    before = held(folder)

    def full(*_: object, **__: object) -> None:
        raise FaultError

    module = "fpstudy.summary" if fails == "write_csv" else "fpstudy.report"
    monkeypatch.setattr(f"{module}.{fails}", full)
    other = KEYS | {"seed": 1}
    with pytest.raises(OSError, match="No space left"):
        fpstudy.run(other, folder) if what == "run" else fpstudy.rebuild(folder)
    after = held(folder)
    chunks = {name for name in after if name.startswith("chunks/")}
    assert {name: data for name, data in after.items() if name not in chunks} == before
    assert bool(chunks) == (what == "run")


def test_a_report_half_in_place_is_made_whole_by_the_same_command(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of another seed, stopped after so many renames as the record takes; nothing is measured."""
    folder = tmp_path / "report"
    shutil.copytree(whole, folder)
    keys = KEYS | {"seed": 1}

    def stop(directory: Path) -> None:
        if (directory / COMPLETE).exists():
            with suppress(FileNotFoundError):  # it is called again
                (directory / COMPLETE / "record.parquet").replace(directory / "record.parquet")
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(staging, "finish", stop)
        with pytest.raises(KeyboardInterrupt):
            fpstudy.run(keys, folder, figures=False)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["seed"] == 0
    measured: list[int] = []
    done = fpstudy.run(keys, folder, figures=False, progress=lambda d, _: measured.append(d))
    assert measured == []
    assert done.kept
    assert done.manifest["seed"] == 1
    assert not list(folder.glob("chunks"))
    other = fpstudy.run(keys, tmp_path / "other", figures=False).directory
    for name in SAME:
        assert (folder / name).read_bytes() == (other / name).read_bytes()


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "target.csv"
    path.write_bytes(b"old")
    yield path
    assert [p.name for p in tmp_path.iterdir()] == ["target.csv"]


def test_a_whole_file_is_the_old_or_the_new_one(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at, name in ((1, "fsync"), (2, "replace")):
        with monkeypatch.context() as patch:
            calls = failing(patch, at, ("fsync", "replace"))
            with pytest.raises(FaultError, match="No space"):
                whole_file.write(target, b"new")
        assert calls[at - 1] == name
        assert target.read_bytes() == b"old"
    whole_file.write(target, b"new")
    assert target.read_bytes() == b"new"


def test_a_whole_file_in_no_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"x\.csv"):
        whole_file.write(tmp_path / "none" / "x.csv", b"")
