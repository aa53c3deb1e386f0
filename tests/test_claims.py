"""Claims: each kind borne out and refuted, onsets against theory, mistakes at the door."""

import json
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest

from fpstudy.claims import CHECKS, check
from fpstudy.claims.bisection import last_without
from fpstudy.claims.computed import number_of, pattern
from fpstudy.claims.onset import search
from fpstudy.claims.threshold import EDGES as THRESHOLDS
from fpstudy.flow import run
from fpstudy.formats import FORMATS, Format
from fpstudy.problems import Formula
from fpstudy.study import StudyError, load
from fpstudy.study_file.claim_rules import EDGES
from fpstudy.study_file.claims import KINDS

HEAD = 'schema = 1\nname = "demo"\n'
FOUR = ["float16", "bfloat16", "float32", "float64"]
ALL = [*FOUR, "float8_e4m3fn", "float8_e5m2"]
CE = {"problem": "cross_entropy", "logits": [1000, 0], "labels": [0.5, 0.5]}
NAIVE = {"problem": "softmax", "formula": "naive"}
ORDER = {"logits": [3, 1, 2]}
BETAS, MINUS = [1, 10, 100], [-1, -10, -100]

CLAIMS: list[tuple[str, str, dict[str, Any]]] = [  # kind, verdict, keys
    ("computed", "confirmed", NAIVE | {"logits": [1000, 0], "dtype": FOUR, "expect": ["nan", 0]}),
    ("computed", "refuted", NAIVE | {"logits": [1000, 0], "expect": [1, 0]}),
    ("computed", "refuted", NAIVE | {"logits": [1, 0], "expect": ["nan", 0]}),
    ("computed", "confirmed", CE | {"formula": "log_of_shifted_softmax", "expect": "inf"}),
    ("computed", "refuted", CE | {"formula": "shifted", "expect": "inf"}),
    ("computed", "confirmed", CE | {"formula": "shifted", "dtype": FOUR, "expect": 500}),
    ("computed", "refuted", CE | {"formula": "shifted", "expect": 500.00003}),
    ("computed", "confirmed", CE | {"formula": "shifted", "expect": 500.00003, "digits": 7}),
    ("exact", "confirmed", CE | {"expect": 500}),
    ("exact", "confirmed", CE | {"expect": 500, "digits": 100}),
    ("exact", "refuted", CE | {"expect": 501, "digits": 3}),
    ("exact", "confirmed", CE | {"expect": "0x1f4"}),
    ("exact", "refuted", CE | {"expect": "0x1p9999"}),
    ("exact", "confirmed", CE | {"expect": 501, "digits": 2}),
    ("exact", "confirmed", {"problem": "softmax", "logits": [3, 3, 2], "beta": float("inf"),
                            "expect": [0.5, 0.5, 0]}),
    ("exact", "refuted", {"problem": "softmax", "logits": [1e12, 0], "expect": [1, 0]}),
    ("exact", "confirmed", {"problem": "log_softmax", "logits": ["inf", 0],
                            "expect": [0, "-inf"]}),
    ("exact", "confirmed", {"problem": "softmax", "logits": ["inf", "inf"],
                            "expect": ["nan", "nan"]}),
    ("onset", "confirmed", NAIVE | {"dtype": ALL, "threshold": "log(largest)", "then": "nan",
                                    "expect": {"float32": 88.7}}),
    ("onset", "refuted", NAIVE | {"dtype": ALL, "expect": {"float32": 88.8}}),
    ("onset", "confirmed", NAIVE | {"dtype": FOUR, "n": 10, "threshold": "log(largest / n)",
                                    "then": 0}),
    ("onset", "refuted", NAIVE | {"dtype": FOUR, "n": 10, "threshold": "log(largest / n)",
                                  "then": "nan"}),
    ("onset", "refuted", NAIVE | {"dtype": FOUR, "n": 10, "threshold": "log(largest)"}),
    ("onset", "confirmed", NAIVE | {"dtype": FOUR, "n": 10, "threshold": "log(largest)",
                                    "trouble": "nan", "then": "nan"}),
    ("onset", "confirmed", {"problem": "logsumexp", "formula": "naive", "dtype": FOUR,
                            "threshold": "log(largest)", "then": "inf"}),
    ("onset", "confirmed", {"problem": "softmax", "formula": "shifted", "dtype": FOUR, "n": 100,
                            "threshold": "none"}),
    ("onset", "refuted", NAIVE | {"dtype": FOUR, "threshold": "none"}),
    ("onset", "refuted", NAIVE | {"dtype": "float16", "n": 70_000,
                                  "threshold": "log(largest / n)"}),
    ("threshold", "confirmed", {"of": "exp(x) overflows", "dtype": ALL,
                                "expect": {"float16": 11.0859375, "float32": 88.72283172607422}}),
    ("threshold", "refuted", {"of": "exp(x) overflows", "expect": {"float16": 11.078125}}),
    ("threshold", "confirmed", {"of": "exp(x) is 0", "expect": {"float32": -103.972},
                                "digits": 6}),
    ("threshold", "refuted", {"of": "exp(x) is 0", "expect": {"float32": -103.972}}),
    ("threshold", "refuted", {"of": "exp(x) is 0", "expect": {"float32": 103.972}, "digits": 6}),
    ("threshold", "confirmed", {"of": ["p rounds to 1", "1 + exp(-g) is 1"], "dtype": FOUR}),
    ("order", "confirmed", ORDER | {"larger_get": "larger"}),
    ("order", "confirmed", ORDER | {"larger_get": "larger", "base": 2}),
    ("order", "refuted", ORDER | {"larger_get": "smaller", "base": 2}),
    ("order", "confirmed", ORDER | {"larger_get": "smaller", "base": 0.5}),
    ("order", "confirmed", ORDER | {"larger_get": "equal", "base": 1}),
    ("order", "refuted", ORDER | {"larger_get": "equal", "beta": 1e-300}),
    ("order", "confirmed", ORDER | {"larger_get": "larger", "beta": 1e-300}),
    ("order", "confirmed", {"logits": [1000, 0, -1000], "larger_get": "larger"}),
    ("order", "confirmed", {"problem": "log_softmax", "logits": [3, 1], "larger_get": "larger"}),
    ("order", "refuted", {"logits": [2, 2], "larger_get": "larger"}),
    ("limit", "confirmed", ORDER | {"betas": BETAS, "to": "arg_max"}),
    ("limit", "confirmed", ORDER | {"betas": MINUS, "to": "arg_min"}),
    ("limit", "refuted", ORDER | {"betas": MINUS, "to": "arg_max"}),
    ("limit", "refuted", ORDER | {"betas": [1, 2], "to": "arg_max"}),
    ("limit", "refuted", ORDER | {"of": "arg_max", "betas": MINUS, "to": "arg_min"}),
    ("limit", "confirmed", ORDER | {"betas": [1e10, 1e11], "to": "arg_max"}),
    ("limit", "confirmed", ORDER | {"betas": ["0x1p3", "0x1p5"], "to": "arg_max"}),
    ("equal", "confirmed", {"left": "log_softmax.log_of_softmax", "right": "log_softmax.shifted"}),
    ("equal", "confirmed", {"left": "softmax.power", "right": "softmax.shift_then_scale",
                            "base": 3}),
    ("equal", "confirmed", {"left": "logsumexp.naive", "right": "logsumexp.tie_counting"}),
    ("equal", "confirmed", {"left": "softmax.power", "right": "softmax.shift_then_scale",
                            "base": "0x1.8p1"}),
    ("equal", "confirmed", {"left": "softmax.scale_then_shift",
                            "right": "softmax.shift_then_scale", "beta": "0x1p1"}),
    ("equal", "confirmed", {"left": "cross_entropy_gradient.chain_rule",
                            "right": "cross_entropy_gradient.naive"}),
    ("equal", "refuted", {"left": "cross_entropy_gradient.chain_rule", "logits": [1, 0],
                          "right": "cross_entropy_gradient.naive", "labels": [0.5, 0.25]}),
    ("equal", "refuted", {"left": "logsumexp.naive", "right": "log_softmax.shifted"}),
    ("equal", "refuted", {"left": "softmax.naive", "right": "log_softmax.shifted"}),
    ("between", "confirmed", {"low": "max", "high": "max + log n"}),
    ("between", "confirmed", {"low": "mean + log n", "high": "max + log n"}),
    ("between", "refuted", {"low": "max", "high": "max"}),
    ("between", "confirmed", {"low": "max + log n", "high": "mean + log n", "logits": [2, 2, 2]}),
    ("inside", "confirmed", {"problem": "softmax", "magnitude": 1000}),
    ("inside", "refuted", {"problem": "softmax", "logits": [3]}),
    ("inside", "refuted", {"formula": "shifted", "dtype": "float32", "magnitude": 100}),
    ("inside", "refuted", {"formula": "naive", "dtype": "float32", "logits": [1000, 1000]}),
    ("sum", "confirmed", {"base": 2}),
    ("sum", "confirmed", {"magnitude": "0x1p3"}),
    ("sum", "refuted", {"formula": "shifted", "dtype": "float16"}),
    ("sum", "confirmed", {"formula": "shifted", "dtype": "float16", "logits": [1, 1]}),
    ("convex", "confirmed", {}),
    ("convex", "confirmed", {"magnitude": "0x1p3"}),
    ("convex", "confirmed", {"problem": "cross_entropy"}),
    ("convex", "refuted", {"shape": "concave"}),
    ("gradient", "confirmed", {"form": "p - q"}),
    ("gradient", "confirmed", {"form": "p sum(q) - q", "logits": [1, 0], "labels": [2, 0.25]}),
    ("gradient", "refuted", {"form": "p - q", "logits": [1, 0], "labels": [0.5, 0.25]}),
    ("differentiable", "confirmed", {"function": "max", "logits": [1, 0], "expect": True}),
    ("differentiable", "refuted", {"function": "max", "logits": [1, 1], "expect": True}),
    ("differentiable", "confirmed", {"function": "arg_max", "logits": [1, 0], "expect": True}),
    ("differentiable", "confirmed", {"function": "arg_max", "logits": [1, 1], "expect": False}),
    ("differentiable", "confirmed", {"function": "logsumexp", "logits": [1, 1], "expect": True}),
    ("differentiable", "confirmed", {"function": "logsumexp", "logits": [1e300, 1e300],
                                     "expect": True}),
    ("differentiable", "confirmed", {"function": "logsumexp", "logits": [0, -1e308],
                                     "expect": True}),
    ("product_quotient", "confirmed", {"x": 1, "y": 1e-50, "expect": "nan"}),
    ("product_quotient", "confirmed", {"x": 1, "y": 1e39, "expect": "nan"}),
    ("product_quotient", "refuted", {"x": 1, "y": 1e-50, "dtype": FOUR, "expect": "nan"}),
    ("jump", "confirmed", {"betas": [1, 10]}),
    ("jump", "confirmed", {"size": 0, "dtype": "float64"}),
    ("jump", "confirmed", {"size": -1024, "dtype": "bfloat16"}),
    ("jump", "refuted", {"beta": 100}),
    ("jump", "refuted", {"beta": "0x1p3"}),
    ("jump", "confirmed", {"betas": [1, "0x1p3"]}),
    ("format_number", "confirmed", {"quantity": "least positive", "expect": 1.4013e-45}),
    ("format_number", "confirmed", {"quantity": "largest", "dtype": "float8_e4m3fn",
                                    "expect": 448}),
    ("format_number", "refuted", {"quantity": "largest", "expect": 3.40283e38, "digits": 6}),
    ("underflow", "confirmed", {"function": "exp", "dtype": FOUR}),
    ("underflow", "refuted", {"function": "log", "dtype": FOUR}),
]  # fmt: skip


def toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return json.dumps(value) if isinstance(value, str) else repr(value)


def claim_text(kind: str, keys: dict[str, Any]) -> str:
    rows = "".join(f"{key} = {toml(value)}\n" for key, value in keys.items())
    return f'[[claim]]\nkind = "{kind}"\nsays = "so it is"\n{rows}'


def claim(folder: Path, kind: str, keys: dict[str, Any]) -> Any:
    path = folder / "study.toml"
    path.write_text(HEAD + claim_text(kind, keys))
    return load(path).claim[0]


@pytest.mark.parametrize(("kind", "verdict", "keys"), CLAIMS)
def test_verdicts_are_those_of_the_measurement(
    tmp_path: Path, kind: str, verdict: str, keys: dict[str, Any]
) -> None:
    told = check(claim(tmp_path, kind, keys))
    assert told["verdict"] == verdict
    assert (told["kind"], told["says"]) == (kind, "so it is")
    assert told["evidence"].endswith(".")
    assert json.loads(json.dumps(told, allow_nan=False)) == told


def test_every_kind_is_confirmed_and_refuted_above() -> None:
    assert {(kind, verdict) for kind, verdict, _ in CLAIMS} == {
        (kind, verdict) for kind in KINDS for verdict in ("confirmed", "refuted")
    }
    assert set(CHECKS) == set(KINDS)
    assert set(THRESHOLDS) == set(EDGES)


