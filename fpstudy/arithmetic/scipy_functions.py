"""SciPy's own functions, as formulas of the numpy arithmetic.

Each is a formula text; SciPy is imported when one is run, and `refusal` says where it cannot be.
"""

from functools import cache
from typing import Any

import numpy as np

from fpstudy.problems.problem import Array, Formula


def softmax(xp: Array, x: Array, *, axis: int = -1) -> Array:
    """scipy.special.softmax(x): exp(x_j - m) / sum_i exp(x_i - m), m = max(x).

    Fails: as shifted: an infinite float16 sum (65,520 equal logits) gives 0; NaN when all logits
    are -inf.

    Source: SciPy.
    """
    from scipy import special

    return special.softmax(x, axis=axis)


def log_softmax(xp: Array, x: Array, *, axis: int = -1) -> Array:
    """scipy.special.log_softmax(x): (x_j - m) - log(sum_i exp(x_i - m)), m = max(x).

    Fails: the top class gives 0 once the other terms round away beside 1; -inf where a float16 sum
    overflows (65,520 equal logits).

    Source: SciPy; scipy issue 19521.
    """
    from scipy import special

    return special.log_softmax(x, axis=axis)


def logsumexp(xp: Array, x: Array, *, axis: int = -1) -> Array:
    """scipy.special.logsumexp(x): m + log(c) + log1p(s / c), c the number of x_i = m = max(x).

    s = sum_{x_i < m} exp(x_i - m). Before SciPy 1.15 it was m + log(sum_i exp(x_i - m)).

    Fails: near 0, where m cancels the rest; infinite where the float16 count of ties overflows
    (65,520 equal logits); bfloat16 and float8 are returned in wider types.

    Source: SciPy.
    """
    from scipy import special

    return special.logsumexp(x, axis=axis)


LIBRARY: dict[str, dict[str, Formula]] = {
    "softmax": {"library": Formula(softmax, special=True)},
    "log_softmax": {"library": Formula(log_softmax, special=True)},
    "logsumexp": {"library": Formula(logsumexp, special=True)},
}


@cache
def refusal(problem: str, native: np.dtype[Any]) -> str | None:
    """Why SciPy's function of the problem gives no results in a dtype here; None where it does.

    It is tried on two zeros: SciPy answers in a wider type where it lacks the one that came in.
    """
    try:
        from scipy import special
    except ModuleNotFoundError:
        return "scipy is not installed: pip install 'fpstudy[scipy]'"
    except (ImportError, OSError) as error:  # there, but a shared library of it is not
        return f"scipy.special cannot be imported: {error}"
    try:
        with np.errstate(all="ignore"):
            y = getattr(special, problem)(np.zeros((1, 2), native), axis=-1)
    except TypeError:  # so SciPy 1.15
        return f"scipy.special.{problem} takes no {native}"
    return None if y.dtype == native else f"scipy.special.{problem} returns {y.dtype} for {native}"
