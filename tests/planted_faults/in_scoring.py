"""Faults in scores: errors, outcomes, divergences."""

from .fault import Fault

OUTCOME = "tests/test_errors.py::test_outcome"
WORST = "tests/test_yardstick.py::test_a_sample_scores_as_its_worst_component"
DEFINED = "tests/test_divergences.py::test_divergences_are_those_of_the_definitions"

FAULTS: tuple[Fault, ...] = (
    Fault(
        "error_against_the_rounded_value",
        "The error is taken against RN(t): an error of half an ulp may pass as none.",
        "fpstudy/yardstick.py",
        "    hi, least = t.hi * in_ulps,",
        "    hi, least = np.rint(t.hi * in_ulps),",
        ("tests/test_errors.py::test_the_error_is_against_the_unrounded_value",),
    ),
    Fault(
        "error_against_float64",
        "The error is taken against the float64 nearest to t: of a float64 result it says nothing.",
        "fpstudy/yardstick.py",
        "        lo=t.lo * in_ulps,\n",
        "        lo=0 * t.lo,\n",
        ("tests/test_errors.py::test_the_ulp_is_that_of_the_exact_value_not_of_the_computed_one",),
    ),
    Fault(
        "ulp_of_the_computed_value",
        "Errors are measured in the ulp of what was computed, not of the exact value.",
        "fpstudy/errors.py",
        "    ulps = _ulps(y, t)\n",
        "    unit = t.format.quantum(np.where(np.isfinite(y), y, t.rounded.down))\n"
        "    ulps = _ulps(y, t) * 2.0 ** (t.rounded.quantum - unit)\n",
        ("tests/test_errors.py::test_the_ulp_is_that_of_the_exact_value_not_of_the_computed_one",),
    ),
    Fault(
        "relative_error_without_a_floor",
        "A relative error is divided by |t| however small t is, so that a correctly rounded"
        " subnormal is off by half of itself, and 0 by infinity.",
        "fpstudy/yardstick.py",
        "    size = np.maximum(np.abs(hi), least)\n",
        "    size = np.abs(hi)\n",
        (
            "tests/test_errors.py::test_a_correctly_rounded_subnormal_scores_at_most_u",
            "tests/test_errors.py::test_below_the_least_normal_number_an_error_is_relative_to_that",
        ),
    ),
    Fault(
        "nan_has_no_error",
        "A NaN, or an infinity, where a number is due has an error of NaN, and every maximum,"
        " nanmax by name or not, leaves it out.",
        "fpstudy/errors.py",
        "np.where(y == t.truth.hi, 0.0, np.inf)",
        "np.where(y == t.truth.hi, 0.0, np.nan)",
        ("tests/test_errors.py::test_failures_have_infinite_errors_and_keep_no_bits",),
    ),
    Fault(
        "nan_of_a_component_skipped",
        "The worst component of a sample is the worst of those that are numbers.",
        "fpstudy/errors.py",
        "    component = ulps.argmax(axis=1)\n",
        "    component = np.where(np.isinf(ulps), -1.0, ulps).argmax(axis=1)\n",
        (WORST,),
    ),
    Fault(
        "bits_in_nats",
        "Lost bits are counted by the natural logarithm.",
        "fpstudy/errors.py",
        "np.log2(2 * ulps)",
        "np.log(2 * ulps)",
        ("tests/test_errors.py::test_errors_of_a_neighbour",),
    ),
    Fault(
        "failures_keep_bits",
        "A spurious zero of an error of 1 keeps the bits that log2 of its ulps leaves.",
        "fpstudy/errors.py",
        "    return np.where(lost, 0.0, bits)\n",
        "    return bits\n",
        ("tests/test_errors.py::test_a_flushed_subnormal_is_flagged",),
    ),
    Fault(
        "norm_of_all_samples",
        "Normwise errors are divided by the largest component of all samples.",
        "fpstudy/yardstick.py",
        "np.maximum(size.max(axis=-1, keepdims=True), power_of_two(f.emin - unit))",
        "np.maximum(0 * unit + size.max(), power_of_two(f.emin - unit))",
        ("tests/test_yardstick.py::test_a_block_scores_as_its_samples_do_alone",),
    ),
    Fault(
        "maximum_over_the_wrong_axis",
        "The largest error is taken over the samples of the first component, not over the"
        " components of each sample.",
        "fpstudy/errors.py",
        "np.where(measured, relative.max(axis=1), np.nan)",
        "np.where(measured, relative[:, 0].max(), np.nan)",
        (WORST,),
    ),
    Fault(
        "zeros_have_no_sign_to_share",
        "-0 for a correctly rounded 0 counts as another number, and so as a spurious underflow.",
        "fpstudy/errors.py",
        "_of_numbers(y, y == t.rounded.nearest, t, ulps, tolerance)",
        "_of_numbers(y, (y == t.rounded.nearest) & ~np.signbit(y * (y == 0)), t, ulps, tolerance)",
        (OUTCOME,),
    ),
    Fault(
        "subnormals_flushed_in_scoring",
        "A zero where a subnormal number is due passes as an honest underflow.",
        "fpstudy/errors.py",
        '        "honest_underflow": same & zero & (size != 0),\n',
        '        "honest_underflow": zero & (size != 0) & (np.abs(t.rounded.nearest) < 1e-4),\n',
        (OUTCOME,),
    ),
    Fault(
        "honest_overflow_is_a_failure",
        "An infinity is spurious also where the exact result rounds to it.",
        "fpstudy/errors.py",
        '        "honest_overflow": (overflows | no_room) & same,\n',
        '        "honest_overflow": no_room & same,\n',
        (OUTCOME,),
    ),
    Fault(
        "every_overflow_is_honest",
        "An infinity passes as an honest overflow also where the exact result fits the format.",
        "fpstudy/errors.py",
        '        "honest_overflow": (overflows | no_room) & same,\n',
        '        "honest_overflow": is_inf | ((overflows | no_room) & same),\n',
        (OUTCOME,),
    ),
    Fault(
        "nan_of_e4m3fn_is_a_failure",
        "float8_e4m3fn has no infinity, and the NaN that stands for its overflow counts as NaN.",
        "fpstudy/errors.py",
        "    same = (y == nearest) | (is_nan & np.isnan(nearest) & ~undefined & ~undecided)\n",
        "    same = y == nearest\n",
        (OUTCOME,),
    ),
    Fault(
        "undecided_scored_all_the_same",
        "A result whose exact value is undecided gets an outcome as if that were known.",
        "fpstudy/errors.py",
        '    return np.where(undecided, np.uint8(CODE["undecided"]), outcome)\n',
        "    return outcome\n",
        (OUTCOME,),
    ),
    Fault(
        "outcomes_in_another_order",
        "A wrong sign is looked for after a result has passed as accurate.",
        "fpstudy/outcomes.py",
        '    Outcome("wrong_sign", "S", "the other sign than the exact result", True),\n'
        '    Outcome("accurate", "a", "within the study\'s tolerance in ulps"),\n',
        '    Outcome("accurate", "a", "within the study\'s tolerance in ulps"),\n'
        '    Outcome("wrong_sign", "S", "the other sign than the exact result", True),\n',
        (OUTCOME,),
    ),
    Fault(
        "within_half_an_ulp_is_correct_rounding",
        "A result counts as correctly rounded if it is within half an ulp: at a power of two its"
        " lower neighbour is that too.",
        "fpstudy/errors.py",
        '        "correctly_rounded": same,\n',
        '        "correctly_rounded": ulps <= 0.5,\n',
        (OUTCOME,),
    ),
    Fault(
        "tolerance_is_always_four",
        "The study's tolerance in ulps is not what accurate results are told by.",
        "fpstudy/errors.py",
        '        "accurate": ulps <= tolerance,\n',
        '        "accurate": ulps <= 4,\n',
        ("tests/test_errors.py::test_the_tolerance_is_the_study_s",),
    ),
    Fault(
        "counts_of_all_samples",
        "How components ended is counted over the whole block, and each sample gets all of it.",
        "fpstudy/errors.py",
        "minlength=samples * kinds).reshape(samples, kinds)",
        "minlength=samples * kinds).reshape(samples, kinds).sum(0) + np.zeros((samples, 1), int)",
        (WORST,),
    ),
    Fault(
        "divergence_the_wrong_way_round",
        "KL(t || y) for KL(y || t), which is infinite at any honest zero.",
        "fpstudy/divergences.py",
        "    return np.asarray(y * (np.log(y / hi) - exponent * np.log(2)) - difference)\n",
        "    t = np.ldexp(hi, exponent)\n"
        "    return np.asarray(difference - t * (np.log(y / hi) - exponent * np.log(2)))\n",
        (DEFINED,),
    ),
    Fault(
        "divergence_in_bits",
        "A divergence in nats is summed from logarithms to base 2.",
        "fpstudy/divergences.py",
        "np.log(y / hi) - exponent * np.log(2)",
        "np.log2(y / hi) - exponent",
        (DEFINED,),
    ),
    Fault(
        "series_with_a_wrong_last_term",
        "The last term of the divergence's series has the wrong sign.",
        "fpstudy/divergences.py",
        "SERIES = (-1 / 20, ",
        "SERIES = (1 / 20, ",
        ("tests/test_divergences.py::test_the_constants_are_those_of_their_derivation",),
    ),
    Fault(
        "total_variation_not_halved",
        "Total variation is taken as the whole sum of |y - t|.",
        "fpstudy/divergences.py",
        "    variation = np.abs(difference).sum(axis=1) / 2\n",
        "    variation = np.abs(difference).sum(axis=1)\n",
        (DEFINED,),
    ),
    Fault(
        "ties_flip_the_top_class",
        "Of equally likely classes only the first passes as the top one.",
        "fpstudy/divergences.py",
        "    flip = ~t.likeliest[np.arange(len(y)), y.argmax(axis=1)]\n",
        "    flip = t.likeliest.argmax(axis=1) != y.argmax(axis=1)\n",
        ("tests/test_divergences.py::test_the_top_class_is_compared_exactly",),
    ),
)
