"""Torch, jax and SciPy: the same texts, exact bits, their own functions, and what is known of them.

Measured facts are asserted with room for other processors. What needs a library is skipped, with
the reason, where it is missing.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import fpstudy
from fpstudy import flow
from fpstudy.arithmetic import evaluators, framework, scipy_functions
from fpstudy.arithmetic import jax as jax_arithmetic
from fpstudy.arithmetic import numpy as numpy_arithmetic
from fpstudy.arithmetic import torch as torch_arithmetic
from fpstudy.arithmetic.outputs import BadOutputError
from fpstudy.errors import Errors, score
from fpstudy.formats import FORMATS, Floats, Format
from fpstudy.inputs import Inputs
from fpstudy.outcomes import CODE
from fpstudy.problems import PROBLEMS, Formula, named
from fpstudy.problems.problem import Text
from fpstudy.truth import enclose

MODULES: dict[str, ModuleType] = {
    "numpy": numpy_arithmetic,
    "torch": torch_arithmetic,
    "jax": jax_arithmetic,
}
NAMES = ("torch", "torch.compile", "jax", "jax.jit")
TEXTS = [
    (name, problem, formula)
    for name in NAMES
    for problem in PROBLEMS
    for formula in evaluators.formulas(problem, name)
]


class Framework:
    """An arithmetic that can be used here; the test is skipped with the reason where it cannot."""

    def __init__(self, name: str) -> None:
        stem, _, self.variant = name.partition(".")
        pytest.importorskip(stem)
        self.name, self.module = name, MODULES[stem]
        reason = self.module.refusal(FORMATS["float32"], "native", self.variant)
        if reason is not None:
            pytest.skip(reason)

    def __call__(self, formula: Formula, inputs: Inputs, dtype: str) -> Floats:
        y: Floats = self.module.evaluate(formula, inputs, FORMATS[dtype], "native", self.variant)
        return y

    def library(self, problem: str, inputs: Inputs, dtype: str, formula: str = "library") -> Floats:
        return self(self.module.LIBRARY[problem][formula], inputs, dtype)

    def errors(self, problem: str, inputs: Inputs, dtype: str, formula: str = "library") -> Errors:
        y = self.library(problem, inputs, dtype, formula)
        return score(y, enclose(PROBLEMS[problem], inputs), FORMATS[dtype], inputs.infinite)


@pytest.fixture(params=NAMES)
def run(request: pytest.FixtureRequest) -> Framework:
    return Framework(request.param)


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Take a library away: importing it raises ModuleNotFoundError."""

    def take(module: str) -> None:
        monkeypatch.setitem(sys.modules, module, None)

    return take


def moderate(problem: str, formula: Formula, f: Format) -> list[Inputs]:
    """Logits of size 2; a hard target, and soft labels that sum to 1 as stored."""
    x = f.round(2 * np.random.default_rng(7).standard_normal((6, 7)))
    parameters = {"base": 3.0} if "base" in formula.needs else {}
    if not PROBLEMS[problem].labels:
        return [Inputs(x, None, parameters)]
    soft = np.zeros((6, 7))
    soft[:, 0], soft[:, 2] = 0.75, 0.25
    return [Inputs(x, np.eye(7)[:6]), Inputs(x, soft)]


def uniform(dtype: str, samples: int, n: int, size: float) -> Inputs:
    x = np.random.default_rng(0).uniform(-size, size, (samples, n))
    return Inputs(FORMATS[dtype].round(x))


def one(*x: float, target: int | None = None) -> Inputs:
    """A sample of one vector, with a hard target."""
    q = None if target is None else np.eye(len(x))[[target]]
    return Inputs(np.array([x]), q)


# The same texts