# The largest number of each format, (2 - 2**(1 - p)) 2**emax, and p; numerics of IEEE 754 and OCP.
LARGEST = {
    "float16": ((2 - mpmath.mpf(2) ** -10) * 2**15, 11),
    "bfloat16": ((2 - mpmath.mpf(2) ** -7) * mpmath.mpf(2) ** 127, 8),
    "float32": ((2 - mpmath.mpf(2) ** -23) * mpmath.mpf(2) ** 127, 24),
    "float64": ((2 - mpmath.mpf(2) ** -52) * mpmath.mpf(2) ** 1023, 53),
    "float8_e5m2": (mpmath.mpf(57344), 3),
    "float8_e4m3fn": (mpmath.mpf(448), 4),
}


@pytest.mark.parametrize("dtype", LARGEST)
@pytest.mark.parametrize("n", [1, 2, 10])
def test_the_onset_is_the_last_number_before_the_logarithm(
    tmp_path: Path, dtype: str, n: int
) -> None:
    """M rounds down from log((largest + half an ulp) / n) within a few u of relative error."""
    keys = NAIVE | {"dtype": dtype, "n": n, "threshold": "log(largest / n)"}
    ((name, _, found, result, _),) = check(claim(tmp_path, "onset", keys))["table"]["rows"]
    largest, p = LARGEST[dtype]
    M = mpmath.mpf(float.fromhex(found))
    spacing = mpmath.mpf(2) ** (int(mpmath.floor(mpmath.log(M, 2))) - p + 1)
    with mpmath.workprec(200):
        threshold = mpmath.log(largest * (1 + mpmath.mpf(2) ** -p) / n)
        # the exponential may be 4 u off and n - 1 additions 1 u each
        slack = (4 + n) * mpmath.mpf(2) ** -p
        assert threshold - slack - spacing <= M <= threshold + slack
    assert name == dtype
    one_overflows = M + spacing > mpmath.log(largest)
    # e4m3fn has no infinity to divide by: its overflow is NaN at once
    assert result == ("nan" if one_overflows or dtype == "float8_e4m3fn" else "0")


