"""The pocket calculator: one certified value, to any number of digits.

The inputs are read as exact numbers and rounded once to the format in which they are stored; the
value is the exact one at the stored inputs.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from fpstudy import decimals
from fpstudy.arithmetic import arb
from fpstudy.formats import FORMATS, Format
from fpstudy.inputs import Inputs
from fpstudy.limits import limit
from fpstudy.problems import PROBLEMS, Problem
from fpstudy.rounding import round_truth
from fpstudy.samples import refusal
from fpstudy.truth import CAP_BITS, State, Truth, cells_of, enclose

Number = float | int | str | Fraction
MAX_DIGITS = 30_000  # CAP_BITS bits are 39,000 digits
MOST_SHOWN = 8  # logits of a value that is shown with its components in every format


class UndecidedError(ArithmeticError):
    """The precision cap was met before the digits asked for were decided."""


@dataclass(frozen=True, repr=False)
class Exact:
    """The exact value of a problem at stored inputs.

    problem, dtype: as asked for
    inputs:         the stored inputs
    truth:          enclosures of the components, (1, n) or (1,)
    """

    problem: str
    dtype: str
    inputs: Inputs
    truth: Truth

    def decimal(self, digits: int = 17) -> str | list[str]:
        """The value correctly rounded to so many significant digits; a list for a vector.

        "undefined" where there is no value. Raises ValueError for digits outside 1 .. 30,000 and
        UndecidedError where the cap of 2**17 bits does not decide them.
        """
        return self.decimal_and_bits(digits)[0]

    def decimal_and_bits(self, digits: int = 17) -> tuple[str | list[str], int]:
        """The digits, and the working precision that decided the last component."""
        if not isinstance(digits, int) or not 1 <= digits <= MAX_DIGITS:
            raise ValueError(f"digits: want 1 to {MAX_DIGITS:,}, got {digits!r}")
        known, missing = _settled(PROBLEMS[self.problem], self, digits)
        bits = self._climb(known, missing, digits)
        if missing:
            raise UndecidedError(
                f"{self.problem}, component {min(missing)}: {digits} digits are not decided by"
                f" {CAP_BITS:,} bits"
            )
        texts = [known[j] for j in range(self.truth.hi.size)]
        return (texts if self.truth.hi.ndim > 1 else texts[0]), max(bits // 2, arb.first_bits(0))

    def digits_of(self, components: Collection[int], digits: int) -> dict[int, str]:
        """The same digits of some components; "undecided" where the cap of 2**17 bits is met.

        The enclosure alone decides most, at no further cost however long the vector is.
        """
        settled, missing = _settled(PROBLEMS[self.problem], self, digits, set(components))
        known = {j: settled[j] for j in components if j in settled}
        for j in sorted(missing):
            text = _enclosed(self.truth[0], j, digits)
            if text is not None:
                known[j] = text
                missing.discard(j)
        self._climb(known, missing, digits)
        return known | dict.fromkeys(missing, "undecided")

    def _climb(self, known: dict[int, str], missing: set[int], digits: int) -> int:
        """Move what Arb decides from `missing` to `known`; twice the precision that did it."""
        bits = arb.first_bits(0)
        while missing and bits <= CAP_BITS:
            for j, (head, tail) in enumerate(_parts(PROBLEMS[self.problem], self.inputs, bits)):
                text = decimals.of_sum(head, tail, digits, bits) if j in missing else None
                if text is not None:
                    known[j] = text
                    missing.discard(j)
            bits *= 2
        return bits

    def __repr__(self) -> str:
        """What `fpstudy exact` prints, of a value with few components and inputs."""
        x = self.inputs.x[0]
        said = f"{self.problem} at {x.size:,} logits stored in {self.dtype}"
        if x.size <= MOST_SHOWN and (self.truth.state != State.UNDECIDED).all():
            try:
                return text(show(self, 17))
            except UndecidedError:
                return f"<{said}: not decided>"
        return f"<{said}: see decimal(digits) and rounded()>"

    def rounded(self) -> dict[str, list[float]]:
        """The correctly rounded value in every format, each a list of the components.

        Raises UndecidedError where the enclosure does not decide one.
        """
        if (self.truth.state == State.UNDECIDED).any():
            raise UndecidedError(f"{self.problem}: not decided by {CAP_BITS:,} bits")
        return {
            name: round_truth(self.truth, f).nearest.ravel().tolist() for name, f in FORMATS.items()
        }


def exact(
    problem: str,
    logits: Sequence[Number] | Sequence[Sequence[Number]],
    *,
    labels: Sequence[Number] | Sequence[Sequence[Number]] | None = None,
    target: int | Sequence[int] | None = None,
    base: Number | None = None,
    beta: Number | None = None,
    reduction: str = "none",
    ignore_index: int = -100,
    dtype: str = "float64",
) -> Exact:
    """The exact value of a problem at the inputs as `dtype` stores them.

    logits:    one vector, or with reduction "mean" or "sum" a batch of vectors
    labels:    label vectors in the shape of the logits; or
    target:    the index of the one-hot label of each vector; counted from the end if negative,
               as Python does
    base, beta: parameters of softmax
    Texts are read as exact decimal or hex numbers, floats as they are. Raises ValueError naming
    the value and the allowed ones.
    """
    chosen, f = _known(problem, dtype)
    x = _stored(logits, f, "logits")
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"no reduction {reduction!r}; known: none, mean, sum")
    if reduction != "none" and not chosen.reductions:
        raise ValueError(f"{problem} has no reduction; only cross_entropy does")
    if reduction == "none" and len(x) != 1:
        wanted = 'reduction "mean" or "sum"' if chosen.reductions else "one vector at a time"
        raise ValueError(f"several vectors of logits: {problem} takes {wanted}")
    q, counted = _labels(chosen, x, labels, target, ignore_index, f)
    parameters = _parameters(chosen, base, beta, f)
    if reduction == "none":
        inputs = Inputs(x, q, parameters)
        if counted is not None and not counted.all():
            raise ValueError("ignore_index needs reduction mean or sum")
    else:
        rows = None if counted is None else counted[None]
        inputs = Inputs(x[None], None if q is None else q[None], parameters, rows, reduction)
    reason = refusal(inputs, f)
    if reason is not None:
        raise ValueError(reason)
    return Exact(problem, dtype, inputs, enclose(chosen, inputs))


def _known(problem: str, dtype: str) -> tuple[Problem, Format]:
    if problem not in PROBLEMS:
        raise ValueError(f"no problem {problem!r}; known: {', '.join(PROBLEMS)}")
    if dtype not in FORMATS:
        raise ValueError(f"no dtype {dtype!r}; known: {', '.join(FORMATS)}")
    return PROBLEMS[problem], FORMATS[dtype]


def store(value: Number, f: Format, what: str) -> float:
    """One number rounded once to the format; an infinity stays one, NaN is refused."""
    try:
        exact = value if isinstance(value, str) else _exact_text(value)
        stored = f.parse(exact)
    except (ValueError, TypeError):
        raise ValueError(f"{what}: {value!r:.80} is not a number") from None
    if exact.strip().lower().lstrip("+-") in ("inf", "infinity"):
        return float(exact)
    if not math.isfinite(stored):
        raise ValueError(f"{what}: {value!s:.80} is beyond the largest {f.name}, {f.largest:.6g}")
    return stored


def _exact_text(value: object) -> str:
    """A number as a text that means exactly it."""
    if isinstance(value, Fraction):
        return f"{value}"
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.number)):
        raise TypeError
    if isinstance(value, (int, np.integer)):
        return hex(int(value))
    return float(value).hex().replace("nan", "not a number")


def _stored(values: Any, f: Format, what: str) -> np.ndarray:
    """(rows, n) of stored numbers."""
    sequences = (list, tuple, np.ndarray)
    if not isinstance(values, sequences) or np.ndim(np.asarray(values, dtype=object)) == 0:
        raise ValueError(f"{what}: want a list of numbers, got {values!r:.80}")
    rows = list(values)
    if not rows:
        raise ValueError(f"{what}: want at least one number")
    if not any(isinstance(row, sequences) for row in rows):
        rows = [rows]
    if not all(isinstance(row, sequences) for row in rows):
        raise ValueError(f"{what}: want vectors, or one vector, of numbers")
    if len({len(row) for row in rows}) != 1 or len(rows[0]) == 0:
        raise ValueError(f"{what}: want vectors of one length, got {[len(row) for row in rows]}")
    return np.asarray([[store(value, f, what) for value in row] for row in rows])


def _labels(
    problem: Problem, x: np.ndarray, labels: Any, target: Any, ignore_index: int, f: Format
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Labels in the shape of x, and which rows count."""
    if not problem.labels:
        if labels is not None or target is not None:
            raise ValueError(f"{problem.name} takes no labels and no target")
        return None, None
    if not isinstance(ignore_index, int):
        raise ValueError(f"ignore_index: want an integer, got {ignore_index!r}")
    if (labels is None) == (target is None):
        raise ValueError(f"{problem.name} needs either labels or a target")
    rows, n = x.shape
    if labels is not None:
        q = _stored(labels, f, "labels")
        if q.shape != x.shape:
            raise ValueError(f"labels of shape {q.shape} for logits of shape {x.shape}")
        if not np.isfinite(q).all() or (q < 0).any():
            raise ValueError("labels must be finite and at least 0")
        return q, np.ones(rows, dtype=bool)
    given = list(target) if isinstance(target, (list, tuple, np.ndarray)) else [target]
    if not all(isinstance(k, (int, np.integer)) and not isinstance(k, bool) for k in given):
        raise ValueError(f"target: want an index for each vector, got {target!r:.80}")
    if len(given) != rows:
        raise ValueError(f"{len(given)} targets for {rows} vectors of logits")
    for k in given:
        if k != ignore_index and not -n <= k < n:
            raise ValueError(f"target {k} is outside the {n} logits: want 0 to {n - 1}")
    counted = np.asarray([k != ignore_index for k in given])
    one_hot = [[float(k != ignore_index and j == k % n) for j in range(n)] for k in given]
    return np.asarray(one_hot), counted


