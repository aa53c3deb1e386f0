"""One thread for everything that computes: how a sum is split between threads changes its bits."""

import os
import sys
import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from threadpoolctl import ThreadpoolController, threadpool_info

from fpstudy.environment.uses import packages, torch

# XLA makes its pool of so many threads when a backend is first used, and it keeps that size.
XLA_THREADS = "PJRT_NPROC"
NOT_PINNED = (
    "jax has computed in this process before, with a pool of threads that it keeps: its results may"
    f" have other bits than with one; start anew, or set {XLA_THREADS}=1 before jax is first used"
)

# Libraries that the one_thread in force limits, by name; finding them takes a millisecond.
_limited: list[dict[str, Any]] = []


@contextmanager
def one_thread(uses: Collection[str] = ()) -> Iterator[None]:
    """BLAS, OpenMP and, where they are used, torch and jax with one thread; afterwards as before.

    Except jax: it keeps the one thread to the end of the process, and cannot be told so once it has
    computed something; then `counts` says "not pinned", and a RuntimeWarning what to do.
    """
    if "jax" in packages(uses):
        bridge = sys.modules.get("jax._src.xla_bridge")
        if bridge is None or not bridge.backends_are_initialized():
            os.environ[XLA_THREADS] = "1"
        elif os.environ.get(XLA_THREADS) != "1":
            warnings.warn(NOT_PINNED, RuntimeWarning, stacklevel=3)  # past contextlib's __enter__
    framework = torch(uses)  # before the limits, so that they reach its OpenMP
    before = 1 if framework is None else framework.get_num_threads()
    try:
        if framework is not None:
            framework.set_num_threads(1)
        pools = ThreadpoolController()
        with pools.limit(limits=1):
            named = enumerate(pools.lib_controllers)
            _limited.append({f"{pool.internal_api} {k}": pool for k, pool in named})
            try:
                yield
            finally:
                _limited.pop()
    finally:
        if framework is not None:
            framework.set_num_threads(before)


def counts(uses: Collection[str] = ()) -> dict[str, str]:
    """How many threads each library would use now, by its name, and the machine's cores."""
    found: dict[str, str] = {"cores": str(os.cpu_count())}
    for pool in threadpool_info():
        found[pool["internal_api"]] = str(pool["num_threads"])
    if (framework := torch(uses)) is not None:
        found["torch"] = str(framework.get_num_threads())
    if "jax" in packages(uses):
        found["jax"] = "1" if os.environ.get(XLA_THREADS) == "1" else "not pinned"
    return found


def limits() -> dict[str, int]:
    """How many threads each library that `one_thread` limits would use now, and torch."""
    pools = _limited[-1] if _limited else {}
    found = {name: pool.get_num_threads() for name, pool in pools.items()}
    if (framework := sys.modules.get("torch")) is not None:
        found["torch"] = framework.get_num_threads()
    return found


def put_back(before: dict[str, int]) -> None:
    """Give the libraries the numbers of threads that `limits` found before."""
    if "torch" in before:  # first: it sets those of its OpenMP too
        sys.modules["torch"].set_num_threads(before["torch"])
    for name, pool in _limited[-1].items() if _limited else ():
        if name in before:
            pool.set_num_threads(before[name])
