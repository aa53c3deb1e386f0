"""Every formula of every problem: documented, right where nothing is hard, and along any axis."""

import re

import numpy as np
import pytest

from fpstudy.arithmetic import evaluators, mpmath, usual
from fpstudy.arithmetic.numpy import DTYPES, evaluate
from fpstudy.errors import score
from fpstudy.formats import FORMATS
from fpstudy.inputs import Inputs
from fpstudy.problems import PROBLEMS, downcast, named
from fpstudy.truth import State, enclose

FORMULAS = [(p, f) for p, problem in PROBLEMS.items() for f in problem.formulas]
EACH = pytest.mark.parametrize(
    ("problem", "formula"), FORMULAS, ids=[f"{p}-{f}" for p, f in FORMULAS]
)


def inputs_for(problem: str, formula: str, dtype: str, shape: tuple[int, int] = (6, 7)) -> Inputs:
    """Moderate logits, labels that sum to 1 as stored, and a parameter where one is needed."""
    rng = np.random.default_rng(7)
    f = FORMATS[dtype]
    q = None
    if PROBLEMS[problem].labels:
        q = np.zeros(shape)
        q[:, 0], q[:, 2] = 0.75, 0.25
    needs = PROBLEMS[problem].formulas[formula].needs
    parameters = {"base": 3.0} if "base" in needs else {}
    return Inputs(f.round(2 * rng.standard_normal(shape)), q, parameters)


@EACH
def test_a_formula_says_what_it_computes_where_it_fails_and_whose_it_is(
    problem: str, formula: str
) -> None:
    stated = PROBLEMS[problem].formulas[formula]
    assert stated.mathematics
    assert stated.fails
    assert stated.source


@EACH
@pytest.mark.parametrize("dtype", DTYPES)
def test_a_formula_is_right_on_moderate_logits(problem: str, formula: str, dtype: str) -> None:
    """Within 2 (n + 2 R) u of the largest |t|, which no formula here exceeds when it works."""
    f, inputs = FORMATS[dtype], inputs_for(problem, formula, dtype)
    stated = PROBLEMS[problem].formulas[formula]
    if "store" in dict(stated.options):
        stated = stated.chosen({"store": dtype})  # stored as it is: nothing is lost
    y = evaluate(stated, inputs, f)
    t = enclose(PROBLEMS[problem], inputs)
    errors = score(y, t, f, inputs.infinite)
    if dtype.startswith("float8"):  # 3 and 4 bits: the exponentials themselves come to nothing
        assert f.holds(y).all()
        return
    spread = np.ptp(inputs.x, axis=-1).max() * max(1, abs(inputs.rate))
    assert errors.normwise.max() <= 2 * (inputs.x.shape[-1] + 2 * spread) * f.unit_roundoff


@EACH
def test_a_formula_works_along_any_axis(problem: str, formula: str) -> None:
    stated, inputs = PROBLEMS[problem].formulas[formula], inputs_for(problem, formula, "float64")
    parameters = {name: np.asarray(value) for name, value in inputs.parameters.items()}
    last = stated.text(np, *inputs.arrays, **parameters)
    first = stated.text(np, *[part.T for part in inputs.arrays], axis=0, **parameters)
    np.testing.assert_allclose(first.T, last, rtol=1e-14, atol=1e-16)


@EACH
def test_a_formula_treats_vectors_one_by_one(problem: str, formula: str) -> None:
    inputs = inputs_for(problem, formula, "float32")
    stated = PROBLEMS[problem].formulas[formula]
    whole = evaluate(stated, inputs, FORMATS["float32"])
    one = evaluate(stated, inputs.take(slice(3, 4)), FORMATS["float32"])
    np.testing.assert_allclose(one[0], whole[3], rtol=1e-6)


VARIANTS = [(name, {}) for name in PROBLEMS] + [
    ("softmax", {"base": 0.3}),
    ("softmax", {"beta": -1.7}),
]


