"""The `rounded` arithmetic: every formula's text in every format, and its door."""

import re
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from rational_rounding import ALL, TF32, assert_same, rn

from fpstudy.arithmetic import ORDERS, rounded
from fpstudy.arithmetic import numpy as native
from fpstudy.arithmetic.numpy import DTYPES
from fpstudy.arithmetic.outputs import BadOutputError
from fpstudy.arithmetic.rounded_arrays import RoundedArray
from fpstudy.arithmetic.rounded_namespace import Namespace
from fpstudy.formats import FORMATS, Format
from fpstudy.inputs import Inputs
from fpstudy.problems import PROBLEMS, Formula

FORMULAS = [(p, f) for p, problem in PROBLEMS.items() for f in problem.formulas]
EACH = pytest.mark.parametrize(
    ("problem", "formula"), FORMULAS, ids=[f"{p}-{f}" for p, f in FORMULAS]
)


def inputs_for(problem: str, formula: str, f: Format) -> Inputs:
    """Moderate logits, hard and soft labels, and a parameter where one is needed."""
    rng = np.random.default_rng(7)
    q = None
    if PROBLEMS[problem].labels:
        q = np.zeros((6, 7))
        q[:, 0], q[:, 2] = 0.75, 0.25
    parameters = {"base": 3.0} if "base" in PROBLEMS[problem].formulas[formula].needs else {}
    return Inputs(f.round(2 * rng.standard_normal((6, 7))), q, parameters)


@EACH
def test_in_float64_the_text_gives_what_numpy_gives(problem: str, formula: str) -> None:
    """Within 30 ulps of float64: sums of 7, and conditions of moderate logits, are all there is.

    Formulas that store the logits in a narrower format may round what differs to different numbers.
    """
    f = FORMATS["float64"]
    text, inputs = PROBLEMS[problem].formulas[formula], inputs_for(problem, formula, f)
    ours = rounded.evaluate(text, inputs, f)
    theirs = native.evaluate(text, inputs, f)
    scale = np.maximum(np.abs(theirs), 1.0)
    assert (np.abs(ours - theirs) <= 30 * 2.0**-52 * scale).all()


@EACH
@pytest.mark.parametrize("f", ALL, ids=lambda f: f.name)
def test_every_result_is_a_number_of_the_format(problem: str, formula: str, f: Format) -> None:
    text = PROBLEMS[problem].formulas[formula]
    inputs = inputs_for(problem, formula, f)
    y = rounded.evaluate(text, inputs, f)
    assert y.shape == (inputs.x.shape if PROBLEMS[problem].vector else (6,))
    assert f.holds(y).all()
    again = rounded.evaluate(text, inputs.take(slice(2, 3)), f, "sequential")
    assert_same(again[0], y[2])


@pytest.mark.parametrize("accumulation", [*ORDERS, "kahan:float32", "sequential:float64"])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_batch_loss_is_reduced_in_the_accumulation(accumulation: str, reduction: str) -> None:
    f, rng = FORMATS["float16"], np.random.default_rng(3)
    x = f.round(rng.standard_normal((2, 5, 4)))
    q = np.broadcast_to(np.eye(4)[1], x.shape)
    counted = np.asarray([[True, True, False, True, True]] * 2)
    text = PROBLEMS["cross_entropy"].formulas["log1p"]
    whole = rounded.evaluate(text, Inputs(x, q, {}, counted, reduction), f, accumulation)
    rows = rounded.evaluate(text, Inputs(x[0], q[0]), f, accumulation)
    xp = Namespace(f, accumulation)
    total = xp.sum(RoundedArray(np.where(counted[0], rows, 0), f), axis=-1)
    assert whole.shape == (2,)
    assert whole[0] == (total if reduction == "sum" else total / 4).values


def test_softmax_by_hand() -> None:
    """Each operation of the shifted softmax, rounded in rationals; e**-1 and e**-2 as known."""
    f = TF32
    y = rounded.evaluate(
        PROBLEMS["softmax"].formulas["shifted"], Inputs(np.asarray([[2.0, 1.0, 0.0]])), f
    )
    e1 = rn(f, Fraction("0.36787944117144232159"))
    e2 = rn(f, Fraction("0.13533528323661269189"))
    s = rn(f, Fraction(rn(f, 1 + Fraction(e1))) + Fraction(e2))
    assert y.tolist() == [[rn(f, Fraction(w) / Fraction(s)) for w in (1.0, e1, e2)]]


def test_the_accumulation_decides_the_sum() -> None:
    """1,024 equal logits in bfloat16: a sequential sum stands still at 256."""
    f, text = FORMATS["bfloat16"], PROBLEMS["softmax"].formulas["shifted"]
    inputs = Inputs(np.zeros((1, 1024)))
    for accumulation, p in [("sequential", 2.0**-8), ("pairwise", 2.0**-10), ("kahan", 2.0**-10)]:
        assert (rounded.evaluate(text, inputs, f, accumulation) == p).all()