def _troubled_in(bands: list[tuple[float, float]]) -> Formula:
    """A formula that gives NaN where its logit lies in a band, else 1."""

    def text(xp: Any, x: Any, *, axis: int = -1) -> Any:
        inside = xp.any(xp.stack([(low < x) & (x < high) for low, high in bands]), axis=0)
        return xp.where(inside, xp.asarray(xp.nan, x.dtype), xp.ones_like(x))

    return Formula(text)


@pytest.mark.parametrize(
    ("bands", "onset", "steady"),
    [
        ([(10, 1e5)], 10, True),
        ([(3, 10), (1e4, 1e5)], 1e4, False),  # found from above, trouble below
        ([(10, 1e3), (1e4, 1e5)], 10, False),  # found from below, no trouble for a while above
        ([], None, True),
        ([(10, 1e3)], None, False),
    ],
)
def test_bisection_says_when_a_trouble_does_not_begin_once(
    bands: list[tuple[float, float]], onset: float | None, steady: bool
) -> None:
    formula = _troubled_in(bands or [(1, 0)])
    found = search(formula, "float16", 1, zero=True, trouble="nan")
    assert (None if found.bits is None else number_of(found.bits, "float16")) == onset
    assert found.steady == steady


def _beyond(of: str, f: Format, M: mpmath.mpf) -> bool:
    """Whether a number M >= 0 is beyond an edge, by the rounding rule in real numbers."""
    u, eta, tiny = (mpmath.mpf(x) for x in (f.unit_roundoff, f.least_subnormal, f.least_normal))
    last_place = mpmath.mpf(2) ** (f.emax - f.precision + 1)
    e, p = mpmath.exp(-M), 1 / (1 + mpmath.exp(-M))
    beyond = {
        "exp(x) overflows": 1 / e >= mpmath.mpf(f.largest) + last_place / 2,
        "exp(x) is 0": e <= eta / 2,
        "exp(x) is subnormal": e < tiny - eta / 2,
        "p rounds to 1": p >= 1 - u / 2,
        "1 + exp(-g) is 1": e <= u + u**2,
        "a sum of ones stands still": u * M >= 1,
    }
    return bool(beyond[of])


