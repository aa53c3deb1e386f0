"""Double words: pairs (h, l) of float64 that stand for their exact sum, on whole arrays.

h = fl(h + l), so |l| <= u |h| with u = 2**-53. Every function is a fixed sequence of float64
operations rounded to nearest even: the same bits on every machine, as long as nothing overflows
and no error term underflows, which the callers' ranges see to. The exact transformations are

    Knuth's 2Sum (TAOCP 4.2.2, theorem B), Dekker's Fast2Sum and product (Numer. Math. 18, 1971),

and the bounds are theorems of

    Joldes, Muller & Popescu, Tight and rigorous error bounds for basic building blocks of
    double-word arithmetic, ACM TOMS 44 (2017), doi:10.1145/3121432.
"""

from typing import Any

Pair = tuple[Any, Any]
_SPLITTER = 2.0**27 + 1  # Veltkamp: two halves of at most 26 bits each


def two_sum(a: Any, b: Any) -> Pair:
    """s + e = a + b exactly, s = fl(a + b)."""
    s = a + b
    back = s - a
    return s, (a - (s - back)) + (b - back)


def fast_two_sum(a: Any, b: Any) -> Pair:
    """s + e = a + b exactly, for |a| >= |b| or a = 0."""
    s = a + b
    return s, b - (s - a)


def split(a: Any) -> Pair:
    """a = h + l exactly, each of at most 26 bits, for |a| < 2**996."""
    c = _SPLITTER * a
    h = c - (c - a)
    return h, a - h


def two_product(a: Any, b: Any) -> Pair:
    """p + e = a b exactly, p = fl(a b), for |a b| of 2**-900 to 2**990, or 0."""
    p = a * b
    ah, al = split(a)
    bh, bl = split(b)
    return p, ((ah * bh - p) + ah * bl + al * bh) + al * bl


def square(a: Any) -> Pair:
    """p + e = a**2 exactly, p = fl(a**2), in the range of two_product."""
    p = a * a
    h, l = split(a)
    return p, ((h * h - p) + 2 * h * l) + l * l


def add_pairs(x: Pair, y: Pair) -> Pair:
    """x + y, off by at most 3 u**2 + 13 u**3 relative (algorithm 6), whatever the signs."""
    s, e = two_sum(x[0], y[0])
    t, f = two_sum(x[1], y[1])
    s, e = fast_two_sum(s, e + t)
    return fast_two_sum(s, e + f)


def add_pairs_and_rest(x: Pair, y: Pair) -> tuple[Any, Any, Any]:
    """x + y = h + l + r exactly up to 4 u**2 |l|: h = fl(h + l), and r what the pair leaves out.

    Three exact sums, of which only the two error terms of the second word are added in float64:
    their sum r is off by u |r|, and |r| <= 4 u |l| + 2**-1074.
    """
    s, e = two_sum(x[0], y[0])
    t, f = two_sum(x[1], y[1])
    c, first = two_sum(e, t)
    s, c = two_sum(s, c)
    d, second = two_sum(c, f)
    h, l = two_sum(s, d)
    return h, l, first + second


def multiply_pairs(x: Pair, y: Pair) -> Pair:
    """x y, off by at most 7 u**2 relative (algorithm 10)."""
    p, e = two_product(x[0], y[0])
    return fast_two_sum(p, e + (x[0] * y[1] + x[1] * y[0]))


def divide_pairs(x: Pair, y: Pair) -> Pair:
    """x / y, off by at most 15 u**2 + 56 u**3 relative (algorithm 17)."""
    q = x[0] / y[0]
    p, e = two_product(q, y[0])
    p, f = fast_two_sum(p, q * y[1])
    p, f = fast_two_sum(p, f + e)
    return fast_two_sum(q, ((x[0] - p) + (x[1] - f)) / y[0])
