"""Formulas of the user's own, however wrong: each ends in an outcome, and hurts nothing else.

One table of what they return, one of what they raise, one of what they do to their inputs; crossed
with the arithmetics that can be used here.
"""

import importlib.util
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pandas as pd
import pytest

import fpstudy
from fpstudy.arithmetic import copies, evaluators
from fpstudy.arithmetic.outputs import BadOutputError
from fpstudy.arithmetic.rounded_arrays import RoundedArray
from fpstudy.formats import FORMATS
from fpstudy.inputs import Inputs
from fpstudy.outcomes import NAMES
from fpstudy.problems import Formula
from fpstudy.reasons import LONGEST, reason_of

TORCH = importlib.util.find_spec("torch") is not None
JAX = importlib.util.find_spec("jax") is not None
ARITHMETICS = ("numpy", "rounded", *(("torch",) if TORCH else ()), *(("jax",) if JAX else ()))
SAMPLES, N = 4, 5
COMPONENTS = SAMPLES * N


def shifted(xp: Any, x: Any) -> Any:
    e = xp.exp(x - xp.max(x, axis=-1, keepdims=True))
    return e / xp.sum(e, axis=-1, keepdims=True)


def measured(function: Callable[..., Any], arithmetic: str, **keys: Any) -> pd.Series:
    """The one row of a small measurement, whose outcomes add up to its components."""
    keys = {"problem": "softmax", "samples": SAMPLES, "n": N, "dtype": "float32"} | keys
    found = fpstudy.measure(function, arithmetic=arithmetic, **keys)
    assert len(found) == 1
    row = found.iloc[0]
    assert sum(row[name] for name in NAMES) == row["components"]
    return row


# --- what they return ---------------------------------------------------------------------------


class Subclass(np.ndarray):
    """An array by another name."""


class Refusing:
    """What cannot be made an array, nor shown."""

    def __array__(self, *_: object, **__: object) -> Any:
        raise RuntimeError("no array of me")

    def __repr__(self) -> str:
        raise RuntimeError("no words of me")


FINE = "fine"  # scored as any formula is
BAD, CRASHED = "bad_output", "crashed"
Expected = tuple[str, str]  # the outcome, and the words of the reason
fine: Expected = (FINE, "")


def own(text: str) -> dict[str, Expected]:
    """A wrong type, as each arithmetic says it."""
    return {
        "numpy": (BAD, f"returned {text}, not float32"),
        "rounded": (BAD, f"returned {text}, not an array in float32"),
        "torch": (BAD, f"returned {text}, not a tensor"),
        "jax": (BAD, f"returned {text}, not an array of jax"),
    }


def everywhere(outcome: str, words: str = "") -> dict[str, Expected]:
    return dict.fromkeys(("numpy", "rounded", "torch", "jax"), (outcome, words))


