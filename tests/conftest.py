"""What must hold before any test imports a library."""

import os

import pytest

# XLA reads it when jax first computes: a test that comes later cannot give jax one thread.
os.environ["PJRT_NPROC"] = "1"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--kills", type=int, default=50, metavar="N",
        help="how many random kills of runs and of their processes tests/test_kills.py makes (50)",
    )  # fmt: skip