@pytest.mark.parametrize("dtype", ALL)
@pytest.mark.parametrize("of", EDGES)
def test_the_rounding_rule_puts_each_threshold_between_two_neighbours(
    tmp_path: Path, of: str, dtype: str
) -> None:
    """By mpmath, on the numbers as printed; and what is computed there is what has been said."""
    told = check(claim(tmp_path, "threshold", {"of": of, "dtype": dtype}))
    ((_, before, hex_before, after, result, _),) = told["table"]["rows"]
    f, M = FORMATS[dtype], abs(float(before))
    assert float.fromhex(hex_before) == float(before)
    assert f.holds([float(before), float(after)]).all()
    assert abs(float(after)) - M == 2.0 ** f.quantum(M)
    with mpmath.workdps(60):
        assert not _beyond(of, f, mpmath.mpf(M))
        assert _beyond(of, f, mpmath.mpf(abs(float(after))))
    if of == "a sum of ones stands still":
        assert result == after == str(2**f.precision)
    elif of == "exp(x) is subnormal":
        assert 0 < float(result) < f.least_normal
    else:
        assert result == {
            "exp(x) is 0": "0",
            "exp(x) overflows": "inf" if f.infinity else "nan",
        }.get(of, "1")


@pytest.mark.parametrize("dtype", [name for name in ALL if FORMATS[name].precision <= 11])
@pytest.mark.parametrize("of", EDGES)
def test_no_number_of_a_narrow_format_contradicts_a_threshold(of: str, dtype: str) -> None:
    """Every nonnegative number: none below has run out, all above have."""
    f, edge = FORMATS[dtype], THRESHOLDS[of]
    every = np.asarray([float(number_of(k, dtype)) for k in range(pattern(f.largest, dtype) + 1)])
    beyond = edge.beyond(f, every, edge.result(f, every))
    found = last_without(lambda M: edge.beyond(f, M, edge.result(f, M)), dtype)
    assert found.steady and found.bits is not None
    assert np.array_equal(np.flatnonzero(beyond), np.arange(found.bits + 1, every.size))


def test_the_shipped_thresholds_are_those_of_every_dtype() -> None:
    path = Path(__file__).parent.parent / "experiments" / "thresholds.toml"
    overview, *single = load(path).claim
    assert set(overview.of) == {of for one in single for of in one.of} == set(EDGES)
    assert all(set(one.dtype) == set(one.expect) == set(ALL) for one in single)
    assert {check(one)["verdict"] for one in (overview, *single)} == {"confirmed"}


def test_the_claimed_gradient_is_held_against_the_loss_and_not_against_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fpstudy.claims import identities

    off = identities._form

    def shifted(form: str, x: Any, q: Any) -> list[Any]:
        return [value + 2.0**-70 for value in off(form, x, q)]

    monkeypatch.setattr(identities, "_form", shifted)
    told = check(claim(tmp_path, "gradient", {"form": "p - q"}))
    assert told["verdict"] == "refuted"