@pytest.mark.parametrize(("name", "problem", "formula"), TEXTS, ids=["-".join(x) for x in TEXTS])
def test_a_text_gives_what_numpy_gives(name: str, problem: str, formula: str) -> None:
    """Within 8 u of NumPy's in float32 and float64, and right by its own bound.

    8 u is in units of the largest |t| or label, from which gradients subtract.

    The bound is 2 (n + 2 R) u of the largest |t|, as for NumPy's; down-casting formulas lose more
    on purpose. Compiling takes a second for each text and dtype.
    """
    run, p = Framework(name), PROBLEMS[problem]
    stated = evaluators.formulas(problem, name)[formula]
    dtypes = ("float32",) if run.variant else ("float16", "bfloat16", "float32", "float64")
    for f in (FORMATS[dtype] for dtype in dtypes):
        for inputs in moderate(problem, stated, f):
            t = enclose(p, inputs)
            y = run(stated, inputs, f.name)
            assert y.shape == t.hi.shape
            assert f.holds(y).all()
            if formula in p.formulas and f.precision >= 24:
                size = np.abs(np.ldexp(t.hi, t.exponent)).reshape(6, -1).max(axis=-1)
                if inputs.q is not None:
                    size = np.maximum(size, inputs.q.max(axis=-1))
                apart = np.abs(y - numpy_arithmetic.evaluate(stated, inputs, f)).reshape(6, -1)
                assert (apart.max(axis=-1) <= 8 * f.unit_roundoff * size).all()
            if "downcast" not in formula:
                spread = np.ptp(inputs.x, axis=-1).max() * max(1, abs(inputs.rate))
                errors = score(y, t, f, inputs.infinite)
                assert errors.normwise.max() <= 2 * (7 + 2 * spread) * f.unit_roundoff


@pytest.mark.parametrize("stem", ["torch", "jax"])
def test_a_library_function_works_along_any_axis(stem: str) -> None:
    run, f = Framework(stem), FORMATS["float32"]
    for problem, formulas in run.module.LIBRARY.items():
        for name, stated in formulas.items():

            def across(xp: Any, *parts: Any, text: Text = stated.text) -> Any:
                y = text(xp, *[part.T for part in parts], axis=0)
                return y.T if y.ndim == 2 else y

            for inputs in moderate(problem, stated, f):
                last, first = run(stated, inputs, f.name), run(Formula(across), inputs, f.name)
                np.testing.assert_allclose(first, last, rtol=1e-5, atol=1e-6, err_msg=name)


def test_parameters_reach_the_text(run: Framework) -> None:
    inputs = Inputs(np.array([[1.0, 3.0, 3.0]]), None, {"beta": np.inf})
    shifted = PROBLEMS["softmax"].formulas["shift_then_scale"]
    assert run(shifted, inputs, "float32").tolist() == [[0, 0.5, 0.5]]


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_batch_is_reduced_over_its_counted_rows(run: Framework, reduction: str) -> None:
    x = np.random.default_rng(1).standard_normal((5, 3, 4))
    q = np.zeros((5, 3, 4))
    q[:, 0, 1] = q[:, 1, 2] = 1  # the third row is ignored
    counted = np.tile([True, True, False], (5, 1))
    y = run.library("cross_entropy", Inputs(x, q, {}, counted, reduction), "float64")
    want = numpy_arithmetic.evaluate(
        PROBLEMS["cross_entropy"].formulas["log1p"],
        Inputs(x, q, {}, counted, reduction),
        FORMATS["float64"],
    )
    np.testing.assert_allclose(y, want, rtol=1e-14)