def test_flush_to_zero_and_saturation_show_in_a_formula() -> None:
    text = PROBLEMS["softmax"].formulas
    flushing = Format("f", 11, 15, -14, subnormals=False)
    deep = Inputs(np.asarray([[0.0, -12.0]]))  # e**-12 is subnormal in float16
    assert rounded.evaluate(text["shifted"], deep, FORMATS["float16"])[0, 1] > 0
    assert rounded.evaluate(text["shifted"], deep, flushing)[0, 1] == 0
    high = Inputs(np.asarray([[20.0, 20.0]]))
    saturating = Format("s", 11, 15, -14, saturate=True)
    assert np.isnan(rounded.evaluate(text["naive"], high, FORMATS["float16"])).all()
    assert rounded.evaluate(text["naive"], high, saturating).tolist() == [[1.0, 1.0]]


# ---------------------------------------------------------------- the arrays


def array(values: Any, name: str = "float16") -> RoundedArray:
    return RoundedArray(np.asarray(values, dtype=np.float64), FORMATS[name])


@pytest.mark.parametrize("name", ["float16", "bfloat16", "float32"])
def test_operators_are_those_of_the_native_dtype(name: str) -> None:
    f, rng = FORMATS[name], np.random.default_rng(1)
    a, b = f.round(rng.standard_normal((2, 40, 50)))
    x, y, u, v = array(a, name), array(b, name), a.astype(DTYPES[name]), b.astype(DTYPES[name])
    pairs = [
        (x + y, u + v), (x - y, u - v), (x * y, u * v), (x / y, u / v),
        (1 + x, 1 + u), (1 - x, 1 - u), (2 * x, 2 * u), (1 / x, 1 / u),
        (x + 3, u + 3), (x * 0.5, u / 2), (-x, -u), (abs(x), abs(u)), (x[3, :5], u[3, :5]),
    ]  # fmt: skip
    for ours, theirs in pairs:
        assert ours.dtype == f
        assert_same(ours.values, theirs.astype(np.float64))
    for ours, theirs in [(x < y, u < v), (x <= 0, u <= 0), (x == x, u == u), (x != y, u != v)]:
        assert isinstance(ours, np.ndarray) and ours.dtype == bool
        np.testing.assert_array_equal(ours, theirs)
    for ours, theirs in [(x > y, u > v), (x >= y, u >= v)]:
        np.testing.assert_array_equal(ours, theirs)


def test_of_two_formats_the_result_has_the_one_that_holds_the_other() -> None:
    wide, narrow = array([1 + 2.0**-20], "float32"), array([1.0])
    for total in (wide + narrow, narrow + wide):
        assert total.dtype.name == "float32"
        assert total.values == 2 + 2.0**-20
    with pytest.raises(TypeError, match="holds the other's numbers"):
        narrow + array([1.0], "bfloat16")


def test_a_python_number_is_rounded_to_the_format() -> None:
    assert (array([0.0]) + 2049).values == 2048
    assert (array([0.0]) + 10**400).values == np.inf
    assert (array([1.0], "bfloat16") * 0.1).values == FORMATS["bfloat16"].round(0.1)


@pytest.mark.parametrize(
    "mix",
    [
        lambda x: x + np.ones(1),
        lambda x: np.ones(1) + x,
        lambda x: x * np.float64(2),
        lambda x: x + True,
        lambda x: x == "1",
        lambda x: np.exp(x),
        lambda x: np.asarray(x),
        lambda x: Namespace(x.dtype).where(np.ones(1, bool), x, np.ones(1)),
        lambda x: Namespace(x.dtype).pow(2.0, 3.0),
    ],
)
def test_nothing_is_computed_behind_the_formats_back(mix: Any) -> None:
    with pytest.raises(TypeError):
        mix(array([1.0]))


