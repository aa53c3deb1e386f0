"""Certified values at a claim's inputs, given or random: their digits and their balls."""

import re
from collections.abc import Iterator
from typing import Any

import flint
import numpy as np

from fpstudy import decimals
from fpstudy.arithmetic import arb
from fpstudy.calculator import Exact, UndecidedError, exact
from fpstudy.distributions import generator
from fpstudy.formats import FORMATS, Floats
from fpstudy.problems import PROBLEMS
from fpstudy.study_file.claims import Drawn, Given, Inputs, Random
from fpstudy.study_file.exact_numbers import rational
from fpstudy.truth import Truth

BITS = 256  # balls of so many bits bear out an equality to 2**-100 with room for cancellation
AGREE = flint.arb((1, -100))  # what two balls of one number may differ by, absolute and relative


def value(claim: Given, dtype: str) -> Exact:
    """The claim's problem at its inputs as the dtype stores them."""
    return exact(
        claim.problem, claim.logits, labels=claim.labels or None, target=claim.target,
        base=claim.base, beta=claim.beta, dtype=dtype,
    )  # fmt: skip


def digits(certain: Exact, count: int) -> list[str]:
    """The components' decimal digits."""
    texts = certain.decimal(count)
    return [texts] if isinstance(texts, str) else texts


def command(problem: str, dtype: str, **options: Any) -> str:
    """The `fpstudy exact` command with options that are given; lists are joined by commas."""
    parts = [f"fpstudy exact {problem}"]
    for name, given in options.items():
        if given is None or given == ():
            continue
        text = ",".join(map(str, given)) if isinstance(given, (tuple, list)) else str(given)
        parts.append(f"--{name}={text}" if text.startswith("-") else f"--{name} {text}")
    return " ".join([*parts, f"--dtype {dtype}"])


def command_of(claim: Inputs, problem: str, dtype: str) -> str:
    """The command for the claim's own inputs; none for random ones."""
    if not claim.logits:
        return ""
    return command(
        problem, dtype, logits=claim.logits, labels=claim.labels, target=claim.target,
        **claim.parameters,
    )  # fmt: skip


def same_digits(text: str, expect: str, count: int) -> bool:
    """Whether a certified decimal of `count` digits is the expected number to as many."""
    if text in ("inf", "-inf", "undefined") or expect in ("inf", "-inf", "nan"):
        return text == {"nan": "undefined"}.get(expect, expect)
    return _parts(text) == _parts(decimals.of_fraction(rational(expect), count))


def _parts(text: str) -> tuple[bool, str, int]:
    """(sign, significant digits, exponent) of a decimal, whose exponent may be a large integer."""
    mantissa, _, exponent = text.partition("e")
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    number = (whole + fraction).lstrip("0")
    if not number:
        return False, "", 0
    short = number.rstrip("0")
    last = int(exponent or 0) - len(fraction) + len(number) - len(short)
    return text.startswith("-"), short, last


def balls_of(truth: Truth) -> list[Any]:
    """The components of one decided truth as Arb balls."""
    parts = (truth.hi, truth.lo, truth.radius, truth.exponent)
    rows = zip(*(part.ravel().tolist() for part in parts), strict=True)
    with arb.precision(BITS):  # hi + lo is exact, and so is its product with a power of two
        return [
            flint.arb(flint.arb(hi) + flint.arb(lo), radius) * flint.arb((1, exponent))
            for hi, lo, radius, exponent in rows
        ]


def run(problem: str, x: Any, q: Any = None, **parameters: float) -> list[Any]:
    """The problem's reference at one vector of exact balls, at the precision set outside."""
    arguments = (x,) if q is None else (x, q)
    exactly = {name: arb.NAMESPACE.asarray(value) for name, value in parameters.items()}
    head, tail = PROBLEMS[problem].reference(arb.NAMESPACE, *arguments, **exactly)
    return list(np.asarray(head + tail, dtype=object).ravel())


def less(a: Any, b: Any) -> bool:
    """Whether a < b, for balls that tell; raises UndecidedError for those that do not."""
    if a < b:
        return True
    if a >= b:
        return False
    raise UndecidedError(f"{BITS} bits do not tell {short(a)} from {short(b)}")


def short(number: Any, count: int = 6) -> str:
    """The midpoint of a ball, for people."""
    text = number.mid().str(count, radius=False)
    return re.sub(r"\.0*(?=e|$)|(\.\d*?[1-9])0*(?=e|$)", r"\1", text)


def draws(claim: Random) -> Floats:
    """(samples, n): the random logits, in the claim's dtype."""
    rng = generator(claim.seed, "claim", "logits", claim.n)
    x = rng.standard_normal((claim.samples, claim.n))
    return FORMATS[claim.dtype].round(FORMATS["float64"].parse(claim.magnitude) * x)


def targets(claim: Random) -> Floats:
    """(samples, n): one-hot labels, a random target each."""
    rng = generator(claim.seed, "claim", "target", claim.n)
    chosen = rng.integers(claim.n, size=(claim.samples, 1))
    return np.where(np.arange(claim.n) == chosen, 1.0, 0.0)


def vectors(claim: Drawn, labels: bool) -> Iterator[tuple[Floats, Floats | None]]:
    """(x, q) of each vector: the given one, or each random one; q is None without labels."""
    parse = FORMATS[claim.dtype].parse
    if not claim.logits:
        x, q = draws(claim), targets(claim) if labels else None
        for i in range(len(x)):
            yield x[i], None if q is None else q[i]
        return
    given = np.asarray([parse(entry) for entry in claim.logits])
    one_hot = (np.arange(len(given)) == claim.target).astype(np.float64)
    own = np.asarray([parse(entry) for entry in claim.labels]) if claim.labels else one_hot
    yield given, own if labels else None


def inputs_text(claim: Drawn) -> str:
    """Where the claim was tried, in words."""
    if claim.logits:
        return vector_text(claim.logits)
    return random_text(claim)


def random_text(claim: Random) -> str:
    """The random inputs, in words."""
    return (
        f"{claim.samples:,} random vectors of {claim.n:,} normal logits, standard deviation"
        f" {claim.magnitude}, stored in {claim.dtype}"
    )


def vector_text(logits: tuple[str, ...]) -> str:
    """The logits as typed."""
    return f"[{', '.join(logits)}]"
