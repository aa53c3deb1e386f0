"""Laws for choosing a dtype, each judged anew from the summary of a study that could refute it.

What does not satisfy its own rule is said to be not supported, and never dropped; what no report
has the cases for is only counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fpstudy.report.formats import formats_of
from fpstudy.report.laws.dtypes import LIBRARY_DECIDES, RANGE_OR_DIGITS
from fpstudy.report.laws.formulas import (
    FORMULA_FIXES_OFFSETS,
    FORMULA_FIXES_TAILS,
    FORMULA_OUTLASTS_DTYPE,
)
from fpstudy.report.laws.law import Law, Measured, measured_rows
from fpstudy.report.laws.storage import (
    CENTRE_BEFORE_STORING,
    ROUND_ONCE,
    STORAGE_FIXES_MAGNITUDE,
)
from fpstudy.report.laws.sums import ACCUMULATOR_FIXES_N, FLOAT16_CANNOT_COUNT
from fpstudy.report.numbers import count
from fpstudy.report.sweeps import Study

LAWS: tuple[Law, ...] = (
    ACCUMULATOR_FIXES_N,
    FORMULA_FIXES_TAILS,
    FORMULA_FIXES_OFFSETS,
    STORAGE_FIXES_MAGNITUDE,
    CENTRE_BEFORE_STORING,
    ROUND_ONCE,
    FORMULA_OUTLASTS_DTYPE,
    RANGE_OR_DIGITS,
    LIBRARY_DECIDES,
    FLOAT16_CANNOT_COUNT,
)


@dataclass(frozen=True)
class Judged:
    """A law with its measurements, and whether all of them satisfy its rule."""

    law: Law
    measured: list[Measured]

    @property
    def supported(self) -> bool:
        """Whether no measurement speaks against the law."""
        return all(one.holds for one in self.measured)

    @property
    def samples(self) -> str:
        """How many vectors stand behind all measurements."""
        return count(sum(one.samples for one in self.measured))


@dataclass(frozen=True)
class Verdicts:
    """All laws, by what became of them."""

    supported: list[Judged]
    unsupported: list[Judged]
    missing: list[Law]

    @property
    def count(self) -> int:
        """How many laws there are."""
        return len(self.supported) + len(self.unsupported) + len(self.missing)


def laws(studies: Sequence[Study]) -> Verdicts:
    """Every law judged from these studies; missing are those that none of them has cases for."""
    tables = {
        study.folder: measured_rows(study.summary, formats_of(study.manifest, study.summary))
        for study in studies
    }
    judged = [Judged(law, list(law.measure(tables))) for law in LAWS]
    known = [one for one in judged if one.measured]
    return Verdicts(
        [one for one in known if one.supported],
        [one for one in known if not one.supported],
        [one.law for one in judged if not one.measured],
    )