def test_the_figure_of_the_jump_is_the_logistic_function(tmp_path: Path) -> None:
    curves = check(claim(tmp_path, "jump", {"betas": [1, 10]}))["figure"]["curves"]
    for beta in (1, 10):
        d, p = (np.asarray(curves[f"beta = {beta}"][axis]) for axis in "xy")
        np.testing.assert_allclose(p, 1 / (1 + np.exp(-beta * d)), rtol=1e-4)
    assert curves["beta = inf: arg max"]["y"] == [0, 0, 0.5, 1, 1]


def test_the_command_shows_the_value(tmp_path: Path) -> None:
    told = check(claim(tmp_path, "exact", CE | {"logits": [-1, 0], "expect": 0}))
    assert told["reproduce"] == (
        "fpstudy exact cross_entropy --logits=-1,0 --labels 0.5,0.5 --dtype float64"
    )


BAD = [  # keys after kind and says, key path, words
    ("", "claim[1].kind", "missing; write kind = "),
    ('kind = "compute"', "claim[1].kind", "did you mean computed?"),
    ("kind = 3", "claim[1].kind", "want the name of a kind of claim, got 3"),
    ('kind = "sum"\nsays = " "', "claim[1].says", "must not be empty"),
    ('kind = "sum"\nverdict = "confirmed"', "claim[1].verdict", "unknown key"),
    ('kind = "order"\nlogits = [1, 2]', "claim[1].larger_get", "missing"),
    ('kind = "order"\nlogits = []\nlarger_get = "larger"', "claim[1].logits", "want 1 to 1,000"),
    ('kind = "order"\nlogits = [1, "two"]\nlarger_get = "larger"', "claim[1].logits[2]",
     "want a number, got the text 'two'"),
    ('kind = "order"\nlogits = [1, nan]\nlarger_get = "larger"', "claim[1].logits[2]",
     "want a number"),
    ('kind = "order"\nlogits = [1, 1e400]\nlarger_get = "larger"', "claim[1].logits[2]",
     "beyond the largest float64"),
    ('kind = "order"\nlogits = [1, 1e5]\ndtype = "float16"\nlarger_get = "larger"',
     "claim[1].logits[2]", "1e5 is beyond the largest float16, 65504"),
    ('kind = "order"\nlogits = [1, 2]\nlarger_get = "larger"\nbase = 0', "claim[1].base",
     "want a finite number above 0"),
    ('kind = "order"\nlogits = [1, 2]\nlarger_get = "larger"\nbase = 2\nbeta = 1',
     "claim[1].beta", "base and beta exclude each other"),
    ('kind = "order"\nlogits = [1, 2]\nlarger_get = "bigger"', "claim[1].larger_get",
     "known: larger, smaller, equal"),
    ('kind = "exact"\nproblem = "sofmax"\nlogits = 1\nexpect = 1', "claim[1].problem",
     "did you mean softmax?"),
    ('kind = "exact"\nproblem = "softmax"\nlogits = [1, 2]\nexpect = 1', "claim[1].expect",
     "softmax gives 2 numbers here, got 1"),
    ('kind = "exact"\nproblem = "cross_entropy"\nlogits = [1, 2]\nexpect = 1', "claim[1]",
     "want either labels or a target"),
    ('kind = "exact"\nproblem = "cross_entropy"\nlogits = [1, 2]\ntarget = 2\nexpect = 1',
     "claim[1].target", "index 2 lies outside 2 logits"),
    ('kind = "exact"\nproblem = "cross_entropy"\nlogits = [1, 2]\nlabels = [1]\nexpect = 1',
     "claim[1].labels", "1 labels for 2 logits"),
    ('kind = "exact"\nproblem = "cross_entropy"\nlogits = [1, 2]\nlabels = [1, -1]\nexpect = 1',
     "claim[1].labels[2]", "must be >= 0"),
    ('kind = "exact"\nproblem = "softmax"\nlogits = 1\ntarget = 0\nexpect = 1',
     "claim[1].target", "softmax has no labels"),
    ('kind = "exact"\nproblem = "logsumexp"\nlogits = 1\nbeta = 2\nexpect = 1', "claim[1].beta",
     "logsumexp takes no beta"),
    ('kind = "exact"\nproblem = "logsumexp"\nlogits = 1\nexpect = 1\ndigits = 0',
     "claim[1].digits", "must be 1 .. 100, got 0"),
    ('kind = "computed"\nproblem = "softmax"\nformula = "shfted"\nlogits = 1\nexpect = 1',
     "claim[1].formula", "did you mean shifted?"),
    ('kind = "computed"\nproblem = "softmax"\nformula = "power"\nlogits = 1\nexpect = 1',
     "claim[1].formula", "power needs base"),
    ('kind = "computed"\nproblem = "softmax"\nformula = "naive"\nlogits = inf\nexpect = 1\n'
     'dtype = "float8_e4m3fn"', "claim[1].logits", "float8_e4m3fn has no infinity"),
    ('kind = "onset"\nproblem = "softmax"\nformula = "naive"\ndtype = "float32"',
     "claim[1].threshold", 'missing; write threshold = "log(largest)", or expect'),
    ('kind = "onset"\nproblem = "softmax"\nformula = "naive"\ndtype = "float32"\n'
     "expect = {float16 = 11}", "claim[1].expect.float16", "not among the dtypes searched"),
    ('kind = "onset"\nproblem = "softmax"\nformula = "naive"\ndtype = "float32"\n'
     "expect = {fp32 = 88}", "claim[1].expect.fp32", "write float32"),
    ('kind = "onset"\nproblem = "softmax"\nformula = "naive"\ndtype = "float32"\nexpect = 88',
     "claim[1].expect", "want a table"),
    ('kind = "threshold"\nof = "exp(x) overflow"', "claim[1].of", "did you mean exp(x) overflows?"),
    ('kind = "threshold"\nof = ["exp(x) is 0", "p rounds to 1"]\nexpect = {float16 = 1}',
     "claim[1].expect", "write a claim for each"),
    ('kind = "threshold"\nof = "exp(x) is 0"\ndigits = 3', "claim[1].digits", "without expect"),
    ('kind = "threshold"\nof = "exp(x) is 0"\ndtype = "float16"\nexpect = {float32 = 1}',
     "claim[1].expect.float32", "not among the dtypes searched"),
    ('kind = "limit"\nlogits = [1, 2]\nbetas = [10, 1]\nto = "arg_max"', "claim[1].betas",
     "want two or more of one sign, growing in size"),
    ('kind = "limit"\nlogits = [1, 2]\nbetas = [-1, 1]\nto = "arg_max"', "claim[1].betas",
     "want two or more of one sign"),
    (f'kind = "jump"\nbetas = {list(range(1, 102))}', "claim[1].betas",
     "want at most 100 curves, got 101"),
    ('kind = "limit"\nlogits = [1, 2]\nbetas = [1, 1e400]\nto = "arg_max"', "claim[1].betas[2]",
     "1e400 is beyond the largest float64"),
    ('kind = "limit"\nlogits = [1, 2]\nbetas = [1, "0x1p99999"]\nto = "arg_max"',
     "claim[1].betas[2]", "0x1p99999 is beyond the largest float64"),
    ('kind = "limit"\nlogits = [1, 2]\nbetas = [1, 1e6]\nto = "arg_max"\ndtype = "float16"',
     "claim[1].betas[2]", "1e6 is beyond the largest float16, 65504"),
    ('kind = "limit"\nlogits = [1, 2]\nbetas = [1, 2]\nto = "arg_max"\nwithin = 1e-9999',
     "claim[1].within", "1e-9999 is not zero but reads as 0.0 in float64"),
    ('kind = "jump"\nbetas = [1, "-0x1p99999"]', "claim[1].betas[2]",
     "-0x1p99999 is beyond the largest float64"),
    ('kind = "equal"\nleft = "softmax"\nright = "softmax.naive"', "claim[1].left",
     "is no problem.formula"),
    ('kind = "equal"\nleft = "softmax.power"\nright = "softmax.naive"', "claim[1].left",
     "power needs base"),
    ('kind = "sum"\nlogits = [1, 2]\nsamples = 3', "claim[1].samples", "has no effect"),
    ('kind = "sum"\nlogits = [1, -inf]', "claim[1].logits[2]", "must be finite"),
    ('kind = "sum"\nmagnitude = 1e5\ndtype = "float16"', "claim[1].magnitude", "far inside"),
    ('kind = "gradient"\nform = "p - q"\ntarget = 1', "claim[1].target", "give logits"),
    ('kind = "differentiable"\nfunction = "max"\nlogits = 1\nexpect = 3', "claim[1].expect",
     "want true or false"),
    ('kind = "jump"\nsize = 65504\ndtype = "float16"', "claim[1].size", "no neighbour above"),
    ('kind = "underflow"\nfunction = "tanh"', "claim[1].function", "known: exp, log"),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "path", "words"), BAD)
