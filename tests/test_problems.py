"""Every formula of every problem: documented, right where nothing is hard, and along any axis."""

import numpy as np
import pytest

from fpstudy.arithmetic import mpmath
from fpstudy.arithmetic.numpy import DTYPES, evaluate
from fpstudy.errors import score
from fpstudy.formats import FORMATS
from fpstudy.inputs import Inputs
from fpstudy.problems import PROBLEMS
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
    y = evaluate(PROBLEMS[problem].formulas[formula], inputs, f)
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