def test_blocks_of_whole_samples_depend_on_nothing_else(
    run: Framework, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(framework, "BLOCK", 2 * 7 + 6)
    seen = []

    def text(xp: Any, x: Any) -> Any:
        seen.append(tuple(x.shape))
        return x + x

    inputs = uniform("float32", 5, 7, 1.0)
    if run.variant:  # a compiled text runs once for each shape
        doubled = Formula(lambda xp, x: x + x)
        assert np.array_equal(run(doubled, inputs, "float32"), 2 * inputs.x)
        return
    assert np.array_equal(run(Formula(text), inputs, "float32"), 2 * inputs.x)
    assert seen == [(2, 7), (2, 7), (1, 7)]


def test_more_shapes_and_options_are_compiled_than_torch_keeps() -> None:
    run = Framework("torch.compile")
    formulas, count = PROBLEMS["softmax"].formulas, torch_arithmetic.COMPILED_AT_ONCE + 2
    for n in range(2, 2 + count):
        y = run(formulas["naive"], Inputs(np.zeros((2, n))), "float32")
        assert np.allclose(y, 1 / n)
    for k in range(2 + count):
        closure = Formula(lambda xp, x, k=float(k): x + k)
        assert run(closure, one(1.0, 2.0), "float32").tolist() == [[1.0 + k, 2.0 + k]]
    for block in (1, 2, 3):
        chosen = named(formulas, f"blocked[block={block}]")
        assert chosen is not None
        assert run(chosen, Inputs(np.zeros((1, 4))), "float32").tolist() == [[0.25] * 4]


def test_formulas_with_options_are_compiled_beyond_what_torch_keeps_of_all_of_them() -> None:
    """Their texts are partials, which torch compiles as one code of its own."""
    run = Framework("torch.compile")
    for block in range(1, torch_arithmetic.COMPILED_AT_ONCE // 2 + 2):
        for problem, want in (("softmax", [[0.25] * 4]), ("logsumexp", [np.float32(np.log(4))])):
            chosen = named(PROBLEMS[problem].formulas, f"blocked[block={block}]")
            assert chosen is not None
            assert run(chosen, Inputs(np.zeros((1, 4))), "float32").tolist() == want


# Exact bits


@pytest.mark.parametrize(
    ("dtype", "native"), [("float16", np.float16), ("bfloat16", ml_dtypes.bfloat16)]
)
def test_every_16_bit_pattern_crosses_unchanged(run: Framework, dtype: str, native: Any) -> None:
    patterns = np.arange(2**16, dtype=np.uint16).view(native).reshape(256, 256)
    with np.errstate(invalid="ignore"):  # signalling NaN
        x = patterns.astype(np.float64)
    y = run(Formula(lambda xp, x: x), Inputs(x), dtype)
    assert np.array_equal(y, x, equal_nan=True)
    assert np.array_equal(np.signbit(y), np.signbit(x))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_torch_gets_the_very_bits(dtype: str) -> None:
    Framework("torch")
    f, bits = FORMATS[dtype], numpy_arithmetic.DTYPES[dtype]
    ends = np.array([f.least_subnormal, f.least_normal, 1 + 2 * f.unit_roundoff, f.largest, np.inf])
    x = np.concatenate([ends, -ends, [0.0, -0.0]])
    t = torch_arithmetic.tensor(x, f, "cpu")
    assert str(t.dtype) == f"torch.{dtype}"
    assert t.double().tolist() == x.tolist()
    assert torch_arithmetic.numbers(t, f).tobytes() == x.astype(bits).tobytes()


def test_float64_stays_float64_and_no_setting_stays_behind(run: Framework) -> None:
    x = one(1 + 2.0**-52, 2.0**-1074)
    assert run(Formula(lambda xp, x: x), x, "float64").tolist() == x.x.tolist()
    if run.name.startswith("jax"):
        import jax.numpy

        assert jax.numpy.asarray(np.ones(1)).dtype == "float32"
    else:
        import torch

        assert torch.is_grad_enabled()
        assert torch.zeros(1).device.type == "cpu"


# Misuse, and what is missing


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (lambda xp, x: xp.astype(x, xp.float64), "returned (torch.)?float64, not (torch.)?float32"),
        (lambda xp, x: xp.sum(x), r"returned shape \(\) for logits"),
        (lambda xp, x: 1.0, "returned float, not a"),
    ],
)
@pytest.mark.parametrize("stem", ["torch", "jax"])
def test_what_is_no_result_of_the_format_is_bad_output(
    stem: str, text: Callable[..., Any], message: str
) -> None:
    run = Framework(stem)
    if stem == "jax" and "float64" in message:
        message, text = "returned float16, not float32", lambda xp, x: xp.astype(x, xp.float16)
    with pytest.raises(BadOutputError, match=message):
        run(Formula(text), one(1.0, 2.0), "float32")


def test_a_text_that_cannot_be_compiled_as_a_whole_raises() -> None:
    run = Framework("torch.compile")
    with pytest.raises(Exception, match=r"data-dependent|Tensor\.item|fullgraph"):
        run(Formula(lambda xp, x: x if float(xp.sum(x)) > 0 else -x), one(1.0, 2.0), "float32")