# name: the formula, and what becomes of it in each arithmetic that has such a thing
RETURNED: dict[str, tuple[Callable[..., Any], dict[str, Expected]]] = {
    "its input": (lambda xp, x: x, everywhere(FINE)),
    "a view of its input": (lambda xp, x: x[:, ::-1], everywhere(FINE) | {"torch": (CRASHED, "")}),
    "too few columns": (
        lambda xp, x: x[:, :1], everywhere(BAD, r"returned \(4, 1\), not \(4, 5\)"),
    ),
    "too few rows": (
        lambda xp, x: x[:1], everywhere(BAD, r"returned shape \(1, 5\) for logits \(4, 5\)"),
    ),
    "one axis too many": (
        lambda xp, x: x[:, :, None], everywhere(BAD, r"returned \(4, 5, 1\), not \(4, 5\)"),
    ),
    "one number": (
        lambda xp, x: xp.sum(x), everywhere(BAD, r"returned shape \(\) for logits \(4, 5\)"),
    ),
    "None": (lambda xp, x: None, own("None")),
    "a text": (lambda xp, x: "0.2", own("str")),
    "a number of Python": (lambda xp, x: 0.2, own("float")),
    "a generator": (lambda xp, x: (row for row in (1, 2)), own("generator")),
    "a set": (lambda xp, x: {1, 2}, own("set")),
    "a class": (lambda xp, x: Refusing, own("type")),
    "itself": (lambda xp, x: shifted, own("function")),
    "a namespace": (lambda xp, x: xp, {
        "numpy": (BAD, "returned module"), "rounded": (BAD, "returned Namespace"),
        "torch": (BAD, "returned module"), "jax": (BAD, "returned module"),
    }),
    "what refuses": (lambda xp, x: Refusing(), own("Refusing") | {
        "numpy": (BAD, "returned Refusing, no array: RuntimeError: no array of me"),
    }),
    "a list of rows": (lambda xp, x: list(shifted(xp, x)), own("list") | {"numpy": fine}),
    "rows of unlike lengths": (lambda xp, x: [[0.1], [0.2, 0.8]], own("list") | {
        "numpy": (BAD, "returned list, no array: ValueError"),
    }),
    "a tuple with the result": (lambda xp, x: (shifted(xp, x), 1), own("tuple") | {
        "numpy": (BAD, "returned tuple, no array: ValueError"),
    }),
    "NaN": (lambda xp, x: x * math.nan, everywhere(FINE)),
    "infinity": (lambda xp, x: x * math.inf, everywhere(FINE)),
    "a wider dtype": (lambda xp, x: np.asarray(x, np.float64), {
        "numpy": (BAD, "returned float64, not float32"),
        "rounded": (CRASHED, "TypeError: a rounded array takes the functions of its own"),
        "torch": (BAD, "returned ndarray, not a tensor"),
        "jax": (BAD, "returned ndarray, not an array of jax"),
    }),
    "a narrower format": (lambda xp, x: xp.astype(x, xp.float16), {
        "numpy": (BAD, "returned float16, not float32"),
        "rounded": (BAD, "returned float16, not float32"),
        "torch": (BAD, "returned torch.float16, not torch.float32"),
        "jax": (BAD, "returned float16, not float32"),
    }),
    "booleans": (lambda xp, x: x == x, {
        "numpy": (BAD, "returned bool, not float32"),
        "rounded": (BAD, "returned ndarray, not an array in float32"),
        "torch": (BAD, "returned torch.bool, not torch.float32"),
        "jax": (BAD, "returned bool, not float32"),
    }),
    "a masked array": (lambda xp, x: np.ma.masked_array(shifted(np, x), x > 0), {
        "numpy": (BAD, "returned a masked array, whose mask would be lost"),
    }),
    "a subclass": (lambda xp, x: shifted(xp, x).view(Subclass), {"numpy": fine}),
    "a matrix": (lambda xp, x: shifted(xp, x).view(np.matrix), {"numpy": fine}),
    "objects": (lambda xp, x: shifted(xp, x).astype(object), {
        "numpy": (BAD, "returned object, not float32"),
    }),
    "complex numbers": (lambda xp, x: x * 1j, {
        "numpy": (BAD, "returned complex64, not float32"),
        "rounded": (CRASHED, "TypeError: want an array in float32 or a Python number, got complex"),
        "torch": (BAD, "returned torch.complex64, not torch.float32"),
        "jax": (BAD, "returned complex64, not float32"),
    }),
    "fields": (lambda xp, x: np.zeros(x.shape, [("a", "f4")]), {"numpy": (BAD, "returned .*'a'")}),
    "other bytes first": (lambda xp, x: shifted(xp, x).astype(">f4"), {
        "numpy": (BAD, "returned >f4, not float32"),
    }),
    "columns first": (lambda xp, x: np.asfortranarray(shifted(xp, x)), {"numpy": fine}),
    "every second": (lambda xp, x: np.repeat(shifted(xp, x), 2, axis=1)[:, ::2], {"numpy": fine}),
    "read only": (lambda xp, x: np.broadcast_to(np.float32(0.2), x.shape), {"numpy": fine}),
    "numbers of no format": (lambda xp, x: RoundedArray(np.exp(x.values), x.dtype), {
        "rounded": (BAD, "returned numbers that float32 does not hold"),
    }),
    "a dtype that is none": (lambda xp, x: RoundedArray(x.values, "float32"), {
        "rounded": (BAD, "returned float32, not float32"),
    }),
    "a sparse tensor": (lambda xp, x: x.to_sparse(), {"torch": (CRASHED, "Error: ")}),
    "a tensor without numbers": (lambda xp, x: x.to("meta"), {"torch": (CRASHED, "Error: ")}),
    "a tensor with a gradient": (
        lambda xp, x: shifted(xp, x.clone().requires_grad_()), {"torch": fine},
    ),
}  # fmt: skip
CASES = [
    (name, arithmetic)
    for name, (_, expected) in RETURNED.items()
    for arithmetic in ARITHMETICS
    if arithmetic in expected
]


