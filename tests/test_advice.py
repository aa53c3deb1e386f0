"""Advice: the cheapest that meets the limits, what it rests on, and that it survives a check."""

import json
from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
from click.testing import CliRunner, Result

import fpstudy
from fpstudy.advice.advice import Advice, _two_digits_up, answer
from fpstudy.advice.candidate import candidate
from fpstudy.advice.metrics import METRICS
from fpstudy.advice.question import Limit, Question, question
from fpstudy.advice.trial import Finding, reaches
from fpstudy.arithmetic import evaluators
from fpstudy.cli import main
from fpstudy.formats import FORMATS
from fpstudy.problems import PROBLEMS
from fpstudy.samples import logits
from fpstudy.study import StudyError

ASKED: list[dict[str, Any]] = [
    {"problem": "softmax", "n": 100, "magnitude": 1.0, "tolerance": 1e-2},
    {"problem": "softmax", "n": 1000, "magnitude": 5.0, "tolerance": 1e-3},
    {"problem": "softmax", "n": 300, "magnitude": 3.0, "ulp": 3.0, "arrives_in": "bfloat16"},
    {"problem": "softmax", "n": 200, "magnitude": 4.0, "total_variation": 5e-3, "top1_flips": 0.1},
    {"problem": "softmax", "n": 64, "magnitude": 2.0, "kl": 1e-7, "sum_error": 1e-3},
    {"problem": "log_softmax", "n": 50, "magnitude": 10.0, "tolerance": 1e-2},
    {"problem": "logsumexp", "n": 2000, "magnitude": 1.0, "tolerance": 2e-3},
    {"problem": "cross_entropy", "n": 500, "magnitude": 30.0, "tolerance": 1e-3},
    {"problem": "cross_entropy", "n": 10, "magnitude": 30.0, "tolerance": 1e-2, "target": "argmax"},
    {"problem": "cross_entropy_gradient", "n": 64, "magnitude": 2.0, "tolerance": 1e-2},
    {"problem": "softmax", "n": 40, "magnitude": 2.0, "tolerance": 1e-4, "beta": 0.5},
]


@pytest.fixture(scope="module", params=ASKED, ids=lambda asked: asked["problem"])
def asked(request: pytest.FixtureRequest) -> dict[str, Any]:
    return dict(request.param)


@pytest.fixture(scope="module")
def advice(asked: dict[str, Any]) -> Advice:
    return fpstudy.advise(**asked, samples=40)


def test_the_cheapest_that_meets_the_limits_is_recommended(advice: Advice) -> None:
    chosen = advice.recommended
    assert chosen is not None
    assert chosen.meets
    cheaper = [f for f in advice.findings if f.candidate.cost < chosen.candidate.cost]
    passed = {finding.candidate for finding in advice.passed_over}
    assert all(not f.meets or f.candidate in passed for f in cheaper)
    assert advice.nearest is not None
    assert advice.nearest.excess == min(f.excess for f in advice.findings if not f.meets)
    if advice.better is not None:
        assert advice.better.candidate.cost > chosen.candidate.cost
        assert advice.better.excess < chosen.excess


def test_what_was_advised_survives_fresh_samples(asked: dict[str, Any], advice: Advice) -> None:
    chosen = advice.recommended
    assert chosen is not None
    of = chosen.candidate
    alone = {"dtypes": of.dtype, "formula": of.formula, "compute": "same"}
    again = fpstudy.advise(**asked, **alone, samples=160, seed=1000)
    assert again.recommended is not None
    assert again.recommended.candidate == of


def test_the_tolerances_for_tests_hold_on_fresh_samples(
    asked: dict[str, Any], advice: Advice
) -> None:
    chosen, given = advice.recommended, advice.tolerances
    assert chosen is not None
    assert given is not None
    of = chosen.candidate
    alone = {"dtypes": of.dtype, "formula": of.formula, "compute": "same", "arrives_in": of.dtype}
    (again,) = fpstudy.advise(**(asked | alone), samples=160, seed=2000).findings
    assert again.arithmetic["relative_error"] <= given.rtol
    assert again.arithmetic["ulp_error"] <= given.max_ulp
    assert given.atol >= given.rtol * FORMATS[of.dtype].least_normal


