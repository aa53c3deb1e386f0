"""A run that was interrupted goes on, to the same bytes; what is damaged is measured again."""

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import fpstudy
from fpstudy import chunks, witness
from fpstudy.cases import expand
from fpstudy.chunks import Chunk, DamagedChunkError
from fpstudy.execution import here
from fpstudy.execution.pool import at_desks
from fpstudy.execution.terms import Terms
from fpstudy.measurement import NO_CASE, run_tasks
from fpstudy.study import from_keys
from fpstudy.tasks import tasks

KEYS = {
    "name": "some",
    "sweep": [
        {
            "problem": ["softmax", "logsumexp"],
            "dtype": ["float16", "float32"],
            "n": [3, 5],
            "magnitude": [0.1, 1, 10, 100],
            "samples": 4,
        }
    ],
}


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chunk for each draw."""
    monkeypatch.setattr(chunks, "CHUNK_NUMBERS", 1)


def of(keys: dict, whence: str = "here") -> list[Chunk]:
    study = from_keys(keys)
    return list(chunks.cut(tasks(study, expand(study)), whence))


def test_a_chunk_reads_back_as_it_was_measured(tmp_path: Path) -> None:
    chunk = of(KEYS)[0]
    measured = run_tasks(chunk.tasks)
    chunks.keep(tmp_path, chunk, chunks.pack(chunk, measured))
    found = chunks.read(tmp_path, chunk)
    assert found is not None
    assert found.rows.schema.equals(measured.rows.schema, check_metadata=True)
    pd.testing.assert_frame_equal(found.rows.to_pandas(), measured.rows.to_pandas())
    assert replace(found, rows=None) == replace(measured, rows=None)
    assert measured.testimony.checked > 0
    assert [path.name for path in tmp_path.iterdir()] == [chunk.file]


def test_there_is_none_that_was_not_written(tmp_path: Path) -> None:
    assert chunks.read(tmp_path, of(KEYS)[0]) is None


FLIPS = 10_000


def test_no_flipped_bit_and_no_lost_end_gives_a_number() -> None:
    chunk, rng = of(KEYS)[0], np.random.default_rng(0)
    data = chunks.pack(chunk, run_tasks(chunk.tasks))
    for flip in range(FLIPS):
        damaged = bytearray(data)
        at = int(rng.integers(len(data)))
        damaged[at] ^= 1 << int(rng.integers(8))
        with pytest.raises(DamagedChunkError, match="other bytes"):
            chunks.unpack(chunk, bytes(damaged))
        if flip < len(data):
            with pytest.raises(DamagedChunkError, match="other bytes"):
                chunks.unpack(chunk, data[:flip])


@pytest.mark.parametrize("seed", range(20))
def test_a_flipped_bit_is_no_table_either_where_the_digest_is_that_of_the_flipped(
    seed: int,
) -> None:
    """Whoever signs anew what is damaged gets no more than an error, or the same cases."""
    chunk, rng = of(KEYS)[0], np.random.default_rng(seed)
    data = bytearray(chunks.pack(chunk, run_tasks(chunk.tasks))[:-32])
    for _ in range(20):
        data[int(rng.integers(len(data)))] ^= 1 << int(rng.integers(8))
    try:
        found = chunks.unpack(chunk, bytes(data) + hashlib.sha256(data).digest())
    except DamagedChunkError:
        return
    assert set(found.rows["case"].to_pylist()) == {number for number, _ in chunk.tasks[0].cases}


def test_another_chunk_s_file_under_its_name_is_noticed(tmp_path: Path) -> None:
    one, other = of(KEYS)[:2]
    chunks.keep(tmp_path, one, chunks.pack(other, run_tasks(other.tasks)))
    with pytest.raises(DamagedChunkError, match="another chunk's"):
        chunks.read(tmp_path, one)
    resigned = chunks.pack(replace(other, key=one.key), run_tasks(other.tasks))
    chunks.keep(tmp_path, one, resigned)
    with pytest.raises(DamagedChunkError, match="other columns, cases or samples"):
        chunks.read(tmp_path, one)


def column(rows: pa.Table, name: str, change: Callable[[Any], Any]) -> pa.Table:
    """The rows with one column changed."""
    at, values = rows.schema.get_field_index(name), rows[name].to_pylist()
    field = rows.schema.field(at)
    return rows.set_column(at, field, pa.array([change(v) for v in values], field.type))


ROWS: dict[str, Callable[[pa.Table], pa.Table]] = {
    "one lost": lambda rows: rows[1:],
    "the last lost": lambda rows: rows[:-1],
    "each twice": lambda rows: pa.concat_tables([rows, rows]).sort_by("case"),
    "of other samples": lambda rows: column(rows, "sample", lambda v: v + 4),
    "of another formula": lambda rows: column(rows, "formula", lambda _: "<script>"),
    "of another dtype": lambda rows: column(rows, "dtype", lambda _: "float99"),
    "of other lengths": lambda rows: column(rows, "n", lambda v: v + 1),
    "of another base": lambda rows: column(rows, "base", lambda _: 2.0),
    "of other magnitudes": lambda rows: column(rows, "magnitude", lambda v: v / 2),
    "below 0": lambda rows: column(rows, "ulp_error", lambda v: -1.0 - v),
    "of more outcomes": lambda rows: column(rows, "components", lambda v: v + 1),
    "of less than none": lambda rows: column(rows, "bound_broken", lambda _: -1),
    "missing": lambda rows: column(rows, "relative_error", lambda _: None),
    "another column": lambda rows: rows.append_column("more", rows["case"]),
}


@pytest.mark.parametrize("change", ROWS.values(), ids=ROWS)
def test_rows_of_other_cases_are_noticed_whoever_signed_them(
    change: Callable[[pa.Table], pa.Table],
) -> None:
    chunk = of(KEYS)[0]
    measured = run_tasks(chunk.tasks)
    signed = chunks.pack(chunk, replace(measured, rows=change(measured.rows)))
    with pytest.raises(DamagedChunkError, match="other columns, cases or samples"):
        chunks.unpack(chunk, signed)


@pytest.mark.parametrize(
    "change",
    [
        {"truths": "abc"}, {"truths": -1}, {"truths": True}, {"undecided": 0.5},
        {"violations": 3}, {"violations": [3]}, {"environment": {"a": 1}},
        {"environment": "<b>"}, {"cases": Counter({"run": 1})},
        {"cases": Counter({"more": 12})}, {"cases": {"run": "x"}}, {"cases": [1]},
        {"testimony": witness.Testimony(checked="x")},
        {"testimony": witness.Testimony(disagreements="x")},
        {"testimony": witness.Testimony(limits=-1)},
    ],
    ids=str,
)  # fmt: skip
def test_counts_that_are_none_are_noticed_whoever_signed_them(change: dict[str, Any]) -> None:
    chunk = of(KEYS)[0]
    signed = chunks.pack(chunk, replace(run_tasks(chunk.tasks), **change))
    with pytest.raises(DamagedChunkError, match=r"counts are none|cannot be read"):
        chunks.unpack(chunk, signed)


def test_rows_of_another_environment_are_measured_again(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    whole = fpstudy.run(KEYS, tmp_path / "whole", figures=False)
    with pytest.raises(KeyboardInterrupt):
        fpstudy.run(KEYS, tmp_path / "out", figures=False, progress=stop)
    kept = sorted((tmp_path / "out" / "chunks").glob("*.chunk"))
    table = pq.read_table(io.BytesIO(kept[0].read_bytes()[:-32]))
    counts = json.loads(table.schema.metadata[chunks.COUNTS])
    counts["environment"] = "0123456789ab"
    buffer = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({chunks.COUNTS: json.dumps(counts)}), buffer)
    data = buffer.getvalue()
    kept[0].write_bytes(data + hashlib.sha256(data).digest())
    notices: list[str] = []
    fpstudy.run(KEYS, tmp_path / "out", figures=False, notice=notices.append)
    assert sum("another environment than its rows" in line for line in notices) == 1
    for name in ("record.parquet", "summary.csv"):
        assert (tmp_path / "out" / name).read_bytes() == (whole.directory / name).read_bytes()


@pytest.mark.parametrize(
    "other",
    [
        KEYS | {"seed": 1},
        KEYS | {"engine": "arb"},
        KEYS | {"sweep": [KEYS["sweep"][0] | {"samples": 5}]},
        KEYS | {"sweep": [KEYS["sweep"][0] | {"formula": "naive"}]},
        KEYS | {"sweep": [KEYS["sweep"][0] | {"inputs": "per_dtype"}]},
        KEYS | {"sweep": [KEYS["sweep"][0] | {"tolerance": 5}]},
    ],
)
def test_another_study_has_other_keys(other: dict) -> None:
    assert not {chunk.key for chunk in of(KEYS)} & {chunk.key for chunk in of(other)}


def test_keys_depend_on_whence_and_on_what_a_file_holds_not_where(tmp_path: Path) -> None:
    assert {c.key for c in of(KEYS)} == {c.key for c in of(KEYS)}
    assert not {c.key for c in of(KEYS)} & {c.key for c in of(KEYS, "there")}
    sweep = {"problem": "softmax", "dtype": "float32", "distribution": "file"}
    keys = []
    for folder, value in (("a", 1.0), ("b", 1.0), ("c", 2.0)):
        (tmp_path / folder).mkdir()
        path = tmp_path / folder / "x.npy"
        np.save(path, [[value, 2.0, 3.0], [1.0, 2.0, 3.0]])  # of one size, and one largest logit
        (chunk,) = of({"name": "files", "sweep": [sweep | {"file": str(path)}]})
        keys.append(chunk.key)
    assert keys[0] == keys[1] != keys[2]


def test_keys_are_the_same_in_every_process() -> None:
    program = "from tests.test_chunks import KEYS, of\nprint(*(chunk.key for chunk in of(KEYS)))"
    found = {
        subprocess.run(
            [sys.executable, "-c", program], env=os.environ | {"PYTHONHASHSEED": str(seed)},
            cwd=Path(__file__).parent.parent, capture_output=True, text=True, check=True,
        ).stdout
        for seed in range(1, 6)
    }  # fmt: skip
    assert len(found) == 1


def test_an_interrupted_run_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    fpstudy.run(KEYS, tmp_path / "whole", figures=False)
    seen: list[int] = []

    def stop(done: int, total: int) -> None:
        seen.append(done)
        if len(seen) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fpstudy.run(KEYS, tmp_path / "part", figures=False, progress=stop)
    assert len(list((tmp_path / "part" / "chunks").glob("*.chunk"))) == 3
    assert not (tmp_path / "part" / "record.parquet").exists()
    said: list[str] = []
    measured = count_tasks(lambda: fpstudy.run(
        KEYS, tmp_path / "part", figures=False, notice=said.append
    ))  # fmt: skip
    assert measured == 8 - 3
    cases = len(expand(from_keys(KEYS)))
    assert said == [
        f"going on: {cases - seen[-1]} of {cases} cases are left to measure; the others are kept"
    ]
    for name in ("record.parquet", "summary.csv"):
        one, other = ((tmp_path / run / name).read_bytes() for run in ("whole", "part"))
        assert one == other
    assert not (tmp_path / "part" / "chunks").exists()


class DoneAtOnce:
    """A desk whose process has done a thing as soon as it is asked to."""

    def __init__(self) -> None:
        self.given: list[str] = []

    def start(self, _: object, chunk: Chunk, *arguments: object) -> Future:
        self.given.append(chunk.key)
        done: Future = Future()
        done.set_result(None)
        return done

    def at(self) -> tuple[int, float]:
        return NO_CASE, 0.0

    def lost(self) -> None:
        return None


def test_a_desk_is_at_work_while_the_caller_reads_what_it_gave(tmp_path: Path) -> None:
    desk, work = DoneAtOnce(), of(KEYS)
    finished = at_desks([desk], work, tmp_path, Terms("here"), print)
    for number, chunk in enumerate(finished, 1):
        assert chunk.key == work[number - 1].key
        assert len(desk.given) == min(number + 1, len(work))
    assert desk.given == [chunk.key for chunk in work]


def count_tasks(run: object) -> int:
    """How many tasks are measured in this process while it runs."""
    counted, kept = 0, here.run_tasks

    def counting(those: object) -> object:
        nonlocal counted
        counted += len(those)  # type: ignore[arg-type]
        return kept(those)  # type: ignore[arg-type]

    here.run_tasks = counting  # type: ignore[assignment]
    try:
        run()  # type: ignore[operator]
    finally:
        here.run_tasks = kept
    return counted


def test_a_damaged_chunk_is_measured_again_and_named(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fpstudy.run(KEYS, tmp_path, figures=False, progress=stop)
    path = sorted((tmp_path / "chunks").glob("*.chunk"))[2]
    path.write_bytes(path.read_bytes()[:-1])
    said: list[str] = []
    again = lambda: fpstudy.run(KEYS, tmp_path, figures=False, notice=said.append)  # noqa: E731
    assert count_tasks(again) == 1
    assert path.name in said[0]
    assert "not as it was written" in said[0]


def stopped(folder: Path) -> None:
    """An interrupted run whose chunks are all there."""

    def stop(done: int, total: int) -> None:
        if done == total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fpstudy.run(KEYS, folder, figures=False, progress=stop)


def no_file(kind: str, path: Path) -> None:
    """Something at the path that is no file, or a file that no run wrote."""
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "brackets":
        path.write_text("[" * 200_000)
    else:
        path.write_bytes(b" " * (5 * 2**20))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
@pytest.mark.parametrize("kind", ["pipe", "device", "brackets", "large"])
@pytest.mark.parametrize("which", ["*.chunk", "origin.json"])
def test_what_is_no_chunk_and_no_note_is_measured_again(
    tmp_path: Path, which: str, kind: str
) -> None:
    """A pipe would block whoever opens it, and a device has no end."""
    stopped(tmp_path)
    path = sorted((tmp_path / "chunks").glob(which))[0]
    no_file(kind, path)
    said: list[str] = []
    again = lambda: fpstudy.run(KEYS, tmp_path, figures=False, notice=said.append)  # noqa: E731
    assert count_tasks(again) == (which == "*.chunk")
    assert str(path) in said[0]
    assert not (tmp_path / "chunks").exists()


def test_a_folder_among_the_chunks_stays(tmp_path: Path) -> None:
    stopped(tmp_path)
    for name in ("foo.chunk", "bar.json"):
        (tmp_path / "chunks" / name).mkdir()
    (tmp_path / "chunks" / "link.chunk").symlink_to(tmp_path)
    fpstudy.run(KEYS, tmp_path, figures=False, notice=print)
    assert sorted(path.name for path in (tmp_path / "chunks").iterdir()) == [
        "bar.json", "foo.chunk",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "arguments", "words"),
    [
        ({"seed": 9}, {}, "the study"),
        ({}, {"timeout": 9.0}, "the time that a formula may take"),
        ({}, {"allow_code": ["unused"]}, None),
    ],
)
def test_it_says_why_what_an_interrupted_run_left_is_measured_again(
    tmp_path: Path, changes: dict, arguments: dict, words: str | None
) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fpstudy.run(KEYS, tmp_path, figures=False, progress=stop)
    said: list[str] = []
    fpstudy.run(KEYS | changes, tmp_path, figures=False, notice=said.append, **arguments)
    assert len(said) == 1
    if words is None:
        assert said[0].startswith("going on")
    else:
        assert said[0].endswith(f"depends on what has changed since: {words}")


def test_fresh_forgets_what_an_interrupted_run_left(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fpstudy.run(KEYS, tmp_path, figures=False, progress=stop)
    fresh = lambda: fpstudy.run(KEYS, tmp_path, figures=False, fresh=True)  # noqa: E731
    assert count_tasks(fresh) == 8


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL here")
def test_a_killed_run_leaves_no_worker_and_loses_no_finished_chunk(tmp_path: Path) -> None:
    study = tmp_path / "study.toml"
    study.write_text(
        'schema = 1\nname = "killed"\n[[sweep]]\nproblem = "softmax"\ndtype = "float32"\n'
        "n = [1000, 1001, 1002]\nmagnitude = [1, 2, 3, 4, 5, 6, 7, 8]\nsamples = 64\n"
    )
    command = [sys.executable, "-m", "fpstudy", "run", str(study), "--no-figures", "--jobs", "2"]
    out = tmp_path / "out"
    running = subprocess.Popen([*command, "--out", str(out)], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(out.glob("chunks/*.chunk")) and time.monotonic() < deadline:
        time.sleep(0.02)
    children = [int(pid) for pid in _children(running.pid)]
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    kept = {path.name: path.stat().st_mtime_ns for path in out.glob("chunks/*.chunk")}
    assert kept
    assert not (out / "record.parquet").exists()
    while any(map(_alive, children)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(_alive, children))
    again = subprocess.run([*command, "--out", str(out)], capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    assert "going on" in again.stderr
    whole = subprocess.run([*command, "--out", str(tmp_path / "whole")], capture_output=True)
    assert whole.returncode == 0
    for name in ("record.parquet", "summary.csv"):
        assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def _children(pid: int) -> list[str]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return path.read_text().split() if path.exists() else []


def _alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