@pytest.mark.parametrize("stem", ["torch", "jax"])
def test_refusals_that_need_no_framework(stem: str, without: Callable[[str], None]) -> None:
    without(stem)
    module = MODULES[stem]
    own = Format("tf32", precision=11, emax=127, emin=-126)
    assert module.refusal(own, "native") == (
        f"{stem} has no dtype tf32; only rounded carries out a format of your own"
    )
    reason = module.refusal(FORMATS["float32"], "kahan")
    assert reason == f"{stem} sums in its own way only, not kahan"
    reason = module.refusal(FORMATS["float32"], "native")
    assert reason == f"{stem} is not installed: pip install 'fpstudy[{stem}]'"
    for variant in ("fast", "compile:tpu", ":tpu"):
        with pytest.raises(ValueError, match=f"{stem} has no variant {variant!r}; known: "):
            module.refusal(FORMATS["float32"], "native", variant)


def test_torch_refuses_float8() -> None:
    for dtype in ("float8_e4m3fn", "float8_e5m2"):
        reason = torch_arithmetic.refusal(FORMATS[dtype], "native")
        assert reason == f"torch has no arithmetic in {dtype}"


def test_torch_has_indeed_no_arithmetic_in_float8() -> None:
    torch = pytest.importorskip("torch")
    x = torch.zeros(2).to(torch.float8_e5m2)
    with pytest.raises(NotImplementedError, match="Float8"):
        x + x


def test_the_compatibility_layer_may_be_what_is_missing(without: Callable[[str], None]) -> None:
    pytest.importorskip("torch")
    without("array_api_compat.torch")
    without("array_api_compat")
    reason = torch_arithmetic.refusal(FORMATS["float32"], "native")
    assert reason == "array_api_compat is not installed: pip install 'fpstudy[torch]'"


def test_a_broken_installation_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> ModuleType:
        raise OSError("libcudart.so: cannot open shared object file\nand more")

    monkeypatch.setattr(framework, "import_module", broken)
    reason = torch_arithmetic.refusal(FORMATS["float32"], "native")
    assert reason == "torch cannot be imported: libcudart.so: cannot open shared object file"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("torch:cuda", "torch finds no CUDA device"),
        ("torch.compile:cuda", "torch finds no CUDA device"),
        ("jax:cuda", "jax finds no CUDA device"),
        ("jax.jit:cuda", "jax finds no CUDA device"),
    ],
)
def test_a_gpu_refuses_or_computes(name: str, reason: str) -> None:
    stem = name.partition(":")[0].partition(".")[0]
    pytest.importorskip(stem)
    f = FORMATS["float16"]
    refused = evaluators.refusal(name, f, "native")
    if refused is not None:
        assert refused == reason
        return
    formula = MODULES[stem].LIBRARY["softmax"]["library"]
    y = evaluators.evaluate(name, formula, one(0.0, 0.0), f, "native")
    assert y.tolist() == [[0.5, 0.5]]


def test_torch_compile_without_a_compiler_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    code = (
        "from fpstudy.arithmetic.torch import refusal; from fpstudy.formats import FORMATS;"
        "print(refusal(FORMATS['float32'], 'native', 'compile'))"
    )
    hidden = {"CXX": str(tmp_path / "none"), "TORCHINDUCTOR_CACHE_DIR": str(tmp_path)}
    said = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | hidden, capture_output=True, text=True
    )
    assert said.stdout.startswith("torch.compile does not work here: "), said.stderr
    assert "\n" not in said.stdout.strip()


STUDY = """
schema = 1
name = "frameworks"
seed = 1

[[sweep]]
problem = ["logsumexp", "cross_entropy_gradient"]
dtype = ["bfloat16", "float32"]
arithmetic = ["numpy", "torch", "jax"]
formula = ["shifted", "library"]
n = 4
samples = 2
"""


