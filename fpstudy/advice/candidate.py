"""What could be advised: a storage dtype, an accumulation and a formula, and what they cost."""

from dataclasses import dataclass

from fpstudy.arithmetic.numpy import DTYPES
from fpstudy.cases import Case
from fpstudy.formats import FORMATS, Format
from fpstudy.problems.problem import options_of


@dataclass(frozen=True)
class Candidate:
    """A way to compute the problem.

    dtype:       the format of logits, labels and results
    formula:     with its options, as "shifted[compute=float32]"
    bytes:       of one stored number
    accumulator: the format that sums are added up in
    """

    dtype: str
    arithmetic: str
    accumulation: str
    formula: str
    bytes: int
    accumulator: str

    @property
    def cost(self) -> tuple[int, int]:
        """Bytes stored, then bytes of the accumulator: less is cheaper."""
        return self.bytes, DTYPES[self.accumulator].itemsize


def candidate(case: Case) -> Candidate:
    """The candidate that a case tries."""
    return Candidate(
        case.format.name,
        case.arithmetic,
        case.accumulation,
        case.formula,
        DTYPES[case.format.name].itemsize,
        _accumulator(case),
    )


def _accumulator(case: Case) -> str:
    """The format of the sums.

    NumPy adds float16 along the last axis in float32, and the kernels of torch and jax all that has
    16 bits; ml_dtypes, which is NumPy's bfloat16 and float8, adds in the format itself.
    """
    _, _, wider = case.accumulation.partition(":")
    if wider:
        return wider
    options = options_of(case.formula)
    named = (options.get("state"), options.get("compute"))
    within = next((name for name in named if name in FORMATS), case.format.name)
    native = case.accumulation == "native"
    widens = within == "float16" or (within == "bfloat16" and case.arithmetic != "numpy")
    return "float32" if native and widens else within


def narrows(case: Case) -> bool:
    """Whether the case computes in a format that does not hold its own: no upcast, but a loss."""
    compute = options_of(case.formula).get("compute")
    return compute in FORMATS and not _holds(FORMATS[compute], case.format)


def _holds(wide: Format, f: Format) -> bool:
    """Whether wide has more precision than f and every binade of it."""
    more = wide.precision > f.precision
    return more and wide.emax >= f.emax and wide.emin <= f.emin