@pytest.mark.parametrize(("name", "parameters"), VARIANTS, ids=str)
def test_the_reference_is_the_definition(name: str, parameters: dict[str, float]) -> None:
    """Both by mpmath at 300 bits: they differ by no more than the definition's error bound."""
    problem = PROBLEMS[name]
    rng = np.random.default_rng(11)
    x, q = rng.standard_normal((4, 6)) * 5, rng.random((4, 6))
    x[1, ::2], x[2] = x[1].max(), x[2, 0]  # some entries tie with the largest, and all do
    arrays = (x, q) if problem.labels else (x,)
    xp = mpmath.NAMESPACE
    with mpmath.precision(300):
        arguments = [xp.asarray(part) for part in arrays]
        stored = {key: xp.asarray(value) for key, value in parameters.items()}
        head, tail = problem.reference(xp, *arguments, **stored)
        defined = problem.definition(xp, *arguments, **stored)
        for y, value in zip(np.ravel(head + tail), np.ravel(defined), strict=True):
            bound = problem.definition_error(6, abs(value), float(q.sum(axis=-1).max()))
            assert abs(y - value) <= 100 * bound * mpmath.CONTEXT.ldexp(1, -300)


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_reference_takes_masked_entries(name: str) -> None:
    problem = PROBLEMS[name]
    x = np.array([[1.0, -np.inf, 0.5], [-np.inf, -np.inf, 2.0]])
    q = np.array([[0.5, 0.0, 0.5], [0.0, 0.0, 1.0]]) if problem.labels else None
    assert (enclose(problem, Inputs(x, q)).state == State.DECIDED).all()


@pytest.mark.parametrize(
    ("formula", "parameters", "reason"),
    [
        ("naive", {"base": 2.0}, "takes no base"),
        ("power", {}, "needs base"),
        ("power", {"beta": 2.0}, "needs base"),
        ("shift_then_scale", {}, "needs base or beta"),
        ("shift_then_scale", {"beta": 2.0}, None),
    ],
)
def test_a_formula_says_which_parameters_it_takes(
    formula: str, parameters: dict[str, float], reason: str | None
) -> None:
    assert PROBLEMS["softmax"].formulas[formula].refusal(parameters) == reason


def test_shift_first_gives_the_arg_max_at_infinite_beta() -> None:
    inputs = Inputs(np.array([[1.0, 3.0, 3.0]]), None, {"beta": np.inf})
    formulas = PROBLEMS["softmax"].formulas
    assert evaluate(formulas["shift_then_scale"], inputs, FORMATS["float32"]).tolist() == [
        [0, 0.5, 0.5]
    ]
    assert np.isnan(evaluate(formulas["scale_then_shift"], inputs, FORMATS["float32"])).all()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("blocked[block=0]", "block: want a whole number of 1 .. 999,999,999, got '0'"),
        ("blocked[block=1000000000]", "block: want a whole number of 1 .. 999,999,999, got '10000"),
        ("shifted[compute= float32]", "compute: no format ' float32'"),
        ("blocked[width=4]", "no option 'width'; known: block, state, compute"),
        ("blocked[state=half]", "state: no format 'half'; known: float16"),
        ("shifted[block=4]", "no option 'block'; known: compute"),
        ("shifted[compute=float]", "compute: no format 'float'; known: float16"),
    ],
)
def test_options_are_checked(name: str, words: str) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        named(PROBLEMS["softmax"].formulas, name)


def test_a_name_without_a_formula_names_none() -> None:
    for name in ("blocked[block=4", "block", "[block=4]", ""):
        assert named(PROBLEMS["softmax"].formulas, name) is None


@pytest.mark.parametrize("problem", ["softmax", "logsumexp"])
@pytest.mark.parametrize("formula", ["online", "blocked[block=3]", "blocked[block=100]"])
@pytest.mark.parametrize("masked", ["first", "block", "all", "none"])
def test_one_pass_takes_masked_entries_wherever_they_stand(
    problem: str, formula: str, masked: str
) -> None:
    """-inf - -inf is NaN: the guard keeps it out, but for a vector with no entry left."""
    x = np.random.default_rng(4).standard_normal((2, 9))
    hidden = {"first": slice(0, 1), "block": slice(0, 6), "all": slice(None), "none": slice(0)}
    x[:, hidden[masked]] = -np.inf
    stated = named(PROBLEMS[problem].formulas, formula)
    assert stated is not None
    inputs = Inputs(x)
    y = evaluate(stated, inputs, FORMATS["float64"])
    t = enclose(PROBLEMS[problem], inputs)
    if masked == "all":
        assert np.isneginf(y).all() if problem == "logsumexp" else np.isnan(y).all()
    else:
        assert score(y, t, FORMATS["float64"], inputs.infinite).ulps.max() < 8