@pytest.mark.parametrize(("name", "arithmetic"), CASES)
def test_whatever_is_returned_ends_in_an_outcome(name: str, arithmetic: str) -> None:
    function, expected = RETURNED[name]
    outcome, words = expected[arithmetic]
    row = measured(function, arithmetic)
    if outcome == FINE:
        assert row["reason"] == "" and row[BAD] == row[CRASHED] == 0
    else:
        assert row[outcome] == COMPONENTS
        assert pd.Series([row["reason"]]).str.contains(words)[0], row["reason"]


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
def test_a_right_result_in_another_guise_scores_as_the_plain_one(arithmetic: str) -> None:
    plain = measured(shifted, arithmetic)
    for name in ("a list of rows", "a subclass", "columns first", "every second"):
        function, expected = RETURNED[name]
        if expected.get(arithmetic) == fine:
            row = measured(function, arithmetic)
            assert row["ulp_error_max"] == plain["ulp_error_max"] > 0


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
def test_a_loss_of_the_wrong_shape_is_a_bad_output(arithmetic: str) -> None:
    row = measured(lambda xp, x, q: x[..., :2], arithmetic, problem="cross_entropy")
    assert row[BAD] == row["components"]
    assert "returned (4, 2), not (4,)" in row["reason"]


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
@pytest.mark.parametrize("name", ["None", "a text", "one number", "its input", "too few rows"])
def test_losses_that_cannot_be_reduced_are_a_bad_output(arithmetic: str, name: str) -> None:
    counted = np.ones((2, 3), dtype=np.bool_)
    inputs = Inputs(np.zeros((2, 3, 4)), np.zeros((2, 3, 4)), {}, counted, "mean")
    text, _ = RETURNED[name]
    formula = Formula(lambda xp, x, q: text(xp, x))
    sums = "sequential" if arithmetic == "rounded" else "native"
    with pytest.raises(BadOutputError, match="returned"):
        evaluators.evaluate(arithmetic, formula, inputs, FORMATS["float32"], sums)


# --- what they raise ----------------------------------------------------------------------------


class WordlessError(Exception):
    """An error that cannot be shown."""

    def __str__(self) -> str:
        raise RuntimeError("no words of me")


class SlyText(str):
    """A text that is no text where one looks closer."""

    def __getitem__(self, index: Any) -> Any:
        raise RuntimeError("no part of me")

    def __str__(self) -> str:
        return self

    __format__ = __len__ = __getitem__  # type: ignore[assignment]


class SlyError(Exception):
    """An error whose message is such a text."""

    def __str__(self) -> str:
        return SlyText("sly")


def endlessly(depth: int = 0) -> int:
    return endlessly(depth + 1) + 1


def raised(error: BaseException) -> Callable[..., Any]:
    def raising(xp: Any, x: Any) -> Any:
        raise error

    return raising


