"""What became of a result: a closed list, tried in order, so that counts always add up.

t is the exact value (or has none), y the computed one, RN(t) the correctly rounded one in the
format. The first line that fits names the outcome.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """One way a result can end; `failure` marks results that a user would call broken."""

    name: str
    letter: str
    meaning: str
    failure: bool = False


OUTCOMES: tuple[Outcome, ...] = (
    Outcome("undefined", "u", "the exact result does not exist, and the formula says NaN"),
    Outcome("finite_for_undefined", "F", "a number where the exact result does not exist", True),
    Outcome("honest_overflow", "o", "infinity (or NaN), as the exact result rounds"),
    Outcome("honest_underflow", "z", "zero, as the exact result, which is not zero, rounds"),
    Outcome("exact", "=", "the exact result itself"),
    Outcome("nan_where_limit_exists", "L", "NaN at infinite inputs where the limit exists", True),
    Outcome("nan", "N", "NaN although the exact result exists", True),
    Outcome("spurious_overflow", "I", "infinity although the exact result fits the format", True),
    Outcome("spurious_underflow", "0", "zero although the exact result does not round to it", True),
    Outcome("missed_overflow", "M", "a number although the exact result rounds to infinity", True),
    Outcome("correctly_rounded", "r", "the number of the format nearest to the exact result"),
    Outcome("faithful", "f", "one of the two numbers of the format around the exact result"),
    Outcome("wrong_sign", "S", "the other sign than the exact result", True),
    Outcome("accurate", "a", "within the study's tolerance in ulps"),
    Outcome("inaccurate", "x", "further from the exact result than the tolerance"),
    Outcome("undecided", "?", "the exact result could not be enclosed narrowly enough"),
    Outcome("skipped", "-", "not run, for the reason given"),
    Outcome("crashed", "C", "the formula raised an error", True),
    Outcome("timeout", "T", "the formula did not finish in time", True),
    Outcome("bad_output", "B", "the formula returned the wrong shape or dtype", True),
)  # fmt: skip

NAMES: tuple[str, ...] = tuple(outcome.name for outcome in OUTCOMES)
FAILURES: tuple[str, ...] = tuple(outcome.name for outcome in OUTCOMES if outcome.failure)
CODE: dict[str, int] = {name: code for code, name in enumerate(NAMES)}