def _parameters(
    problem: Problem, base: Number | None, beta: Number | None, f: Format
) -> dict[str, float]:
    given = {name: v for name, v in (("base", base), ("beta", beta)) if v is not None}
    for name in given:
        if name not in problem.parameters:
            raise ValueError(f"{problem.name} takes no {name}; only softmax does")
    if len(given) == 2:
        raise ValueError("base and beta exclude each other: b = exp(beta)")
    stored = {name: store(value, f, name) for name, value in given.items()}
    if not 0 < stored.get("base", 1.0) < np.inf:
        raise ValueError(f"base: want a finite number above 0, got {base} (in {f.name})")
    return stored


def _settled(
    problem: Problem, value: Exact, digits: int, wanted: set[int] | None = None
) -> tuple[dict[int, str], set[int]]:
    """Components whose digits need no ball (exact, infinite, undefined, rational); the others.

    wanted: the components to look at; all by default
    """
    t, known = value.truth[0], {}
    wanted = set(range(t.hi.size)) if wanted is None else wanted
    states, his = np.atleast_1d(t.state), np.atleast_1d(t.hi)
    los, exponents, radii = (np.atleast_1d(part) for part in (t.lo, t.exponent, t.radius))
    for j in sorted(wanted):
        state = states[j]
        if state == State.UNDEFINED:
            known[j] = "undefined"
        elif np.isinf(his[j]):
            known[j] = "inf" if his[j] > 0 else "-inf"
        elif state == State.DECIDED and radii[j] == 0:
            two = Fraction(2) ** int(exponents[j])
            known[j] = decimals.of_fraction((Fraction(his[j]) + Fraction(los[j])) * two, digits)
    ordinary = limit(problem, value.inputs).ordinary[0]
    if problem.rational is not None and value.inputs.parameters and ordinary:
        ratios = problem.rational(value.inputs.x[0].tolist(), **value.inputs.parameters)
        if ratios is not None:
            numerators, total = ratios
            known = {
                j: decimals.of_fraction(Fraction(numerators[j], total), digits)
                for j in sorted(wanted)
            }
    return known, wanted - set(known)


