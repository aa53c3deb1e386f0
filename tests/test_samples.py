"""Inputs: drawn reproducibly, rounded to what is stored, masked, labelled, refused."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from fpstudy.cases import Case, Draw, expand, select
from fpstudy.distributions import DETERMINISTIC, DISTRIBUTIONS, generator
from fpstudy.formats import FORMATS, Format
from fpstudy.inputs import Inputs
from fpstudy.logit_files import file_logits
from fpstudy.samples import SMOOTHING, logits, prepare, refusal, stored, vanished
from fpstudy.study import load

F = {n: FORMATS[n] for n in ("float16", "bfloat16", "float32", "float64")}
DRAW = Draw(
    1, "normal", 50, 3.0, 0.0, 0.0, 1, 40, "shared", (F["float16"], F["bfloat16"], F["float32"])
)


def cases_of(tmp_path: Path, sweep: str, defaults: str = "") -> list[Case]:
    path = tmp_path / "s.toml"
    path.write_text(f'schema = 1\nname = "s"\n[[sweep]]\n{sweep}\n')
    return expand(load(path))


def test_no_finite_logit_is_rounded_to_infinity() -> None:
    """It would count as an infinite input, where the format cannot hold it."""
    top = np.finfo(np.float64).max
    assert stored(np.array([top, -top, np.inf]), (F["float16"], F["float64"])).tolist() == [
        2.0**1023 * (2 - 2.0**-10), -(2.0**1023) * (2 - 2.0**-10), np.inf,
    ]  # fmt: skip
    assert stored(np.array([top]), (F["float64"],)).tolist() == [top]


def test_labels_that_a_format_cannot_hold_are_refused() -> None:
    inputs = Inputs(np.zeros((1, 2)), np.array([[1e5, 1.0]]), {})
    assert refusal(inputs, F["float16"]) == "a label of 100000 is beyond the largest float16, 65504"
    assert refusal(inputs, F["float32"]) is None


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_a_distribution_has_its_magnitude(name: str) -> None:
    x = DISTRIBUTIONS[name](generator(0, "test"), (2000, 8), 10.0)
    size = {
        "normal": x.std(), "uniform": np.abs(x).max(), "equal": x.min(), "two_point": x[:, 0].min(),
        "peaked": np.sort(x, axis=-1)[:, -1].mean(),
    }[name]  # fmt: skip
    assert size == pytest.approx(10, rel=0.05)
    assert x.shape == (2000, 8)
    middle = {"normal": 0, "uniform": 0, "equal": 10, "two_point": 10 / 8, "peaked": 10 / 8}
    assert x.mean() == pytest.approx(middle[name], abs=0.2)
    if name not in DETERMINISTIC:
        assert len(np.unique(x, axis=0)) == 2000  # each vector another one


def test_two_point_has_one_entry_at_its_magnitude_and_peaked_one_at_random() -> None:
    x = DISTRIBUTIONS["two_point"](generator(0), (3, 4), 7.0)
    assert x.tolist() == [[7, 0, 0, 0]] * 3
    tops = DISTRIBUTIONS["peaked"](generator(0), (200, 4), 50.0).argmax(axis=-1)
    assert set(tops) == {0, 1, 2, 3}


def test_a_stream_depends_on_its_key_and_seed_alone() -> None:
    assert generator(1, "a", 2).random() == generator(1, "a", 2).random()
    different = {generator(*key).random() for key in ((1, "a"), (2, "a"), (1, "b"), (1, "a", 0))}
    assert len(different) == 4


def test_magnitudes_scale_the_same_draw_and_more_samples_go_on_with_it() -> None:
    x = logits(replace(DRAW, formats=(F["float64"],)))
    wide = logits(replace(DRAW, formats=(F["float64"],), magnitude=6.0))
    np.testing.assert_array_equal(wide, 2 * x)
    more = logits(replace(DRAW, formats=(F["float64"],), samples=60))
    np.testing.assert_array_equal(more[:40], x)


@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_shared_values_are_values_of_every_dtype(offset: float) -> None:
    x = logits(replace(DRAW, offset=offset))
    for f in DRAW.formats:
        assert f.holds(x).all()
    # and they are the nearest such values: rounding once to the coarsest of the formats there
    raw = logits(replace(DRAW, offset=offset, formats=(F["float64"],)))
    np.testing.assert_array_equal(x, FORMATS["bfloat16"].round(raw))


@pytest.mark.parametrize("f", FORMATS.values(), ids=lambda f: f.name)
def test_an_input_is_rounded_once(f: Format) -> None:
    """A float64 step beside a midpoint goes to the nearer side, where float32 sees a tie."""
    middle = 1 + np.arange(4) * 2.0 ** (1 - f.precision) + 2.0**-f.precision
    x = np.concatenate([np.nextafter(middle, side) for side in (0.0, 9.0)])
    expected = [f.round_fraction(Fraction(value)) for value in x]
    assert stored(x, (f,)).tolist() == expected


def test_every_sample_of_a_draw_is_another_one() -> None:
    x = logits(replace(DRAW, rows=3))
    assert len(np.unique(x.reshape(-1, DRAW.n), axis=0)) == 3 * DRAW.samples


def test_a_shared_value_near_zero_is_on_the_grid_of_float16_s_subnormals() -> None:
    x = stored(np.array([3.1e-7, 2.9e-8, 70_000.0, -np.inf]), (F["float16"], F["bfloat16"]))
    assert x.tolist() == [5 * 2.0**-24, 0.0, 70_144.0, -np.inf]


def test_masks_hide_the_fraction_asked_for_in_every_vector() -> None:
    x = logits(replace(DRAW, masked=0.3))
    assert (np.isneginf(x).sum(axis=-1) == 15).all()
    assert len({tuple(row) for row in np.isneginf(x[:, 0])}) > 30
    assert np.isneginf(logits(replace(DRAW, masked=1.0))).all()
    kept = np.isfinite(x)
    np.testing.assert_array_equal(x[kept], logits(DRAW)[kept])


@pytest.mark.parametrize("target", ["argmax", "argmin", "3", "random"])
def test_hard_targets(tmp_path: Path, target: str) -> None:
    text = target if target.isdigit() else f'"{target}"'
    case = cases_of(
        tmp_path,
        f'problem = "cross_entropy"\ndtype = "float32"\nn = 20\nmasked = 0.5\ntarget = {text}\n'
        "samples = 200",
    )[0]
    x = logits(case.demand.draw)
    inputs = prepare(case.demand, x)
    assert inputs.q is not None
    assert (inputs.q.sum(axis=-1) == 1).all()
    k = inputs.q.argmax(axis=-1)
    rows = np.arange(200)
    if target == "argmax":
        assert (inputs.x[rows, k] == inputs.x.max(axis=-1)).all()
    elif target == "argmin":
        finite = np.where(np.isfinite(inputs.x), inputs.x, np.inf)
        assert (inputs.x[rows, k] == finite.min(axis=-1)).all()
    elif target == "random":
        assert len(set(k)) == 20
    else:
        assert set(k) == {3}


def test_labels_are_rounded_like_logits(tmp_path: Path) -> None:
    labels = {}
    for kind in ("soft", "smoothed", "uniform"):
        case = cases_of(
            tmp_path,
            f'problem = "cross_entropy"\ndtype = ["float16", "bfloat16"]\nn = 3\nlabels = "{kind}"',
        )[0]
        q = prepare(case.demand, logits(case.demand.draw)).q
        assert q is not None
        assert FORMATS["bfloat16"].holds(q).all()
        assert q.sum(axis=-1) == pytest.approx(1, abs=0.02)
        labels[kind] = q
    assert set(labels["uniform"].ravel()) == {float(FORMATS["bfloat16"].round(1 / 3))}
    high, low = (
        float(FORMATS["bfloat16"].round(v)) for v in (1 - SMOOTHING * 2 / 3, SMOOTHING / 3)
    )
    assert {float(v) for v in labels["smoothed"].ravel()} == {high, low}


def test_an_ignored_row_does_not_count(tmp_path: Path) -> None:
    case = cases_of(
        tmp_path,
        'problem = "cross_entropy"\ndtype = "float32"\nreduction = "mean"\nbatch = 8\n'
        "ignored = 0.25",
    )[0]
    inputs = prepare(case.demand, logits(case.demand.draw))
    assert inputs.x.shape == (16, 8, 10)
    assert inputs.counted is not None
    assert inputs.q is not None
    assert (inputs.counted.sum(axis=-1) == 6).all()
    assert (inputs.q.sum(axis=-1) == inputs.counted).all()


def test_parameters_are_rounded(tmp_path: Path) -> None:
    cases = cases_of(
        tmp_path, 'problem = "softmax"\ndtype = "bfloat16"\nbase = [0.1, 3]\ninputs = "per_dtype"'
    )
    bases = {prepare(c.demand, logits(c.demand.draw)).parameters["base"] for c in cases}
    assert bases == {float(FORMATS["bfloat16"].round(0.1)), 3.0}


def test_deterministic_cases_take_one_sample(tmp_path: Path) -> None:
    text = 'problem = ["softmax", "cross_entropy"]\ndtype = "float32"\ndistribution = "two_point"\n'
    counts = {c.demand.problem: c.demand.samples for c in cases_of(tmp_path, text)}
    assert counts == {"softmax": 1, "cross_entropy": 16}
    counts = {c.demand.problem: c.demand.samples for c in cases_of(tmp_path, text + "target = 0")}
    assert counts == {"softmax": 1, "cross_entropy": 1}


def test_all_takes_the_formulas_that_fit_the_parameters(tmp_path: Path) -> None:
    base = cases_of(tmp_path, 'problem = "softmax"\ndtype = "float32"\nbase = 2')
    beta = cases_of(tmp_path, 'problem = "softmax"\ndtype = "float32"\nbeta = 2')
    plain = cases_of(tmp_path, 'problem = "softmax"\ndtype = "float32"')
    assert [c.formula for c in base] == ["scale_then_shift", "shift_then_scale", "power"]
    assert [c.formula for c in beta] == ["scale_then_shift", "shift_then_scale"]
    assert [c.formula for c in plain][:2] == ["naive", "shifted"]


def test_what_two_sweeps_ask_alike_is_one_case(tmp_path: Path) -> None:
    sweep = 'problem = "softmax"\ndtype = "float32"\nformula = "naive"\n'
    once = cases_of(tmp_path, sweep)
    assert cases_of(tmp_path, f"{sweep}[[sweep]]\n{sweep}") == once


@pytest.mark.parametrize(
    ("x", "parameters", "dtype", "reason"),
    [
        ([1e5, 0], {}, "float16", "a logit of 100000 is beyond the largest float16, 65504"),
        ([-np.inf, 0], {}, "float8_e4m3fn", "float8_e4m3fn has no infinity"),
        ([1, 0], {"beta": np.inf}, "float8_e4m3fn", "has no infinity for beta"),
        ([1, 0], {"base": 1e300}, "float32", "base = 1e+300 is beyond"),
        ([1e5, -np.inf], {"beta": -np.inf}, "float32", None),
    ],
)
def test_refusal(x: list[float], parameters: dict, dtype: str, reason: str | None) -> None:
    found = refusal(Inputs(np.array([x]), None, parameters), FORMATS[dtype])
    assert found is None if reason is None else reason in (found or "")


def test_each_row_of_a_file_is_a_sample(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.arange(12.0).reshape(4, 3))
    cases = cases_of(
        tmp_path,
        'problem = ["logsumexp", "cross_entropy"]\ndtype = "float32"\ndistribution = "file"\n'
        'file = "x.npy"\noffset = [0, 5]\nreduction = ["none", "sum"]',
    )
    shapes = {
        (c.demand.problem, c.demand.reduction): prepare(c.demand, logits(c.demand.draw)).x.shape
        for c in cases
    }
    assert shapes == {
        ("logsumexp", ""): (4, 3),
        ("cross_entropy", "none"): (4, 3),
        ("cross_entropy", "sum"): (1, 4, 3),
    }
    assert {c.axes["samples"] for c in cases} == {4, 1}
    assert {c.axes["magnitude"] for c in cases} == {11.0}
    x = logits(next(c.demand.draw for c in cases if c.demand.draw.offset == 5))
    assert x[:, 0].tolist() == (np.arange(12.0).reshape(4, 3) + 5).tolist()


def test_a_file_that_changes_is_read_again(tmp_path: Path) -> None:
    """In one process, as in a notebook: the record's key is of what the file holds now."""
    path = tmp_path / "x.npy"
    for rows in (2, 5):
        np.save(path, np.full((rows, 3), float(rows)))
        cases = cases_of(
            tmp_path,
            'problem = "softmax"\ndtype = "float32"\ndistribution = "file"\nfile = "x.npy"',
        )
        x = logits(cases[0].demand.draw)
        assert x.shape == (rows, 1, 3)
        assert set(x.ravel()) == {rows}
    assert file_logits(path) is file_logits(path)