def test_the_parts_of_the_error_are_told_apart(advice: Advice) -> None:
    for finding in advice.findings:
        if advice.question.arrives.name == finding.candidate.dtype:
            assert set(finding.storage.values()) == {0.0}
            assert finding.total == finding.arithmetic
        if finding.candidate.dtype == "float64":
            assert finding.storage["relative_error"] == 0
    assert {f.samples for f in advice.findings} == {40}
    of_storage = {dtype: part["relative_error"] for dtype, part in advice.storage.items()}
    assert set(of_storage) == {f.candidate.dtype for f in advice.findings}


def test_storing_logits_in_bfloat16_costs_what_mpmath_says() -> None:
    """20.06 becomes 20.0 in bfloat16, whose spacing is 1/8 there: exp is 6% off."""
    x = [20.06, 0.0, -1.0, 3.3]
    advice = fpstudy.advise("softmax", x, dtypes="bfloat16", formula="shifted")
    with mpmath.workdps(40):
        given = [mpmath.exp(v) for v in x]
        held = [mpmath.exp(float(v)) for v in FORMATS["bfloat16"].round(np.array(x))]
        p, q = ([v / sum(of) for v in of] for of in (given, held))
        cost = max(abs(a - b) / a for a, b in zip(p, q, strict=True))
    assert advice.storage["bfloat16"]["relative_error"] == pytest.approx(float(cost), rel=1e-9)
    assert 0.05 < cost < 0.07
    assert advice.recommended is None
    assert "exceeds the limits by itself" in str(advice)


def test_logits_that_are_in_the_dtype_already_lose_nothing() -> None:
    asked: dict[str, Any] = {"n": 50, "magnitude": 20.0, "tolerance": 0.01, "dtypes": "bfloat16"}
    assert fpstudy.advise("softmax", **asked).recommended is None
    arrived = fpstudy.advise("softmax", **asked, arrives_in="bfloat16")
    assert arrived.recommended is not None
    assert arrived.recommended.candidate.accumulator == "float32"


def test_a_flip_of_the_top_class_is_counted_as_a_share() -> None:
    """In bfloat16 1.001 and 1.002 are both 1.0: the first is on top, which is right in one row."""
    rows = [[1.001, 1.002, 0.0], [1.002, 1.001, 0.0]]
    for share, met in ((0.4, False), (0.5, True)):
        advice = fpstudy.advise("softmax", rows, top1_flips=share, dtypes="bfloat16")
        assert advice.storage["bfloat16"]["top1_flip"] == 0.5
        assert (advice.recommended is not None) is met


def test_a_failure_is_never_advised_and_is_named() -> None:
    advice = fpstudy.advise("softmax", [[1000.0, 0.0]], formula="naive", tolerance=1e9)
    assert advice.recommended is None
    by_dtype = {finding.candidate.dtype: finding.failing for finding in advice.findings}
    assert by_dtype["float16"] == {"nan": 1}  # inf / inf; 0 / inf is the right 0
    assert "NaN although the exact result exists" in str(advice)
    assert [f.candidate.dtype for f in advice.findings if f.candidate.dtype == "float64"]


def test_a_formula_that_raises_is_a_finding() -> None:
    asked = question("softmax", np.zeros((2, 3)), {}, SETTINGS | {"formula": "shifted"})
    broken = replace(PROBLEMS["softmax"].formulas["shifted"], text=_raises)
    formulas = PROBLEMS["softmax"].formulas
    kept = formulas["shifted"]
    try:
        formulas["shifted"] = broken
        advice = answer(asked)
    finally:
        formulas["shifted"] = kept
    assert advice.recommended is None
    assert {tuple(f.failing) for f in advice.findings} == {("crashed",)}
    assert "ZeroDivisionError" in str(advice)


