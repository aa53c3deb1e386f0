"""The benchmarks run at a tiny size, refuse to time wrong results, and tell goals from misses."""

import argparse
import itertools
import json
import re
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import fpstudy
from benchmarks import (
    advice,
    engines,
    growth,
    large_sweep,
    notebooks,
    page,
    parent,
    phases,
    processes,
    shapes,
    studies,
    sweep,
    truth,
    undecided,
    vectors,
)
from benchmarks.goals import Figure, Goal
from benchmarks.machine import Child, ChildError, described, one_core, run_child
from benchmarks.sampler import Sampler
from benchmarks.tables import table
from benchmarks.turns import Contender, figure, ratios, spread, take_turns

X = 10 * np.random.default_rng(0).standard_normal((4, 5))

TINY = [
    (truth, "--rounds 2 --n 2 5 --logits 40"),
    (sweep, "--rounds 1 --n 5 --logits 110 --share 2"),
    (phases, "--rounds 1 --n 10 --logits 110"),
    (growth, "--rounds 1 --n 4 --logits 8 --cases 20"),
    (processes, "--rounds 1 --logits 1"),
    (undecided, "--samples 1"),
    (advice, "--samples 4 --n 3 --magnitude 1"),
    (
        large_sweep,
        "--rounds 1 --numbers 100 --magnitudes 2 3 --samples 8 12 --chunks 1 --chunk-samples 2"
        " --specks 2",
    ),
]