def skipped(tmp_path: Path) -> dict[tuple[str, str, str], str]:
    """(arithmetic, formula, dtype) of the cases of the study that were skipped, and why."""
    study = tmp_path / "frameworks.toml"
    study.write_text(STUDY, encoding="utf-8")
    result = fpstudy.run(study, tmp_path / "out", jobs=1)
    cases = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))["cases"]
    # 4 of numpy's gradients have no library; the rest: 2 problems, 2 dtypes, 2 formulas
    assert cases["total"] == 2 * 2 * 2 * 3 - 2
    assert cases["crashed"] == 0
    rows = result.record[result.record["skipped"] > 0]
    assert cases["skipped"] == rows["case"].nunique()
    columns = ["arithmetic", "formula", "dtype", "reason"]
    return {(a, f, d): reason for a, f, d, reason in rows[columns].itertuples(index=False)}


def test_cases_of_a_missing_framework_are_recorded_with_the_reason(
    tmp_path: Path, without: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    # in this process, which is the one that lacks them
    monkeypatch.setattr(flow, "HARMLESS", {"numpy", "torch", "jax", "scipy"})
    for name in ("torch", "jax", "scipy", "scipy.special"):
        without(name)
    scipy_functions.refusal.cache_clear()
    reasons = skipped(tmp_path)
    scipy_functions.refusal.cache_clear()
    for dtype in ("bfloat16", "float32"):
        for stem in ("torch", "jax"):
            for formula in ("shifted", "library"):
                reason = reasons.pop((stem, formula, dtype))
                assert reason == f"{stem} is not installed: pip install 'fpstudy[{stem}]'"
        reason = reasons.pop(("numpy", "library", dtype))
        assert reason == "scipy is not installed: pip install 'fpstudy[scipy]'"
    assert reasons == {}


def no_result(dtype: str) -> tuple[str, str]:
    """What SciPy, and what SciPy 1.15, does instead of a log-sum-exp in the dtype."""
    function = "scipy.special.logsumexp"
    return f"{function} returns float64 for {dtype}", f"{function} takes no {dtype}"


def test_all_cases_run_where_the_frameworks_are(tmp_path: Path) -> None:
    for name in ("torch", "jax", "scipy"):
        pytest.importorskip(name)
    reasons = skipped(tmp_path)
    assert list(reasons) == [("numpy", "library", "bfloat16")]
    assert reasons.popitem()[1] in no_result("bfloat16")


@pytest.mark.parametrize("stem", MODULES)
def test_a_library_function_says_what_it_computes_where_it_fails_and_whose_it_is(stem: str) -> None:
    formulas = [f for own in MODULES[stem].LIBRARY.values() for f in own.values()]
    assert len(formulas) >= 3
    for formula in formulas:
        assert formula.mathematics
        assert formula.fails
        assert formula.source


# What the libraries' own functions do


def test_torch_calls_its_own_cross_entropy() -> None:
    """Bit for bit: with indices for hard targets, with probabilities for others, and gradients."""
    torch = pytest.importorskip("torch")
    run, f = Framework("torch"), FORMATS["bfloat16"]
    hard, soft = moderate("cross_entropy", Formula(lambda: None), f)
    kinds = ((hard, torch.arange(6)), (soft, torch_arithmetic.tensor(soft.arrays[1], f, "cpu")))
    for inputs, target in kinds:
        x = torch_arithmetic.tensor(inputs.x, f, "cpu").requires_grad_()
        losses = torch.nn.functional.cross_entropy(x, target, reduction="none")
        losses.sum().backward()
        y = run.library("cross_entropy", inputs, f.name)
        assert y.tolist() == losses.tolist()
        gradient = run.library("cross_entropy_gradient", inputs, f.name)
        assert gradient.tolist() == x.grad.tolist()


def test_hard_and_soft_rows_may_be_mixed() -> None:
    run = Framework("torch")
    x = np.array([[0.0, -np.inf, 1.0]] * 4)
    q = np.array([[1.0, 0, 0], [0.5, 0, 0.5], [0, 0, 0], [0, 1, 0]])
    y = run.library("cross_entropy", Inputs(x, q), "float32")
    # by index 1.31; soft labels give 0 * -inf; ignored; the target is masked
    assert np.array_equal(y, [np.float32(1.3132616), np.nan, 0, np.inf], equal_nan=True)
    alone = [run.library("cross_entropy", Inputs(x[[k]], q[[k]]), "float32")[0] for k in range(4)]
    assert np.array_equal(y, alone, equal_nan=True)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_torch_rounds_softmax_once_but_log_softmax_often(dtype: str) -> None:
    """On a CPU in half precision: softmax in float32; log_softmax with sums in the half type."""
    run, inputs = Framework("torch"), uniform(dtype, 2000, 10, 8.0)
    errors = run.errors("softmax", inputs, dtype)
    right = np.isin(errors.outcome, [CODE["correctly_rounded"], CODE["exact"]]).mean()
    assert right >= 0.999
    assert errors.ulps.max() <= 0.51
    assert run.errors("log_softmax", inputs, dtype).ulps.max() > 100


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_torch_compile_takes_log_softmax_into_float32(dtype: str) -> None:
    run, inputs = Framework("torch.compile"), uniform(dtype, 2000, 10, 8.0)
    assert run.errors("log_softmax", inputs, dtype).ulps.max() < 2
    assert run.errors("softmax", inputs, dtype).ulps.max() <= 0.51


@pytest.mark.parametrize("name", ["jax", "jax.jit"])
@pytest.mark.parametrize(("dtype", "least", "most"), [("float16", 5, 16), ("bfloat16", 10, 32)])
def test_jax_rounds_every_step_of_softmax(name: str, dtype: str, least: int, most: int) -> None:
    """About 9 ulps in float16 and 18.5 in bfloat16, at gaps of up to 32."""
    run = Framework(name)
    worst = run.errors("softmax", uniform(dtype, 500, 100, 16.0), dtype).ulps.max()
    assert least < worst < most


EXPONENTIAL = Formula(lambda xp, x: xp.exp(x))
SUBNORMAL = {"bfloat16": (-88.0, -90.0), "float32": (-90.0, -100.0), "float64": (-709.0, -720.0)}


@pytest.mark.parametrize("dtype", SUBNORMAL)
def test_jax_takes_subnormal_numbers_for_zero_and_torch_does_not(
    run: Framework, dtype: str
) -> None:
    y = run(EXPONENTIAL, one(*SUBNORMAL[dtype]), dtype)
    assert (y < FORMATS[dtype].least_normal).all()
    if run.name.startswith("jax"):
        assert (y == 0).all()
        halved = run(Formula(lambda xp, x: x * 0.5), one(FORMATS[dtype].least_normal), dtype)
        assert halved.tolist() == [[0.0]]
    else:
        assert (y > 0).all()


def test_jax_keeps_the_subnormal_numbers_of_float16() -> None:
    y = Framework("jax")(EXPONENTIAL, one(-10.0, -16.0), "float16")
    assert y.tolist() == FORMATS["float16"].round(np.exp([[-10.0, -16.0]])).tolist()


@pytest.mark.parametrize("n", [65_536, 128_256])
def test_many_equal_float16_logits_overflow_the_sum(n: int) -> None:
    """log n is 11.09 and 11.76. In torch only softmax, and what is compiled, sum in float32."""
    inputs = Inputs(np.zeros((1, n)), np.eye(1, n))
    plain, log_n = Inputs(inputs.x), float(np.float16(np.log(n)))
    torch, compiled, jax = (Framework(name) for name in ("torch", "torch.compile", "jax"))

    def values(run: Framework, problem: str) -> list[float]:
        labels = PROBLEMS[problem].labels
        return np.unique(run.library(problem, inputs if labels else plain, "float16")).tolist()

    assert values(torch, "logsumexp") == [np.inf]
    assert values(torch, "log_softmax") == [-np.inf]
    assert values(torch, "cross_entropy") == [np.inf]
    assert values(torch, "softmax") == [float(np.float16(1 / n))]
    assert values(jax, "logsumexp") == [np.inf]
    assert values(jax, "log_softmax") == [-np.inf]
    assert values(jax, "softmax") == [0.0]
    assert values(compiled, "logsumexp") == [log_n]
    assert values(compiled, "log_softmax") == [-log_n]
    assert values(compiled, "cross_entropy") == [log_n]


def test_the_known_bug_of_logsumexp_beside_zero(run: Framework) -> None:
    assert run.library("logsumexp", one(0.0, -40.0), "float64").tolist() == [0.0]


# Gradients


@pytest.mark.parametrize(
    ("dtype", "x"),
    [("float16", (12, 0, -8)), ("bfloat16", (0, -110, -5)), ("float32", (0, -110, -5))],
)
def test_differentiating_the_naive_loss_gives_nan_and_the_shifted_one_does_not(
    run: Framework, dtype: str, x: tuple[float, ...]
) -> None:
    inputs, f = one(*x, target=2), FORMATS[dtype]
    naive = run.library("cross_entropy_gradient", inputs, dtype, "autodiff_naive")
    if not (run.name == "torch.compile" and f.precision < 24):  # its float32 may hold the terms
        assert np.isnan(naive).all()
    for formula in ("autodiff_shifted", "autodiff_log1p", "library", "p_minus_q"):
        errors = run.errors("cross_entropy_gradient", inputs, dtype, formula)
        assert errors.normwise.max() <= 4 * f.unit_roundoff, formula


@pytest.mark.parametrize(("dtype", "gap"), [("float16", 9.0), ("float32", 20.0), ("float64", 40.0)])
@pytest.mark.parametrize("stem", ["torch", "jax"])
def test_differentiating_the_shifted_loss_keeps_a_confident_target(
    stem: str, dtype: str, gap: float
) -> None:
    """p_t - 1, where p_t rounds to 1 or nearly so: minus the sum of the others' probabilities."""
    run, inputs = Framework(stem), one(gap, 0.0, 0.0, target=0)
    kept = run.errors("cross_entropy_gradient", inputs, dtype, "autodiff_shifted")
    assert kept.bits[0, 0] >= FORMATS[dtype].precision - 4
    for formula in ("library", "p_minus_q"):
        lost = run.errors("cross_entropy_gradient", inputs, dtype, formula)
        assert lost.bits[0, 0] <= 1, formula


# SciPy


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_scipy_computes_as_our_formulas_of_its_name_do(dtype: str) -> None:
    pytest.importorskip("scipy")
    f, inputs = FORMATS[dtype], uniform(dtype, 50, 9, 4.0)
    for problem, library in numpy_arithmetic.LIBRARY.items():
        t = enclose(PROBLEMS[problem], inputs)
        y = numpy_arithmetic.evaluate(library["library"], inputs, f)
        errors = score(y, t, f, inputs.infinite)
        assert errors.normwise.max() <= 2 * (9 + 16) * f.unit_roundoff
        assert scipy_functions.refusal(problem, numpy_arithmetic.DTYPES[dtype]) is None


def test_scipy_is_refused_where_it_answers_in_a_wider_type() -> None:
    pytest.importorskip("scipy")
    for dtype in ("bfloat16", "float8_e4m3fn"):
        f, native = FORMATS[dtype], numpy_arithmetic.DTYPES[dtype]
        assert scipy_functions.refusal("logsumexp", native) in no_result(dtype)
        with pytest.raises((BadOutputError, TypeError), match=dtype):
            numpy_arithmetic.evaluate(scipy_functions.LIBRARY["logsumexp"]["library"], one(0.0), f)
        assert scipy_functions.refusal("softmax", native) is None


def test_scipy_overflows_a_float16_count_and_keeps_a_tail_beside_zero() -> None:
    pytest.importorskip("scipy")
    library = {name: own["library"] for name, own in numpy_arithmetic.LIBRARY.items()}
    many = Inputs(np.zeros((1, 65_536)))

    def values(problem: str, inputs: Inputs, dtype: str) -> list[float]:
        y = numpy_arithmetic.evaluate(library[problem], inputs, FORMATS[dtype])
        return np.unique(y).tolist()

    assert values("logsumexp", many, "float16") == [np.inf]
    assert values("softmax", many, "float16") == [0.0]
    assert values("log_softmax", many, "float16") == [-np.inf]
    assert values("logsumexp", one(0.0, -40.0), "float64") == [4.248354255291589e-18]