def test_mistakes_are_reported_at_the_door(
    tmp_path: Path, keys: str, path: str, words: str
) -> None:
    says = "" if "says" in keys else 'says = "so it is"\n'
    file = tmp_path / "study.toml"
    file.write_text(f"{HEAD}[[claim]]\n{says}{keys}\n")
    with pytest.raises(StudyError, match=r"study\.toml:") as raised:
        load(file)
    (line,) = raised.value.problems
    place, key, sentence = line.removeprefix(f"{file}:").split(": ", 2)
    assert int(place) >= 3
    assert key == path
    assert words in sentence


def test_all_mistakes_are_reported_at_once(tmp_path: Path) -> None:
    file = tmp_path / "study.toml"
    text = claim_text("sum", {"n": 0, "digits": 3}) + claim_text(
        "limit", ORDER | {"betas": [1, "x"]}
    )
    file.write_text(HEAD + text + '[[sweep]]\nproblem = "softmax"\ndtype = "float33"\n')
    with pytest.raises(StudyError, match=r"study\.toml") as raised:
        load(file)
    keys = [line.split(": ")[1] for line in raised.value.problems]
    assert keys == ["claim[1].n", "claim[1].digits", "claim[2].to", "claim[2].betas[2]",
                    "sweep[1].dtype"]  # fmt: skip