@pytest.fixture
def smallest(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The studies of the benchmarks are of few cases; and one for "the shipped" one."""
    large = studies._LARGE.replace("{magnitudes}", "2")
    monkeypatch.setattr(studies, "_LARGE", large)
    few = studies._WIDE.replace("num = 15", "num = 2").replace(", 100, 1000]", "]")
    monkeypatch.setattr(studies, "_WIDE", few)
    monkeypatch.setattr(vectors, "WITNESSED", 3)
    monkeypatch.setattr(processes, "N", 4)
    monkeypatch.setattr(parent, "run_child", lambda command: Child(1.0, 10**8))
    path = tmp_path / "shipped.toml"
    path.write_text(studies.one_case(4, 2))
    return path


def options(module: ModuleType, arguments: str) -> argparse.Namespace:
    return module.command_line().parse_args(arguments.split())


@pytest.mark.parametrize(("module", "arguments"), TINY, ids=[m.__name__ for m, _ in TINY])
def test_a_benchmark_gives_tables(module: ModuleType, arguments: str, smallest: Path) -> None:
    if module is processes:
        arguments += f" --shipped {smallest}"
    result = json.loads(json.dumps(module.measure(options(module, arguments))))
    shown = module.show(result)
    assert shown.count("\n|") >= 2
    assert str(smallest.parent) not in shown
    for goal in module.goals(result):
        assert len(goal.values) == result.get("rounds", 1)
        assert all(value >= 0 for value in goal.values)
    if module is large_sweep:
        whole = module.page(module.kept(result))
        assert shown.count("\n| core-hours") == whole.count("\n| core-hours") == 1
        assert whole.count("\n## ") == 3
        assert not re.search(r"\b(nan|inf|None)\b", whole)


@pytest.mark.parametrize("name", page.BENCHMARKS)
def test_the_page_knows_each_benchmark(name: str) -> None:
    assert name in {module.__name__.removeprefix("benchmarks.") for module, _ in TINY}


MADE_UP = {  # 4 cases of 10 samples are 40 rows; in the sweep they have 100
    "name": "n = 10", "n": [10], "samples": 100, "measured_samples": 10, "cases": 4, "rows": 40,
    "cases_of_magnitude": 2, "truth_logits": 80, "chunk_cases": 50, "phases": [],
    "witness_logit": [0.5, 9.0, 0.1],
    "run": [40e-5, 1.0, 0.0], "pack": [40e-6], "keep": [40e-6], "send": [40e-6], "read": [40e-6],
    "write": [80e-6], "chunk_bytes": 400, "record_bytes": 200, "footer_bytes": 1000.0,
    "message_bytes": 80, "samples_bytes": 2000,
}  # fmt: skip


def a_billion() -> shapes.Shape:
    """10^7 cases of 100 samples: 13 and 4 microseconds a vector, and 1 ms of witness."""

    def report(cases: int, rows: int) -> dict:
        grown = {"seconds": [7 + cases * 1e-3 + rows * 1e-6], "peak": [1e8 + 1000 * cases]}
        return {"cases": cases, "rows": rows, "page_bytes": 9 + 2 * cases, "figures": grown}

    before = {"cases": 10, "bytes": 2000, "seconds": {"expand": [1e-5], "cut": [2e-5, 3e-5, 1e-4]}}
    sizes = [report(100, 800), report(900, 7200), report(100, 9999)]
    return shapes.Shape(MADE_UP, {"memory": 10**10, "before": [before], "after": sizes})


def test_what_a_billion_vectors_cost_follows_from_what_was_measured() -> None:
    """By hand: 80 / 40 logits a row, of which 1/1000 at 0.5 s; 10^9 rows are 2 * 10^5 chunks."""
    shape = a_billion()
    assert shape.cases == 10**7
    seconds_before, seconds_after = 10**7 * 4e-5, 10**7 * 1e-3 + 10**9 * 1e-6
    worker, parents = 1e-5 + 1e-6 + 1e-6 + 1e-3, 1e-6 + 1e-6 + 2e-6
    core_hours = (seconds_before + 10**9 * (worker + parents) + seconds_after) / 3600
    assert shape.core_hours == pytest.approx(core_hours)
    assert shape.core_hours == pytest.approx(285.3889, abs=1e-4)
    assert shape.hours(2) == pytest.approx((400 + 10**9 * 1.016e-3 / 2 + 11_000) / 3600)
    assert shape.hours(1000) == pytest.approx((400 + 10**9 * parents + 11_000) / 3600)
    assert shape.useful_cores == 1 + 253
    assert shape.useful_workers == 1 + 169
    assert (shape.chunk_rows, shape.chunks) == (5000, 200_000)
    assert shape.row_groups == -(-(10**9) // 35_000)
    assert shape.record_bytes == pytest.approx(5e9 + 1000 * shape.row_groups)
    assert shape.disk == pytest.approx(10e9 + shape.record_bytes)
    assert shape.network == pytest.approx(10e9 + 10**7 * 20)
    assert shape.held == pytest.approx(2e9)
    assert shape.report_bytes == pytest.approx(10**7 * 1000 + 10**9 * 50)
    assert shape.page_bytes == pytest.approx(2e7)
    first = shapes.breaks_first(shape)
    assert first is not None
    assert first.name == "the study file"
    assert "must be 2 .. 100,000, got 5000000" in first.need


def test_the_page_prints_what_follows() -> None:
    of = [MADE_UP | {"name": name} for name in large_sweep.SHAPED]
    text = large_sweep.costs(a_billion().result | {"vectors": of})
    assert re.search(r"\| core-hours +\| +285 +\|", text)
    assert re.search(r"\| cores from which on [^|]+\| +254 +\|", text)


def test_the_engines_agree() -> None:
    assert engines.disagreements(X, engines.by_fpstudy(X)) == []
    wide = 1e4 * X
    assert engines.disagreements(wide, engines.by_fpstudy(wide)) == []


@pytest.mark.parametrize("which", [0, 1])
def test_a_value_that_is_off_by_a_hair_is_found(which: int) -> None:
    truths = list(engines.by_fpstudy(X))
    lo = truths[which].lo.copy()
    lo.flat[1] += 2.0**-85
    truths[which] = replace(truths[which], lo=lo)
    found = engines.disagreements(X, (truths[0], truths[1]))
    assert any("Arb" in line for line in found)
    assert any("mpmath" in line for line in found)


def test_a_truth_of_too_few_bits_is_found() -> None:
    lse, softmax = engines.by_fpstudy(X)
    wide = replace(lse, radius=np.full_like(lse.radius, 2.0**-79))
    assert all("wider than 2**-80" in line for line in engines.disagreements(X, (wide, softmax)))
    assert len(engines.disagreements(X, (wide, softmax))) == len(X)


def test_wrong_truths_are_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(truth, "by_fpstudy", lambda x: engines.by_fpstudy(np.nextafter(x, 99)))
    with pytest.raises(truth.DisagreementError, match="values differ, the first: row 0"):
        truth.measure(options(truth, "--rounds 1 --n 2 --logits 8"))


@pytest.fixture(scope="module")
def small_sweep(tmp_path_factory: pytest.TempPathFactory) -> tuple[list, fpstudy.flow.Run]:
    folder = tmp_path_factory.mktemp("sweep")
    path = folder / "study.toml"
    path.write_text(studies.large(6, 4 * 6 * 4, 4))
    questions = sweep.questions_of(fpstudy.load(path), 2)
    return questions, fpstudy.run(path, folder / "out", **studies.without_figures())


def test_the_notebooks_find_the_errors_that_fpstudy_finds(small_sweep: tuple) -> None:
    questions, run = small_sweep
    sweep.check(questions, run.record)
    wrong = run.record.assign(relative_error=run.record["relative_error"] * 1.01)
    with pytest.raises(sweep.DisagreementError, match="mpmath notebook finds other errors"):
        sweep.check(questions, wrong)
    with pytest.raises(sweep.DisagreementError, match="has other cases"):
        sweep.check(questions, run.record.query("dtype != 'float16'"))


def test_the_two_notebooks_agree_on_every_problem(small_sweep: tuple) -> None:
    questions, _ = small_sweep
    a, b = notebooks.mpmath_notebook(questions), notebooks.arb_notebook(questions)
    assert len(a) == 3 * 3 * 3 * 4
    assert a.index.equals(b.index)
    assert np.allclose(a, b, rtol=1e-12, atol=1e-25)


def test_the_sizes_of_a_study_are_what_it_says() -> None:
    from fpstudy.cases import expand

    def cases(text: str) -> list:
        return expand(fpstudy.study.from_keys(tomllib.loads(text)))

    assert studies.drawn_logits(studies.large(7, 2 * 11 * 7)) == 2 * 11 * 7
    assert studies.drawn_logits(studies.large(7, 2 * 11 * 7 + 1)) == 3 * 11 * 7
    assert len(cases(studies.large(7, 1))) == 3 * 3 * 3 * 11
    assert len(cases(studies.many_cases(3))) == 3 * studies.CASES_OF_A_MAGNITUDE
    assert len(cases(studies.one_case(3, 2))) == 1


def test_turns_are_taken_and_a_ratio_is_of_one_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first contender takes 6 ticks for 2 units, the second 1: in every order."""
    clock, order = itertools.count(), []

    def working(name: str, ticks: int) -> Callable[[], None]:
        def work() -> None:
            order.append(name)
            for _ in range(ticks):
                next(clock)

        return work

    monkeypatch.setattr("time.perf_counter", lambda: next(clock))
    contenders = [Contender("a", working("a", 5), 2), Contender("b", working("b", 0))]
    rounds = take_turns(contenders, 3, warm=False)
    assert rounds == {"a": [3.0, 3.0, 3.0], "b": [1.0, 1.0, 1.0]}
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert ratios([6, 2, 9], [3, 4, 1]) == [2, 0.5, 9]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.00123456, "0.00123"), (12.345, "12.3"), (999.6, "1,000"), (26612, "26,600"), (0, "0")],
)
def test_a_figure_has_three_digits(value: float, text: str) -> None:
    assert figure(value) == text


