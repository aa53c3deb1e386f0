"""Faults that people really make in truth and scoring, each of which turns the suite red.

    python -m tests.planted_faults              plants them one at a time in copies of the checkout
    python -m tests.planted_faults NAME ...     these only
    python -m tests.planted_faults --list       says what they are

A fault that no test sees is a gap in the suite: write the test, not another fault.
"""

from . import in_arithmetic, in_checks, in_inputs, in_scoring, in_tables, in_truth
from .fault import Fault

# The road of a number: inputs, the truth, what carries formulas out, scores, checks, tables.
FAULTS: tuple[Fault, ...] = (
    *in_inputs.FAULTS,
    *in_truth.FAULTS,
    *in_arithmetic.FAULTS,
    *in_scoring.FAULTS,
    *in_checks.FAULTS,
    *in_tables.FAULTS,
)

__all__ = ["FAULTS", "Fault"]