def test_a_file_may_lie_outside_the_study_s_folder(tmp_path: Path) -> None:
    (tmp_path / "studies").mkdir()
    (tmp_path / "data").mkdir()
    np.save(tmp_path / "data" / "x.npy", np.ones((2, 3)))
    for name in ("../data/x.npy", str(tmp_path / "data" / "x.npy")):
        cases = cases_of(
            tmp_path / "studies",
            f'problem = "softmax"\ndtype = "float32"\ndistribution = "file"\nfile = "{name}"',
        )
        assert cases[0].demand.draw.file == tmp_path / "data" / "x.npy"
        assert cases[0].axes["distribution"] == "file:x.npy"


def test_another_seed_draws_other_logits_masks_targets_and_labels(tmp_path: Path) -> None:
    drawn = []
    for seed in (1, 2):
        path = tmp_path / "s.toml"
        path.write_text(
            f'schema = 1\nname = "s"\nseed = {seed}\n[[sweep]]\nproblem = "cross_entropy"\n'
            'dtype = "float32"\nn = 40\nmasked = 0.25\nlabels = ["hard", "soft"]\n'
        )
        hard, soft = {case.demand: None for case in expand(load(path))}
        x = logits(hard.draw)
        labels = [prepare(demand, x).q for demand in (hard, soft)]
        drawn.append((x[np.isfinite(x)][:9].tolist(), np.isfinite(x).tolist(), *labels))
    one, two = drawn
    assert one[0] != two[0]
    assert one[1] != two[1]
    for a, b in zip(one[2:], two[2:], strict=True):
        assert (a != b).any()