def exhausted(xp: Any, x: Any) -> Any:
    return next(iter(()))


def warned(xp: Any, x: Any) -> Any:
    import warnings

    warnings.warn("planted", UserWarning, stacklevel=1)  # an error under pytest
    return shifted(xp, x)


RAISED: dict[str, tuple[Callable[..., Any], str]] = {
    "an error": (raised(ValueError("no")), "ValueError: no"),
    "no message": (raised(ValueError()), "ValueError"),
    "no words": (raised(WordlessError()), "WordlessError: what it says cannot be read"),
    "a sly text": (raised(SlyError()), "SlyError: sly"),
    "10 MB": (raised(ValueError("x" * 10**7)), "ValueError: " + "x" * (LONGEST - 12)),
    "controls": (raised(ValueError("\x1b[31m\0\u202e")), r"ValueError: \u001b[31m\u0000\u202e"),
    "half a pair": (raised(ValueError("\ud800")), r"ValueError: \ud800"),
    "lines": (raised(ValueError("one\n  two\r\n")), "ValueError: one two"),
    "recursion": (lambda xp, x: endlessly(), "RecursionError: maximum recursion depth exceeded"),
    "memory": (raised(MemoryError()), "MemoryError"),
    "exit": (raised(SystemExit(3)), "SystemExit: 3"),
    "exit of a generator": (raised(GeneratorExit()), "GeneratorExit"),
    "stop": (exhausted, "StopIteration"),
    "a warning": (warned, "UserWarning: planted"),
    "a failed assertion": (raised(AssertionError("x > 0")), "AssertionError: x > 0"),
    "a file": (raised(FileNotFoundError(2, "No such", "f")), "FileNotFoundError: [Errno 2] No"),
    "a pipe": (raised(BrokenPipeError()), "BrokenPipeError"),
    "a group": (
        raised(ExceptionGroup("two", [ValueError("a"), ExceptionGroup("in", [OSError("b")])])),
        "ExceptionGroup: two (2 sub-exceptions); ValueError: a; ExceptionGroup: in",
    ),
    "a base group": (
        raised(BaseExceptionGroup("all", [SystemExit(1)])),
        "BaseExceptionGroup: all (1 sub-exception); SystemExit: 1",
    ),
    "a bad output": (raised(BadOutputError("mine")), "BadOutputError: mine"),
}


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
@pytest.mark.parametrize("name", RAISED)
def test_whatever_is_raised_is_the_reason(name: str, arithmetic: str) -> None:
    function, words = RAISED[name]
    row = measured(function, arithmetic)
    outcome = BAD if name == "a bad output" else CRASHED
    assert row[outcome] == COMPONENTS
    assert row["reason"].startswith(words)
    assert len(row["reason"]) <= LONGEST and row["reason"].isprintable()


def test_an_interruption_goes_on() -> None:
    with pytest.raises(KeyboardInterrupt, match="by hand"):
        measured(raised(KeyboardInterrupt("by hand")), "numpy")


def test_a_reason_is_short_however_deep_its_group() -> None:
    error: Exception = ValueError("x")
    for _ in range(5000):
        error = ExceptionGroup("g" * 300, [error])
    assert len(reason_of(error)) <= LONGEST
    assert reason_of(ValueError("x" * 300), 200) == "ValueError: " + "x" * 188


# --- what they do to their inputs ---------------------------------------------------------------


def doubled(xp: Any, x: Any) -> Any:
    """Halve everything in place, through whatever door there is, and return what is asked for."""
    y = shifted(xp, x)
    values = x.values if isinstance(x, RoundedArray) else x
    values *= 0.5
    return y


