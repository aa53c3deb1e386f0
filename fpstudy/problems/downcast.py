"""Logits stored in a narrower format before use: as they are, centred, or scaled.

The formulas run in the format of the study, usually float32; what they store in between is an
option, such as float8_e4m3fn. Their error is that of the storage and of all that follows.

Source of the scaled forms: P. Micikevicius et al., FP8 formats for deep learning,
arXiv:2209.05433; OCP Microscaling Formats (MX) 1.0 for blocks of 32.
"""

from fpstudy.formats import FORMATS
from fpstudy.problems.computing import dtype
from fpstudy.problems.problem import Array


def stored(xp: Array, x: Array, name: str) -> Array:
    """x rounded to the format `name` and back, as the library casts; overflow as it has it."""
    return xp.astype(xp.astype(x, dtype(xp, name)), x.dtype)


def scaled(xp: Array, x: Array, name: str, axis: int | None) -> Array:
    """Stored as x 2**k and divided by 2**k; k the largest with max|x| 2**k within the format.

    2**k itself stays within the format too, so that tiny x do not overflow it. k is found in
    float32, as the scales of libraries are; a format of float32's range needs no scale.

    axis: None for one scale for all of x (per tensor), or the axis along which blocks lie.
    """
    if FORMATS[name].emax >= FORMATS["float32"].emax:
        return stored(xp, x, name)
    keep = {} if axis is None else {"axis": axis, "keepdims": True}
    finite = xp.where(xp.isfinite(x), xp.abs(x), xp.zeros_like(x))
    most = xp.astype(xp.max(finite, **keep), xp.float32)
    most = xp.where(most > 1, most, xp.ones_like(most))
    largest = xp.asarray(FORMATS[name].largest, dtype=xp.float32)
    scale = xp.astype(2 ** xp.floor(xp.log2(largest / most)), x.dtype)
    return stored(xp, x * scale, name) / scale


def scaled_by_blocks(xp: Array, x: Array, name: str, block: int) -> Array:
    """The last axis in blocks of `block`, each with a scale of its own; a short one at the end."""
    parts = [
        scaled(xp, x[..., start : start + block], name, axis=-1)
        for start in range(0, x.shape[-1], block)
    ]
    return xp.concat(parts, axis=-1)