def test_a_wide_state_cures_a_narrow_sum() -> None:
    """In bfloat16 a sum of ones stands still at 256; in blocks of 64 it does at 64 * 256."""
    inputs, f = Inputs(np.zeros((1, 4096))), FORMATS["bfloat16"]
    formulas = PROBLEMS["logsumexp"].formulas
    found = {}
    for name in ("online", "shifted", "blocked[block=64]", "blocked[block=4096,state=float32]"):
        stated = named(formulas, name)
        assert stated is not None
        found[name] = float(evaluate(stated, inputs, f)[0])
    stuck, right = float(f.round(np.log(256))), float(f.round(np.log(4096)))
    assert found["online"] == found["shifted"] == stuck
    assert found["blocked[block=64]"] == found["blocked[block=4096,state=float32]"] == right


@pytest.mark.parametrize("arithmetic", ["numpy", "rounded"])
@pytest.mark.parametrize("store", ["float16", "bfloat16", "float8_e5m2"])
@pytest.mark.parametrize("name", PROBLEMS)
def test_computing_in_float32_is_float32_rounded_once(
    name: str, store: str, arithmetic: str
) -> None:
    problem, f, wide = PROBLEMS[name], FORMATS[store], FORMATS["float32"]
    x = f.round(4 * np.random.default_rng(6).standard_normal((3, 7)))
    inputs = Inputs(x, np.eye(7)[[1, 4, 0]] if problem.labels else None)
    for formula in problem.formulas.values():
        if formula.everyday and not formula.needs:
            within = formula.chosen({"compute": "float32"})
            assert within.mathematics == formula.mathematics
            sums = usual(arithmetic)
            y = evaluators.evaluate(arithmetic, within, inputs, f, sums)
            z = evaluators.evaluate(arithmetic, formula, inputs, wide, sums)
            np.testing.assert_array_equal(y, f.round(z))


@pytest.mark.parametrize(("base", "beta"), [(2.0, None), (None, 0.3)])
def test_parameters_are_cast_too(base: float | None, beta: float | None) -> None:
    f = FORMATS["bfloat16"]
    given = {"base": base} if base else {"beta": float(f.round(np.asarray(beta)))}
    inputs = Inputs(f.round(np.array([[1.5, -3.0, 20.0]])), None, given)
    formula = PROBLEMS["softmax"].formulas["shift_then_scale"]
    y = evaluate(formula.chosen({"compute": "float32"}), inputs, f)
    np.testing.assert_array_equal(y, f.round(evaluate(formula, inputs, FORMATS["float32"])))


def test_nan_goes_through_one_pass() -> None:
    x = np.array([[1.0, np.nan, 2.0], [np.nan, 1.0, 2.0], [1.0, 2.0, np.nan]])
    for name in ("online", "blocked[block=1]", "blocked[block=2]"):
        stated = named(PROBLEMS["logsumexp"].formulas, name)
        assert stated is not None
        assert np.isnan(evaluate(stated, Inputs(x), FORMATS["float32"])).all()


@pytest.mark.parametrize("store", ["float8_e4m3fn", "float8_e5m2"])
def test_a_power_of_two_scale_loses_nothing_but_rounding(store: str) -> None:
    """Scaled by 2**k, a value is stored as if the format's exponents were shifted by k."""
    f, rng = FORMATS[store], np.random.default_rng(6)
    x = rng.standard_normal((3, 64)).astype(np.float32) * np.float32(1e5)
    with np.errstate(all="ignore"):
        plain = downcast.stored(np, x, store)
    assert not (np.isfinite(plain) & (np.abs(plain) <= f.largest)).all()  # what is lost without
    wide = downcast.scaled(np, x, store, axis=None)
    k = np.floor(np.log2(f.largest / np.abs(x).max()))
    np.testing.assert_array_equal(wide, f.round(x.astype(float) * 2.0**k) / 2.0**k)
    blocks = downcast.scaled_by_blocks(np, x, store, block=48)
    for part in (slice(0, 48), slice(48, 64)):
        np.testing.assert_array_equal(
            blocks[:, part], downcast.scaled(np, x[:, part], store, axis=-1)
        )


def test_centring_before_a_downcast_beats_centring_after() -> None:
    x = np.array([[1000.0, 999.0, 995.0]])
    t = enclose(PROBLEMS["softmax"], Inputs(x))
    f, norm = FORMATS["float32"], {}
    for name in ("downcast", "centred_downcast"):
        y = evaluate(PROBLEMS["softmax"].formulas[name], Inputs(x), f)
        norm[name] = score(y, t, f, np.array([False])).normwise[0]
    assert norm["centred_downcast"] < 0.01
    assert not norm["downcast"] < 0.1  # beyond 448: NaN
