"""What the words of a report mean: the same entries on every page."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Term:
    """A word and what it means here."""

    word: str
    meaning: str


TERMS: tuple[Term, ...] = (
    Term(
        "relative error",
        "|y - t| / |t| of the computed y against the exact result t at the inputs as stored; below "
        "the least normal number of the dtype that number stands in for |t|. NaN and a spurious "
        "infinity count as an infinite error, never as a missing one.",
    ),
    Term(
        "u, ulp",
        "u = 2^-p is the unit roundoff of a dtype with p bits of precision: the largest relative "
        "error of rounding once. An ulp is the spacing of the dtype's numbers at the exact result; "
        "a correctly rounded result is off by at most half of one.",
    ),
    Term(
        "bits kept",
        "p - log2(2 E) for an error of E ulps, between 0 and p: how many of the dtype's p bits "
        "the worst component of the worst sample still has right. NaN, a spurious infinity and a "
        "spurious zero keep none. Honest zeros are results so small that zero is the correctly "
        "rounded answer: they keep all bits, so their share stands beside.",
    ),
    Term(
        "sum error, total variation, KL divergence",
        "how far a computed softmax y is from the exact t as a distribution: |sum y - 1|; half of "
        "sum |y - t|, the most by which y misstates the probability of any set of classes where "
        "it sums to 1; and sum (y log(y / t) - y + t), in nats, which is KL(y || t) there. Each "
        "is infinite for a sample with NaN or infinity; summary.csv has the largest of a case.",
    ),
    Term(
        "mass lost, top-1 flip",
        "the mass lost is the exact probability of all classes together that were computed as "
        "zero, be it the correctly rounded answer or not. The top class of a sample flips where "
        "the largest computed probability, the first of several, is not at a class with the "
        "largest exact one; top1_flips in summary.csv counts such samples.",
    ),
    Term(
        "largest magnitude without failure",
        "the largest measured magnitude M such that no sample failed at any measured magnitude up "
        "to M, over all n, offsets and targets of the study. It is what these samples showed. "
        "Other inputs of the same magnitude may fail: a maximum over N samples is never a bound.",
    ),
    Term(
        "failure",
        "a result that a user would call broken: NaN or infinity where the exact result is a "
        "number of the dtype, zero where it is not zero, the other sign, a number where the result "
        "should be infinite. Zeros in place of subnormal numbers are counted apart, as lost "
        "subnormals. Undecided and not run are no failures, and are always shown.",
    ),
    Term(
        "formula to use",
        "the one with the largest magnitude without failure; among equals the one that keeps more "
        "bits (the median over those magnitudes), then the one with the smaller error.",
    ),
    Term(
        "dtype, arithmetic, accumulation",
        "the dtype is how numbers are stored, the arithmetic is what computed with them, the "
        "accumulation is how it summed: in which order, and in which format where that is a wider "
        "one. Native is as the library's own kernel sums, exact is rounded once. The same dtype "
        "gives other errors with another arithmetic or accumulation.",
    ),
)
