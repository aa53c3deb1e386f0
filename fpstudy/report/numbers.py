"""Numbers as a reader meets them: three significant digits, inf spelled out, a dash for none."""

import math

NONE = "\N{EN DASH}"


def number(x: float | None) -> str:
    """x to three significant digits: 0.125, 12.5, 9.77e-04, inf; an en dash where there is none."""
    if x is None or math.isnan(x):
        return NONE
    if math.isinf(x) or x == 0:
        return "0" if x == 0 else ("inf" if x > 0 else "-inf")
    if 1e-3 <= abs(x) < 999.5:
        return f"{x:.3g}"
    return f"{x:.0f}" if abs(x) < 1e4 and x == round(x) else f"{x:.2e}"


def magnitude(x: float | None) -> str:
    """x as on an axis: 0.01, 3.16, 1000, 1e4."""
    if x is None or not math.isfinite(x) or x == 0:
        return number(x)
    text = f"{x:.3g}"
    if 1e-3 <= abs(x) < 9999.5:
        return f"{float(text):g}"
    mantissa, _, exponent = f"{x:.2e}".partition("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"


def bits(x: float | None) -> str:
    """Bits kept to one decimal, the precision at which they mean something."""
    return NONE if x is None or math.isnan(x) else f"{x:.1f}".removesuffix(".0")


def count(n: float) -> str:
    """A whole number with its thousands apart."""
    return f"{int(n):,}"


def share(part: float, whole: float) -> str:
    """part / whole in percent; "0%" and "100%" are said only of none and of all."""
    if whole <= 0:
        return NONE
    percent = 100 * part / whole
    if percent in (0, 100):
        return f"{percent:.0f}%"
    if percent < 0.1:
        return "< 0.1%"
    return "> 99.9%" if percent > 99.9 else f"{percent:.1f}%" if percent < 10 else f"{percent:.3g}%"