def test_a_study_of_claims_alone_runs_and_shows_them(tmp_path: Path) -> None:
    file = tmp_path / "study.toml"
    hostile = (
        '[[claim]]\nkind = "sum"\nsays = "<script>alert(1)</script> | *a*"\nnote = "<b>n</b>"\n'
    )
    file.write_text(HEAD + claim_text("jump", {"betas": [1]}) + hostile)
    done = run(file, tmp_path / "out")
    assert [c["verdict"] for c in done.manifest["claims"]] == ["confirmed", "confirmed"]
    readme, page = ((tmp_path / "out" / name).read_text() for name in ("README.md", "index.html"))
    for text in (readme, page):
        assert "<script>alert" not in text
        assert "<b>" not in text
        assert "The arg max jumps where softmax is smooth" in text
        assert "2 confirmed" in text
    assert "figures/claim_1.svg" in readme
    assert (tmp_path / "out" / "figures" / "claim_1.svg").is_file()
    assert [path.name for path in (tmp_path / "out" / "figures").iterdir()] == ["claim_1.svg"]


def test_the_article_study_gives_these_verdicts() -> None:
    path = Path(__file__).parent.parent / "experiments" / "seed_article.toml"
    told = [check(one) for one in load(path).claim]
    assert {one["verdict"] for one in told} == {"confirmed", "refuted"}
    verdict = {one["says"]: one["verdict"] for one in told}
    assert len(verdict) == len(told)
    for says in (
        "With a base b > 1 larger inputs get smaller outputs",
        "LSE is log-softmax",
        "As beta goes to minus infinity, arg max converges to arg min",
        "The computed outputs of softmax lie in the open interval (0, 1)",
        "log x underflows easily",
    ):
        assert verdict[says] == "refuted"
    for says in (
        "The unstable softmax of [1000, 0] is [nan, 0]",
        "The stable softmax of [1000, 0] is [1, 0]",
        "The unstable cross-entropy of labels [0.5, 0.5] at logits [1000, 0] is inf",
        "The stable cross-entropy of labels [0.5, 0.5] at logits [1000, 0] is 500",
        "The gradient for labels [0.5, 0.5] at logits [1000, 0] is [0.5, -0.5]",
        "The smallest positive float32 is 1.4013e-45",
        "As beta goes to minus infinity, softmax converges to arg min",
    ):
        assert verdict[says] == "confirmed"