CHANGING: dict[str, tuple[str, Callable[..., Any]]] = {
    "x *= 0.5": ("numpy", doubled),
    "x[...] = 0": ("numpy", lambda xp, x: (x.__setitem__(..., 0), shifted(xp, x))[1]),
    "out=x": ("numpy", lambda xp, x: np.exp(x, out=x)),
    "one bit": ("numpy", lambda xp, x: (x.view(np.uint8).__ixor__(1), shifted(xp, x))[1]),
    "its shape": ("numpy", lambda xp, x: (x.resize((N, SAMPLES)), shifted(xp, x.reshape(4, 5)))[1]),
    "x.values *= 0.5": ("rounded", doubled),
    "x.values = 0": ("rounded", lambda xp, x: (setattr(x, "values", None), xp.asarray([0.0]))[1]),
    "x.dtype": ("rounded", lambda xp, x: (setattr(x, "dtype", FORMATS["float16"]), -x)[1]),
    "x.mul_(0.5)": ("torch", doubled),
    "x.zero_()": ("torch", lambda xp, x: (x.zero_(), shifted(xp, x))[1]),
    "x.numpy()": ("torch", lambda xp, x: (x.numpy().fill(0), shifted(xp, x))[1]),
    "x.data": ("torch", lambda xp, x: (setattr(x, "data", -x.data), shifted(xp, x))[1]),
}


@pytest.fixture(params=CHANGING)
def changing(request: pytest.FixtureRequest) -> tuple[str, Callable[..., Any]]:
    arithmetic, function = CHANGING[request.param]
    if arithmetic not in ARITHMETICS:
        pytest.skip(f"{arithmetic} is not installed")
    return arithmetic, function


def test_changing_an_input_is_a_bad_output(changing: tuple[str, Callable[..., Any]]) -> None:
    row = measured(changing[1], changing[0])
    assert row[BAD] == COMPONENTS
    assert row["reason"] == "BadOutputError: changed its input in place: logits"


@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("arithmetic", ARITHMETICS[:3])
def test_in_every_dtype(arithmetic: str, dtype: str) -> None:
    if arithmetic == "torch" and dtype.startswith("float8"):
        pytest.skip("torch has no arithmetic in float8")
    row = measured(doubled, arithmetic, dtype=dtype)
    assert row[BAD] == COMPONENTS
    assert row["reason"].endswith("changed its input in place: logits")


@pytest.mark.parametrize("arithmetic", ARITHMETICS[:3])
def test_labels_and_parameters_are_inputs_too(arithmetic: str) -> None:
    def into(array: Any, y: Any) -> Any:
        values = array.values if isinstance(array, RoundedArray) else array
        values[...] = 3
        return y

    row = measured(lambda xp, x, q: into(q, x[:, 0]), arithmetic, problem="cross_entropy")
    assert row["reason"].endswith("changed its input in place: labels")
    row = measured(lambda xp, x, beta: into(beta, shifted(xp, x)), arithmetic, beta=2.0)
    assert row["reason"].endswith("changed its input in place: beta")


@pytest.mark.skipif(not JAX, reason="jax is not installed")
def test_an_array_of_jax_cannot_be_changed() -> None:
    row = measured(doubled, "jax")  # which takes x *= for x = x *
    assert row["reason"] == "" and row["ulp_error_max"] == measured(shifted, "jax")["ulp_error_max"]
    row = measured(lambda xp, x: x.__setitem__(0, 0), "jax")
    assert row[CRASHED] == COMPONENTS


@pytest.mark.skipif(not TORCH, reason="torch is not installed")
def test_a_compiled_formula_that_changes_its_input_is_seen() -> None:
    from fpstudy.arithmetic import torch

    if torch.refusal(FORMATS["float32"], "native", "compile") is not None:
        pytest.skip("torch.compile does not work here")
    row = measured(lambda xp, x: shifted(xp, x.mul_(0.5)), "torch.compile")
    assert row["reason"] == "BadOutputError: changed its input in place: logits"
    assert measured(shifted, "torch.compile")["reason"] == ""