def _raises(xp: Any, x: Any) -> Any:
    return x / (1 // 0)


SETTINGS: dict[str, Any] = {
    "dtypes": ("float16", "float32"), "arithmetic": "numpy", "accumulation": None,
    "formula": "all", "compute": "same", "arrives_in": "float64", "n": 10, "magnitude": 1.0,
    "distribution": "normal", "offset": 0.0, "masked": 0.0, "target": "random", "labels": "hard",
    "base": None, "beta": None, "samples": None, "seed": 0,
}  # fmt: skip


def asking(problem: str = "softmax", x: Any = None, **settings: Any) -> Question:
    return question(problem, x, {}, SETTINGS | settings)


def test_a_choice_that_fails_on_fresh_samples_is_passed_over() -> None:
    found = fpstudy.advise("logsumexp", n=100, samples=12, dtypes="float16", formula="shifted",
                           compute="same")  # fmt: skip
    assert found.recommended is not None
    assert found.confirmed is not None
    seen = [part.total["relative_error"] for part in (found.recommended, found.confirmed)]
    assert seen[1] > seen[0]  # four times as many samples: the worst is worse
    between = sum(seen) / 2
    again = fpstudy.advise("logsumexp", n=100, samples=12, dtypes="float16", formula="shifted",
                           compute="same", tolerance=between)  # fmt: skip
    assert again.recommended is None
    assert [finding.candidate.formula for finding in again.passed_over] == ["shifted"]
    assert "passed over: float16 with shifted" in str(again)


def test_what_is_rare_shows_in_many_fresh_samples() -> None:
    """A log-sum-exp near 0 has any relative error: in some thousand samples one comes near."""
    found = fpstudy.advise("logsumexp", n=10, magnitude=10.0, samples=64, tolerance=1e-3)
    assert found.confirmed is not None
    assert found.confirmed.samples == 2**14
    assert [again.candidate.dtype for again in found.passed_over][:1] == ["float16"]


@pytest.mark.parametrize(
    ("problem", "settings"),
    [("softmax", {"beta": 0.1}), ("cross_entropy", {"labels": "smoothed"})],
)
def test_only_the_logits_arrive_in_a_format(problem: str, settings: dict[str, Any]) -> None:
    """0.1 is no bfloat16 number, so a bfloat16 beta costs, and float64's does not."""
    advice = fpstudy.advise(problem, n=10, samples=16, magnitude=3, arrives_in="bfloat16",
                            dtypes=("bfloat16", "float64"), compute="same", **settings)  # fmt: skip
    costs = {dtype: part["relative_error"] for dtype, part in advice.storage.items()}
    assert costs["float64"] == 0
    assert costs["bfloat16"] > 1e-5


def test_where_there_is_no_exact_value_nothing_meets_the_limits() -> None:
    nowhere = [[-np.inf, -np.inf]]
    with pytest.raises(StudyError, match="no exact softmax of them is a finite number"):
        fpstudy.advise("softmax", nowhere, dtypes="float32", formula="shifted")
    with pytest.raises(StudyError, match="no exact cross_entropy of them"):
        fpstudy.advise("cross_entropy", [[0.0, -np.inf]], target=1)
    advice = fpstudy.advise("softmax", [*nowhere, [0.0, 1.0]], dtypes="float32", formula="shifted")
    assert "4 exact values, proven, 2 not existing, 0 undecided" in str(advice)
    assert Limit(METRICS[0], 1.0).excess(float("nan")) == np.inf


def test_no_advice_rests_on_errors_that_cancel() -> None:
    """Storing 0.7 ulps up and computing 0.6 down is 0.1 off, and not met by any part alone."""
    for seed in range(200):
        x = np.random.default_rng(seed).normal(0, 3, (1, 4))
        (found,) = fpstudy.advise("softmax", x, dtypes="bfloat16", formula="shifted",
                                  compute="same").findings  # fmt: skip
        parts = [part["relative_error"] for part in (found.total, found.storage, found.arithmetic)]
        if parts[0] < 0.8 * max(parts[1:]):
            break
    between = (parts[0] + max(parts[1:])) / 2
    advice = fpstudy.advise("softmax", x, dtypes="bfloat16", formula="shifted", compute="same",
                            tolerance=between)  # fmt: skip
    assert advice.recommended is None
    assert advice.findings[0].total["relative_error"] < between
    assert "together the errors cancel; its" in str(advice)


def test_the_words_say_all_that_the_question_says() -> None:
    told = str(fpstudy.advise("softmax", n=8, offset=1000, masked=0.25, beta=2, samples=4,
                              dtypes="float32"))  # fmt: skip
    assert ", offset 1000, masked 0.25, beta 2." in told
    told = str(fpstudy.advise("cross_entropy", n=40, samples=4, tolerance=1e-30, target=7))
    assert ", labels hard, target 7." in told
    assert "; target 7" in told
    assert "logits as stored: x[7] = " in told


def test_given_logits_that_are_rounded_on_arrival_are_counted() -> None:
    advice = fpstudy.advise("softmax", [[1.001, 2.0, 0.3]], arrives_in="bfloat16")
    assert "2 logits are no bfloat16 numbers" in str(advice)


def test_the_nearest_to_a_limit_of_nothing_is_that_of_least_error() -> None:
    advice = fpstudy.advise("softmax", n=10, samples=8, tolerance=0)
    assert advice.nearest is not None
    assert advice.nearest.candidate.dtype == "float64"


def test_fresh_logits_beyond_the_dtype_pass_a_choice_over() -> None:
    advice = fpstudy.advise("logsumexp", magnitude=16500, dtypes="float16", formula="shifted",
                            compute="same", tolerance=0.5)  # fmt: skip
    assert advice.recommended is None
    assert advice.table["meets"].tolist() == [False]
    told = str(advice)
    assert "on fresh samples: a logit of" in told
    assert "met them, not on fresh samples" in told


def test_fresh_samples_are_others() -> None:
    asked = asking(dtypes="float16", formula="shifted", samples=5)
    fresh = asked.fresh(asked.cases[:1])
    assert fresh.demand.draw.samples > 5
    assert not np.isin(logits(fresh.demand.draw), logits(asked.demand.draw)).any()
    assert asking(samples=1).random
    assert not asking(distribution="equal").random


def test_storing_a_parameter_costs_too() -> None:
    advice = fpstudy.advise("softmax", [[0.0, 8.0]], beta=0.1, dtypes="float16", compute="same")
    assert advice.storage["float16"]["relative_error"] > 1e-6


@pytest.mark.parametrize(
    ("arithmetic", "dtype", "accumulator"),
    [
        ("torch", "bfloat16", "float32"),
        ("jax", "float16", "float32"),
        ("torch", "float64", "float64"),
    ],
)
def test_frameworks_add_sixteen_bits_in_float32(
    arithmetic: str, dtype: str, accumulator: str
) -> None:
    (case,) = asking(arithmetic=arithmetic, dtypes=dtype, formula="shifted").cases
    assert candidate(case).accumulator == accumulator


def test_a_reach_ends_where_float64_does() -> None:
    asked = asking(x=np.array([[1e306, 0.0]]), formula="shifted", dtypes="float64")
    (found,) = reaches(asked, asked.cases)
    assert (found.factor, found.ends) == (128.0, "")


@pytest.mark.parametrize(
    ("formula", "factor", "ends"),
    [
        ("naive", 2.0, "nan"),  # exp(16) is beyond float16, exp(8) is not
        ("shifted", 1024.0, ""),
    ],
)
def test_how_much_larger_the_logits_can_be(formula: str, factor: float, ends: str) -> None:
    asked = asking(x=np.array([[4.0, 0.0, -3.0]]), formula=formula, dtypes="float16")
    (found,) = reaches(asked, asked.cases)
    assert (found.factor, found.ends) == (factor, ends)


def test_a_dtype_that_cannot_hold_the_logits_ends_the_reach() -> None:
    asked = asking(x=np.array([[40000.0, 0.0]]), formula="shifted", dtypes="float16")
    (found,) = reaches(asked, asked.cases)
    assert found.factor == 1
    assert "beyond the largest float16" in found.ends


def test_where_nothing_can_be_run_the_reason_is_told() -> None:
    advice = fpstudy.advise("softmax", [1e6, 0.0], dtypes="float16")
    assert (advice.recommended, advice.findings, advice.nearest) == (None, (), None)
    assert "Nothing could be tried" in str(advice)
    assert "beyond the largest float16" in str(advice)
    assert len(advice.table) == 0
    assert "worst_relative_error" in advice.table


def test_zeros_are_logits_too() -> None:
    assert fpstudy.advise("softmax", [[0.0, 0.0]]).recommended is not None


def test_of_alike_candidates_the_one_that_reaches_further_is_taken() -> None:
    found = fpstudy.advise("softmax", n=30, magnitude=1.0, tolerance=0.2, dtypes="float16")
    assert found.recommended is not None
    assert not found.recommended.candidate.formula.startswith("naive")


@pytest.mark.parametrize(
    ("settings", "accumulators"),
    [
        ({"dtypes": "float16"}, {"float32"}),  # NumPy's float16 sums
        ({"dtypes": "bfloat16"}, {"bfloat16"}),  # ml_dtypes'
        ({"dtypes": "bfloat16", "compute": "float32"}, {"float32"}),
        ({"dtypes": "float16", "arithmetic": "rounded"}, {"float16"}),
        (
            {"dtypes": "float16", "arithmetic": "rounded", "accumulation": "kahan:float32"},
            {"float32"},
        ),
        ({"dtypes": "bfloat16", "formula": "blocked[block=8,state=float32]"}, {"float32"}),
    ],
)
def test_the_accumulator_of_a_candidate(settings: Any, accumulators: set[str]) -> None:
    asked = asking(**({"formula": "shifted"} | settings))
    assert {candidate(case).accumulator for case in asked.cases} == accumulators


def test_only_wider_formats_compute() -> None:
    names = ("float16", "bfloat16", "float32", "float64")
    asked = asking(dtypes=names, formula="shifted", compute=("same", *names))
    found = {(case.format.name, case.formula) for case in asked.cases}
    wider = {(d, f.removeprefix("shifted[compute=").rstrip("]")) for d, f in found if "[" in f}
    assert wider == {
        ("float16", "float32"), ("float16", "float64"), ("bfloat16", "float32"),
        ("bfloat16", "float64"), ("float32", "float64"),
    }  # fmt: skip


def test_given_rows_are_spread_evenly_where_fewer_are_asked_for() -> None:
    x = np.arange(10.0)[:, None] * np.ones(3)
    asked = asking(x=x, samples=4)
    assert asked.x is not None
    assert asked.x[:, 0].tolist() == [0, 2, 5, 7]
    assert "4 of the 10 given vectors" in str(answer(asked))


def test_the_results_are_those_of_a_study() -> None:
    """The same candidate evaluated by hand on the same logits has the same errors."""
    x = FORMATS["float16"].round(np.random.default_rng(3).standard_normal((5, 20)))
    advice = fpstudy.advise("softmax", x, dtypes="float16", arrives_in="float16", compute="same",
                            formula="shifted")  # fmt: skip
    (finding,) = advice.findings
    frame = fpstudy.measure(_softmax, "softmax", dtype="float16", logits=x)
    assert finding.arithmetic["ulp_error"] == frame["ulp_error_max"].item()
    assert finding.total["relative_error"] == frame["relative_error_max"].item()


def _softmax(xp: Any, x: Any) -> Any:
    return PROBLEMS["softmax"].formulas["shifted"].text(xp, x)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"problem": "softmx"}, "did you mean softmax?"),
        ({"tolerance": -1.0}, "tolerance: want a number of at least 0, got -1.0"),
        ({"ulp": float("nan")}, "ulp: want a number of at least 0, got nan"),
        ({"dtypes": "bf16"}, "dtypes: 'bf16' is not a dtype here: write bfloat16"),
        ({"arrives_in": "half"}, "arrives_in: 'half' is not a dtype; known: float16"),
        ({"compute": "double"}, "compute: 'double' is not a dtype; known: float16"),
        ({"n": 0}, "n: must be 1"),
        ({"magnitude": -1.0}, "magnitude: must be > 0"),
        ({"formula": "log1p"}, "'log1p' is not a formula of softmax"),
        ({"arithmetic": "nump"}, "did you mean numpy?"),
        ({"problem": "logsumexp", "kl": 1.0}, "kl: logsumexp gives no distribution; only softmax"),
        ({"top1_flips": 2}, "top1_flips: want a share of the samples, 0 to 1, got 2"),
        ({"tolerance": True}, "tolerance: want a number of at least 0, got True"),
        ({"magnitude": [1, 10]}, "want one value of each of n, magnitude"),
        ({"base": [2, 3]}, "want one value of each of n, magnitude"),
        ({"formula": "os:system"}, "formula: 'os:system' is code"),
        ({"arrives_in": ["bfloat16"]}, "arrives_in: ['bfloat16'] is not a dtype"),
        ({"compute": [["float32"]]}, "compute: \"['float32']\" is not a dtype"),
        ({"logits": [1.0, 2.0], "offset": 1e4}, "offset: the logits are given, not drawn"),
        (
            {"logits": [1e6, 2.0], "arrives_in": "float16"},
            "arrives_in: a logit of 999936 is beyond",
        ),
        ({"logits": [[0.0, np.nan]]}, "logits: NaN at row 0, column 1"),
        ({"logits": [[0.0], [1.0, 2.0]]}, "logits: want rows of numbers (rows, n), all of one"),
        ({"logits": [[[0.0]]]}, "logits: want rows of numbers (rows, n), got shape (1, 1, 1)"),
    ],
)
def test_a_question_that_is_none_says_why(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises((StudyError, ValueError)) as raised:
        fpstudy.advise(**({"problem": "softmax"} | arguments))
    assert words in str(raised.value)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(StudyError) as raised:
        fpstudy.advise("softmax", tolerance=-1.0, dtypes="float17", n=0, arrives_in="x")
    assert len(str(raised.value).splitlines()) == 4


def advised(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["advise", *arguments])


def test_the_command_advises_on_a_file(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.random.default_rng(0).standard_normal((12, 30)))
    blocked = "blocked[block=8,state=float32]"
    said = advised(
        "--problem", "softmax", "--logits", str(tmp_path / "x.npy"), "--tolerance", "0.01",
        "--formula", f"shifted,{blocked}", "--all",
    )  # fmt: skip
    assert said.exit_code == 0, said.output
    for words in (
        "Use float16 with", "12 given vectors of 30 logits", "assert_allclose(y, t, rtol=",
        "storing", "no bounds", "All candidates", blocked,
    ):  # fmt: skip
        assert words in said.output, words


def test_the_command_exits_with_1_where_nothing_meets_the_limits() -> None:
    said = advised("--problem", "softmax", "--tolerance", "1e-30", "--dtypes", "float32")
    assert said.exit_code == 1
    assert said.output.count("Nothing that was tried meets the limits") == 1


def test_the_command_exits_with_2_for_mistakes(tmp_path: Path) -> None:
    said = advised("--problem", "softmax", "--dtypes", "float17", "--kl", "-1")
    assert said.exit_code == 2
    assert "float17" in said.output
    (tmp_path / "x.npy").write_bytes(b"no array")
    said = advised("--problem", "softmax", "--logits", str(tmp_path / "x.npy"))
    assert said.exit_code == 2
    assert "x.npy: cannot be read" in said.output


def test_json_has_no_number_that_json_lacks() -> None:
    said = advised("--problem", "softmax", "--magnitude", "300", "--formula", "naive", "--json")
    assert said.exit_code == 1
    told = json.loads(said.stdout, parse_constant=pytest.fail)
    assert told["recommended"] is None
    assert {found["excess"] for found in told["candidates"]} == {"inf"}
    assert told["limits"] == {"tolerance": 1e-3}


def test_an_advice_is_frozen_and_shows_in_a_notebook(advice: Advice) -> None:
    with pytest.raises(FrozenInstanceError):
        advice.recommended = None  # type: ignore[misc]
    html = advice._repr_html_()
    assert html.count("<table>") == html.count("</table>") == 1
    assert "Use " in html
    frame = advice.table
    assert len(frame) == len(advice.findings)
    assert frame["meets"].sum() == sum(map(advice.meets, advice.findings))


def test_html_is_escaped() -> None:
    asked = asking(x=np.zeros((1, 2)), formula="shifted")
    found = answer(asked)
    strange = "<script>alert(1)</script>"
    of = replace(found.findings[0].candidate, formula=strange)
    finding = replace(found.findings[0], candidate=of)
    html = replace(found, recommended=finding, nearest=finding, better=finding)._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


@pytest.mark.parametrize("x", [4.94e-324, 1e-300, 3e-8, 0.00098, 0.1, 1.0, 9.99, 12.0, 7.7e100])
def test_tolerances_are_rounded_up(x: float) -> None:
    y = _two_digits_up(x)
    assert x <= y <= 1.1000001 * x
    assert x < 1e-320 or float(f"{y:.1e}") == y


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.option)
def test_each_limit_decides(metric: Any) -> None:
    """With a limit above the worst found everything meets it, with one below nothing does."""
    asked: dict[str, Any] = {"x": [[2.0, 1.0, 0.5], [4.0, -1.0, 0.0]], "formula": "shifted"}
    x = np.asarray(asked.pop("x"))
    first = answer(asking(x=x, **asked, dtypes="float8_e4m3fn"))
    found: Finding = first.findings[0]
    worst = found.total[metric.name]
    limits = {m.option: None for m in METRICS}
    settings = SETTINGS | asked | {"dtypes": "float8_e4m3fn"}
    above = answer(
        question("softmax", x, limits | {metric.option: min(worst * 1.01, 1e9)}, settings)
    )
    assert above.recommended is not None
    if worst > 0:
        below = answer(question("softmax", x, limits | {metric.option: worst * 0.99}, settings))
        assert below.recommended is None


def test_float64_can_be_recommended() -> None:
    found = fpstudy.advise("logsumexp", n=20, tolerance=1e-12, samples=20)
    assert found.recommended is not None
    assert found.recommended.candidate.dtype == "float64"
    assert found.tolerances is not None
    assert 0 < found.tolerances.atol < 1e-320


def test_frameworks_offer_their_own_functions() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("array_api_compat")
    if evaluators.refusal("torch", FORMATS["float16"], "native"):
        pytest.skip("torch does not run here")
    found = fpstudy.advise("softmax", n=100, arithmetic="torch", tolerance=1e-2)
    assert "library" in {finding.candidate.formula for finding in found.findings}