def _enclosed(t: Truth, j: int, digits: int) -> str | None:
    """The digits to which all numbers of component j's enclosure round, if they agree on them."""
    hi, lo, exponent, radius, state = (
        part.ravel()[j] for part in (t.hi, t.lo, t.exponent, t.radius, t.state)
    )
    if state != State.DECIDED or abs(int(exponent)) > decimals.MOST_EXPONENT:
        return None
    middle, two = Fraction(float(hi)) + Fraction(float(lo)), Fraction(2) ** int(exponent)
    ends = (two * (middle + side * Fraction(float(radius))) for side in (-1, 1))
    low, high = (decimals.of_fraction(end, digits, True) for end in ends)
    return low if low == high else None


def _parts(problem: Problem, inputs: Inputs, bits: int) -> list[tuple[Any, Any]]:
    """Head and tail of each component as Arb balls, at one precision."""
    bounded = limit(problem, inputs)
    parameters = inputs.parameters if bounded.ordinary[0] else {}
    bounded_inputs = replace(inputs, x=bounded.x, parameters=parameters)
    with arb.precision(bits):
        heads, tails = cells_of(problem, bounded_inputs, arb.NAMESPACE)
        return list(zip(heads.ravel(), tails.ravel(), strict=True))


def show(value: Exact, digits: int) -> dict[str, Any]:
    """What there is to say of a value, as JSON has it: inputs in hex, digits, bits, roundings."""
    texts, bits = value.decimal_and_bits(digits)
    inputs, x = value.inputs, value.inputs.x[0]
    stored: dict[str, Any] = {"logits": _hex(x)}
    if inputs.q is not None:
        stored["labels"] = _hex(inputs.q[0])
    stored |= {name: float(v).hex() for name, v in inputs.parameters.items()}
    return {
        "problem": value.problem,
        "dtype": value.dtype,
        "inputs": stored,
        "value": texts,
        "digits": digits,
        "bits": bits,
        "rounded": {
            name: [{"hex": float(v).hex(), "decimal": repr(v)} for v in rounded]
            for name, rounded in value.rounded().items()
        },
    }