def test_writing_the_same_bits_is_no_change_but_another_zero_is() -> None:
    def same(x: Any) -> Any:
        x[...] = x.copy()
        return x

    def negated(x: Any) -> Any:
        x[...] = -x
        return x

    numbers = np.array([[np.nan, 0.0, -np.inf]], np.float32)
    assert copies.on_copies(same, numbers) is not numbers
    with pytest.raises(BadOutputError, match="changed its input in place: logits"):
        copies.on_copies(negated, numbers)
    zero = np.zeros((1, 1), ml_dtypes.bfloat16)
    with pytest.raises(BadOutputError, match="changed its input in place: labels"):
        copies.on_copies(lambda x, q: negated(q), zero, zero)
    assert np.array_equal(numbers, [[np.nan, 0, -np.inf]], equal_nan=True)


# --- and the others -----------------------------------------------------------------------------

CODE = """
from fpstudy.arithmetic.rounded_arrays import RoundedArray

kept = []

def shifted(xp, x):
    e = xp.exp(x - xp.max(x, axis=-1, keepdims=True))
    return e / xp.sum(e, axis=-1, keepdims=True)

def changing(xp, x):
    (x.values if isinstance(x, RoundedArray) else x)[...] = 7
    return shifted(xp, x)

def later(xp, x):
    '''Change what it was given, and what it gave, when it is called again.'''
    for array in kept:
        (array.values if isinstance(array, RoundedArray) else array)[...] = 7
    kept[:] = [x, shifted(xp, x)]
    return kept[1]
"""


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("arithmetic", ARITHMETICS[:3])
def test_no_other_formula_and_no_score_sees_a_changed_input(
    arithmetic: str, dtype: str, tmp_path: Path
) -> None:
    name = f"inputs_of_{arithmetic}_{dtype}"
    (tmp_path / f"{name}.py").write_text(CODE)
    alone = f"inputs_alone_{arithmetic}_{dtype}"
    (tmp_path / f"{alone}.py").write_text(CODE)
    study = tmp_path / "s.toml"

    def rows(module: str, *formulas: str) -> pd.DataFrame:
        study.write_text(
            f'schema = 1\nname = "s"\n[[sweep]]\nproblem = "softmax"\narithmetic = "{arithmetic}"\n'
            f'dtype = "{dtype}"\nn = [3, 20]\nsamples = 8\nformula = {list(formulas)}\n'
        )
        out = tmp_path / module
        done = fpstudy.run(study, out, jobs=1, figures=False, allow_code=[module], fresh=True)
        found = done.record.drop(columns=["case"])
        found["formula"] = found["formula"].str.replace(r".*:", "", regex=True)
        return found

    functions = [f"{name}:{function}" for function in ("changing", "later", "later", "shifted")]
    there = rows(name, "naive", *dict.fromkeys(functions), "shifted")
    only = rows(alone, "naive", f"{alone}:later", f"{alone}:shifted", "shifted")
    bad = there[there["formula"] == "changing"]
    assert (bad["bad_output"] == bad["components"]).all()
    left = there[there["formula"] != "changing"].reset_index(drop=True)
    pd.testing.assert_frame_equal(left, only.reset_index(drop=True), check_exact=True)
    assert (left["reason"] == "").all()


@pytest.mark.parametrize("arithmetic", ARITHMETICS[:2])
def test_a_result_given_again_for_the_next_block_is_not_lost(
    arithmetic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"fpstudy.arithmetic.{arithmetic}.BLOCK", N)  # a sample at a time
    buffer: list[Any] = []

    def reusing(xp: Any, x: Any) -> Any:
        y = shifted(xp, x)
        buffer[:] = buffer or [y]
        target, source = ((a.values if isinstance(a, RoundedArray) else a) for a in (buffer[0], y))
        target[...] = source
        return buffer[0]

    found, plain = measured(reusing, arithmetic), measured(shifted, arithmetic)
    assert found["ulp_error_max"] == plain["ulp_error_max"] < 4
