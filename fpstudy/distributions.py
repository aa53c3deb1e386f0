"""Distributions of logits, each with a magnitude M."""

import hashlib
from collections.abc import Callable

import numpy as np

from fpstudy.formats import Floats


def generator(seed: int, *key: object) -> np.random.Generator:
    """The random stream of a key: the same whatever else a study holds, and in any order."""
    digest = hashlib.sha256(repr(key).encode()).digest()
    words = np.frombuffer(digest, dtype="<u4").tolist()
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *words])))


def normal(rng: np.random.Generator, shape: tuple[int, ...], M: float) -> Floats:
    """Normal with mean 0; M is the standard deviation."""
    return M * rng.standard_normal(shape)


def uniform(rng: np.random.Generator, shape: tuple[int, ...], M: float) -> Floats:
    """Uniform on [-M, M]."""
    return M * (2 * rng.random(shape) - 1)


def equal(rng: np.random.Generator, shape: tuple[int, ...], M: float) -> Floats:
    """M everywhere."""
    return np.full(shape, M)


def two_point(rng: np.random.Generator, shape: tuple[int, ...], M: float) -> Floats:
    """[M, 0, ..., 0]; M is the gap of the top class."""
    x = np.zeros(shape)
    x[..., 0] = M
    return x


def peaked(rng: np.random.Generator, shape: tuple[int, ...], M: float) -> Floats:
    """Standard normal, and M more at one random entry: a classifier sure by about M."""
    x = rng.standard_normal(shape)
    k = rng.integers(shape[-1], size=shape[:-1])[..., None]
    return x + np.where(np.arange(shape[-1]) == k, M, 0.0)


DISTRIBUTIONS: dict[str, Callable[[np.random.Generator, tuple[int, ...], float], Floats]] = {
    "normal": normal,
    "uniform": uniform,
    "equal": equal,
    "two_point": two_point,
    "peaked": peaked,
}
DETERMINISTIC = ("equal", "two_point")  # and explicit vectors: all samples are alike