def test_a_masked_share_is_rounded_to_the_nearest_count() -> None:
    x = logits(replace(DRAW, n=10, masked=0.27))
    assert (np.isneginf(x).sum(axis=-1) == 3).all()


@pytest.mark.parametrize(
    ("texts", "count"),
    [
        ({"1000"}, 1), ({"1e3"}, 1), ({"1000.0", "1"}, 2), ({"7"}, 0), ({"0.316"}, 1),
        ({"0.316228"}, 1), ({"3.16e-1"}, 1), ({"0.317"}, 0), ({"0.32"}, 0), ({"0.3"}, 0),
        ({"100"}, 0), ({"one"}, 0),
    ],
)  # fmt: skip
def test_a_selection_takes_numbers_as_they_are_written(
    tmp_path: Path, texts: set[str], count: int
) -> None:
    sweep = 'problem = "softmax"\nformula = "naive"\ndtype = "float32"\n'
    sweep += "magnitude = [1, 1000, 0.31622776601683794, 100.3]"
    assert len(select(cases_of(tmp_path, sweep), {"magnitude": texts})) == count


@pytest.mark.parametrize(
    ("sweep", "reason"),
    [
        ("magnitude = 1e-300", "all logits of magnitude 1e-300 round to 0 among those of float16"),
        ("base = 1e-300", "the base 1e-300 rounds to 0 among the values of float16 and float64"),
        ("magnitude = 1", None),
    ],
)
def test_what_vanishes_in_rounding_is_said(tmp_path: Path, sweep: str, reason: str | None) -> None:
    case = cases_of(tmp_path, f'problem = "softmax"\ndtype = ["float16", "float64"]\n{sweep}')[0]
    found = vanished(case.demand, prepare(case.demand, logits(case.demand.draw)))
    assert found is None if reason is None else reason in (found or "")