def test_a_spread_is_of_median_and_range() -> None:
    assert spread([3, 1, 2]) == "2.00 (1.00 .. 3.00)"
    assert spread([7.0]) == "7.00"


@pytest.mark.parametrize(
    ("goal", "value", "text"),
    [
        (Goal(150, 300), 149, "**missed**: 99% of the goal"),
        (Goal(150, 300), 150, "met; 50% of the stretch"),
        (Goal(150, 300), 300, "met, stretch too"),
        (Goal(10, 5, least=True), 12, "**missed**: 120% of the goal"),
        (Goal(10, 5, least=True), 8, "met; 160% of the stretch"),
        (Goal(10, 5, least=True), 5, "met, stretch too"),
        (Goal(1.7), 1.7, "met"),
        (Goal(0, 0, least=True), 0, "met"),
        (Goal(0, 0, least=True), 3, "**missed**: 3.00 beyond the goal"),
    ],
)
def test_a_verdict_says_what_is_missed_and_by_how_much(goal: Goal, value: float, text: str) -> None:
    assert goal.verdict(value) == text
    assert Figure("f", [value - 9, value, value + 9], goal).missed == text.startswith("**missed**")


def results(fast: float) -> dict:
    """Two benchmarks as they are kept: fpstudy takes `fast` seconds a logit, mpmath 1."""
    seconds = {"mpmath": [1.0, 2.0], "python-flint": [0.13, 0.26], "fpstudy": [fast, 2 * fast]}
    sizes = {"mpmath": 16, "python-flint": 128, "fpstudy": 256}
    one = {"n": 64, "magnitude": 10.0, "logits": sizes, "undecided": 0, "seconds": seconds}
    times = [{"truth": 1.0, "pages": 3.0}, {"truth": 2.0, "pages": 6.0}]
    profile = {"n": 8, "logits": 80, "rounds": 2, "phases": times, "seconds": [5.0, 9.0]}
    found = {"truth": {"settings": [one], "rounds": 2}, "phases": profile}
    machine = {"processor": "a processor", "cores": "2"}
    return {n: {"date": "2000-01-01", "machine": machine, "result": r} for n, r in found.items()}


def test_the_page_tells_met_from_missed() -> None:
    met = page.page(results(1 / 400))
    assert "All goals set are met." in met
    assert "400" in met
    assert "What bounds" not in met
    missed = page.page(results(1 / 100))
    assert "1 of 3 are missed. What bounds a sweep are its largest phases: pages 75%" in missed
    assert "67% of the goal" in missed
    assert "met; 65% of the stretch" in missed
    assert missed.count("**missed**") == 1