def _hex(x: Any) -> Any:
    return [_hex(row) for row in x] if np.ndim(x) else float(x).hex()


def text(shown: dict[str, Any]) -> str:
    """The same for people."""
    lines = [f"{shown['problem']} at inputs stored in {shown['dtype']}"]
    for name, stored in shown["inputs"].items():
        lines.append(f"  {name:<8}{_row(stored)}")
    several = isinstance(shown["value"], list)
    values = shown["value"] if several else [shown["value"]]
    index = [f"[{j}]" if several else "" for j in range(len(values))]
    lines.append(f"exact value to {shown['digits']} digits (proven at {shown['bits']} bits)")
    lines += [
        f"  {j:<5}{value}" if several else f"  {value}"
        for j, value in zip(index, values, strict=True)
    ]
    lines.append("correctly rounded")
    for name, rounded in shown["rounded"].items():
        for j, number in zip(index, rounded, strict=True):
            column = f"{j:<5}" if several else ""
            lines.append(f"  {name:<15}{column}{number['decimal']:<26}{number['hex']}")
    return "\n".join(lines)


def _row(stored: Any) -> str:
    if isinstance(stored, str):
        return stored
    rows = stored if isinstance(stored[0], list) else [stored]
    return "; ".join(" ".join(row) for row in rows)