def test_the_namespace_does_as_numpys() -> None:
    f, rng = FORMATS["float16"], np.random.default_rng(2)
    xp, v = Namespace(f, "pairwise"), f.round(rng.standard_normal((3, 4)))
    x = array(v)
    exact = [
        (xp.max(x, axis=-1, keepdims=True), v.max(axis=-1, keepdims=True)),
        (xp.min(x), v.min()),
        (xp.sum(x, axis=0, keepdims=True), f.round(f.round(v[0] + v[1]) + v[2])[None]),
        (xp.sum(array([[1.0, 2.0], [3.0, 4.0]]), keepdims=True), [[10.0]]),
        (xp.abs(x), np.abs(v)),
        (xp.floor(x), np.floor(v)),
        (xp.maximum(x, 0), np.maximum(v, 0)),
        (xp.minimum(0.0, x), np.minimum(v, 0)),
        (xp.where(v > 0, x, 1), np.where(v > 0, v, 1)),
        (xp.zeros_like(x), np.zeros((3, 4))),
        (xp.ones_like(x), np.ones((3, 4))),
        (xp.full_like(x, 0.1), np.full((3, 4), f.round(0.1))),
        (xp.squeeze(x[:1], axis=0), v[0]),
        (xp.expand_dims(x, axis=1), v[:, None]),
        (xp.reshape(x, (2, 6)), v.reshape(2, 6)),
        (xp.broadcast_to(x[:1], (3, 4)), np.broadcast_to(v[:1], (3, 4))),
        (xp.moveaxis(x, 0, 1), v.T),
        (xp.take(x, [1, 2], axis=1), v[:, 1:3]),
        (xp.concat([x, x], axis=-1), np.concatenate([v, v], axis=-1)),
        (xp.stack([x, x]), np.stack([v, v])),
        (xp.exp2(array([3.0, -1.0])), [8.0, 0.5]),
        (xp.pow(array([3.0]), 2), [9.0]),
        (xp.astype(x, xp.bfloat16), FORMATS["bfloat16"].round(v)),
        (xp.asarray(v, dtype=xp.float8_e5m2), FORMATS["float8_e5m2"].round(v)),
        (+x, v),
    ]
    for ours, theirs in exact:
        assert isinstance(ours, RoundedArray)
        assert_same(ours.values, np.asarray(theirs))
    plain = [
        (xp.argmax(x, axis=-1, keepdims=True), v.argmax(axis=-1, keepdims=True)),
        (xp.argmin(x, axis=0), v.argmin(axis=0)),
        (xp.any(x > 0, axis=0), (v > 0).any(axis=0)),
        (xp.all(x > 0), (v > 0).all()),
        (xp.sum(x > 0, axis=-1), (v > 0).sum(axis=-1)),
        (xp.isnan(array([np.nan, np.inf, 1])), [True, False, False]),
        (xp.isinf(array([np.nan, np.inf, 1])), [False, True, False]),
        (xp.isfinite(array([np.nan, np.inf, 1])), [False, False, True]),
        (xp.arange(1, 4), [1, 2, 3]),
        (xp.reshape(xp.arange(4), (2, 2)), [[0, 1], [2, 3]]),
        (xp.where(v > 0, 1, 2), np.where(v > 0, 1, 2)),
    ]
    for ours, theirs in plain:
        assert not isinstance(ours, RoundedArray)
        np.testing.assert_array_equal(ours, theirs)
    assert (x.ndim, x.size, len(x), float(x[0, 0])) == (2, 12, 3, v[0, 0])
    assert bool(x[0, 0] == v[0, 0].item()) and repr(x).startswith("float16 array([")
    assert np.isnan(xp.max(array([np.nan, 1.0])).values)


# ---------------------------------------------------------------- the door


@pytest.mark.parametrize(
    ("f", "accumulation", "variant", "reason"),
    [
        (TF32, "sequential", "", None),
        (FORMATS["float16"], "kahan:float32", "", None),
        (FORMATS["float16"], "native", "", "rounded has no native sum, only sums in a stated"),
        (FORMATS["float16"], "kahan", "cuda", "rounded has no variant 'cuda'"),
        (FORMATS["float16"], "kahan:bfloat16", "", "bfloat16 does not hold all numbers of float16"),
        (Format("p30", 30, 15, -14), "kahan", "", "p30: a precision of 30 bits is neither"),
    ],
)
def test_what_is_refused_is_refused_with_the_reason(
    f: Format, accumulation: str, variant: str, reason: str | None
) -> None:
    found = rounded.refusal(f, accumulation, variant)
    assert found is None if reason is None else (found or "").startswith(reason)
    if reason is not None:
        text = PROBLEMS["softmax"].formulas["naive"]
        with pytest.raises(ValueError, match=re.escape(reason)):
            rounded.evaluate(text, Inputs(np.zeros((1, 2))), f, accumulation, variant)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (lambda xp, x: 1.0, "returned float, not an array in float16"),
        (lambda xp, x: x.values, "returned ndarray, not an array in float16"),
        (lambda xp, x: xp.astype(x, xp.float32), "returned float32, not float16"),
        (lambda xp, x: xp.sum(x), re.escape("returned shape () for logits (2, 3)")),
    ],
)
def test_a_bad_output_is_said_to_be_one(text: Any, message: str) -> None:
    with pytest.raises(BadOutputError, match=message):
        rounded.evaluate(Formula(text), Inputs(np.zeros((2, 3))), FORMATS["float16"])