def test_the_page_names_each_machine_and_date() -> None:
    both = results(1.0)
    both["phases"]["date"] = "2000-01-02"
    text = page.page(both)
    assert text.count("a processor") == 2
    assert "2000-01-01" in text
    assert "2000-01-02" in text


def test_a_table_is_markdown() -> None:
    text = table(["name", "figure"], [["a|b", "1.5"], ["c", "22"]])
    assert text.splitlines()[1:] == ["| ---- | -----: |", "| a\\|b |    1.5 |", "| c    |     22 |"]


def test_results_of_other_bytes_are_found(tmp_path: Path) -> None:
    for folder, text in (("1", "a"), ("2", "a"), ("3", "b")):
        (tmp_path / folder).mkdir()
        for name in processes.KEPT:
            (tmp_path / folder / name).write_text(text)
    processes.check_same(tmp_path / "1", tmp_path / "2")
    with pytest.raises(processes.DifferentError, match=r"record\.parquet depends"):
        processes.check_same(tmp_path / "1", tmp_path / "3")


def test_a_phase_is_the_module_that_a_driver_calls() -> None:
    """Of frames from the inside out; what an import does is the import's."""

    def stack(*files: str) -> argparse.Namespace | None:
        frame = None
        for file in reversed(files):
            code = argparse.Namespace(co_filename=file)
            frame = argparse.Namespace(f_code=code, f_back=frame)
        return frame

    def own(*names: str) -> list[str]:
        return [f"{phases.PACKAGE}{name}.py" for name in names]

    arb = str(Path("arithmetic", "arb"))
    assert phases.phase(stack(*own(arb, "truth", "measurement", "flow"))) == "truth"
    assert phases.phase(stack("numpy.py", *own("errors", "measurement"))) == "scoring"
    assert phases.phase(stack(*own("measurement", "record", "flow"))) == phases.OTHER
    assert phases.phase(stack(*own("novelty", "flow"))) == "novelty"
    inner = stack("numpy.py", "<frozen importlib._bootstrap>", *own("record", "flow"))
    assert phases.phase(inner) == phases.IMPORTS
    assert phases.phase(stack("elsewhere.py")) == phases.OTHER


def test_the_drivers_and_their_phases_are_modules_of_fpstudy() -> None:
    root = Path(fpstudy.__file__).parent
    there = {path.name.removesuffix(".py") for path in root.iterdir()}
    assert {*phases.DRIVERS, *phases.PHASES} <= there


def test_the_sampler_charges_all_time_to_somebody() -> None:
    import time

    start = time.process_time()
    with Sampler(lambda frame: "here") as sampler:
        while time.process_time() - start < 0.05:
            pass
        spent = time.process_time() - start
    assert list(sampler.seconds) == ["here"]
    assert 0 < sampler.seconds["here"] <= spent + 0.01


def test_a_child_tells_its_memory_and_its_failure() -> None:
    small, large = (run_child(["-S", "-c", f"x = b'a' * {size}"]) for size in (1, 10**8))
    assert 5e7 < large.peak - small.peak < 2e8
    with pytest.raises(ChildError, match="told why"):
        run_child(["-c", "import sys; sys.exit('told why')"])


def test_one_core_is_given_back() -> None:
    from benchmarks.machine import cores

    before = cores()
    with one_core():
        assert cores() in (1, before)
    assert cores() == before


def test_the_machine_is_described_without_host_or_path() -> None:
    import platform

    text = json.dumps(described())
    assert platform.node() not in text
    assert str(Path.home()) not in text
    assert "processor" in text


def test_small_sizes_want_a_folder_of_their_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from benchmarks import __main__ as command

    monkeypatch.setattr("sys.argv", ["benchmarks", "--small"])
    with pytest.raises(SystemExit):
        command.main()
    assert "folder of its own with --out" in capsys.readouterr().err
    monkeypatch.setattr("sys.argv", ["benchmarks", "trith"])
    with pytest.raises(SystemExit):
        command.main()
    assert "no benchmark 'trith'; there are truth, sweep" in capsys.readouterr().err


def test_the_page_is_made_again_from_what_was_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from benchmarks import __main__ as command

    (tmp_path / "results.json").write_text(json.dumps(results(1.0)))
    monkeypatch.setattr("sys.argv", ["benchmarks", "--only-page", "--out", str(tmp_path)])
    command.main()
    assert (tmp_path / "results.md").read_text() == page.page(results(1.0))
    assert set(command.SMALL) == set(page.BENCHMARKS)
