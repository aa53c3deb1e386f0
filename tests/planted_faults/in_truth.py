"""Faults in the exact values: what encloses, decides and rounds them."""

from .fault import Fault

SPECIAL = "tests/test_truth.py::test_special_values"
AGREE = "tests/test_truth.py::test_the_engines_agree"
TAIL = "tests/test_truth.py::test_a_tiny_tail_decides_the_side"
ROUNDED = "tests/test_rounding.py::test_nearest_is_that_of_the_rational"
MIDPOINT = "tests/test_dyadic.py::test_a_midpoint_of_float64_has_54_bits_and_is_never_passed_over"
BESIDE = (
    "tests/test_rounding.py::test_beside_a_midpoint_the_tail_decides_and_at_it_the_even_neighbour"
)
SIDES = "tests/test_rounding.py::test_down_and_up_are_the_neighbours"

FAULTS: tuple[Fault, ...] = (
    Fault(
        "truth_at_fixed_digits",
        "The exact value is what one fixed precision gives, its own error not looked at: at a gap"
        " of 400, a cross-entropy of exactly 0.",
        "fpstudy/truth.py",
        "    ball = engine.total(head, tail, bits)\n",
        "    ball = engine.total(head, tail, bits)\n"
        "    ball = None if ball is None else ball._replace(rad=0)\n",
        ("tests/test_against_oracle.py::test_gaps",),
    ),
    Fault(
        "no_second_precision",
        "What the first precision leaves undecided stays so: no precision is raised.",
        "fpstudy/truth.py",
        "        bits *= 2\n",
        "        break\n",
        ("tests/test_against_oracle.py::test_gaps",),
    ),
    Fault(
        "undecided_passes_as_exact",
        "Where the cap of precision does not decide, the placeholder 0 passes as the exact value.",
        "fpstudy/truth.py",
        "[State.UNDECIDED if cell is None else State.DECIDED for cell in flat]",
        "[State.DECIDED for cell in flat]",
        ("tests/test_truth.py::test_a_precision_that_does_not_suffice_says_undecided",),
    ),
    Fault(
        "truth_cut_to_float64",
        "The exact value is rounded to float64 when it is stored, as float(mpf) does.",
        "fpstudy/arithmetic/decision.py",
        "    return Decided(hi, lo, np.where(hi == 0, 0, exponent), radius, known)",
        "    return Decided(hi, 0 * lo, np.where(hi == 0, 0, exponent), radius, known)",
        (AGREE,),
    ),
    Fault(
        "truth_of_balls_cut_to_float64",
        "The same where ball arithmetic found it.",
        "fpstudy/truth.py",
        "for part in (hi, sign * lo, exponent, radius, state)]",
        "for part in (hi, 0 * lo, exponent, radius, state)]",
        (TAIL,),
    ),
    Fault(
        "infinity_is_undefined",
        "Log-sum-exp of an infinite logit has no value: the limit is not looked for.",
        "fpstudy/limits.py",
        "    ordinary = ~undefined & (value == 0)\n",
        "    undefined |= value != 0\n    ordinary = ~undefined\n",
        (SPECIAL,),
    ),
    Fault(
        "masked_entries_weigh_one",
        "An entry at -inf is taken for an infinite one, and leaves a vector without a value.",
        "fpstudy/limits.py",
        "    poles = np.isposinf(z).sum(axis=-1)\n",
        "    poles = np.isinf(z).sum(axis=-1)\n",
        (SPECIAL,),
    ),
    Fault(
        "ties_of_the_maximum_count_once",
        "The sum without its largest term leaves out every term that ties with it.",
        "fpstudy/problems/maximum.py",
        "    return xp.log1p((c - 1) + s)\n",
        "    return xp.log1p(s)\n",
        (
            "tests/test_truth.py::test_every_entry_that_ties_with_the_largest_counts",
            "tests/test_problems.py::test_the_reference_is_the_definition",
        ),
    ),
    Fault(
        "mean_over_ignored_rows",
        "The mean of a batch divides by all rows, those of the ignored index among them.",
        "fpstudy/problems/cross_entropy.py",
        "    return total / xp.sum(xp.where(counted, xp.ones_like(losses), zero), axis=-1)",
        "    return total / xp.sum(xp.ones_like(losses), axis=-1)",
        ("tests/test_truth.py::test_a_batch_loss_counts_the_rows_that_are_not_ignored",),
    ),
    Fault(
        "rational_values_left_to_balls",
        "A base whose powers are rational is left to enclosures, which can never decide a tie.",
        "fpstudy/truth.py",
        "    if problem.rational is None or not inputs.parameters:\n",
        "    if True:\n",
        ("tests/test_truth.py::test_rational_softmax",),
    ),
    Fault(
        "base_two_for_base_e",
        "The exponent of a base is taken to base 2, as hardware's exp2 has it.",
        "fpstudy/inputs.py",
        "math.log(base)",
        "math.log2(base)",
        ("tests/test_truth.py::test_the_rate_is_what_an_exponent_to_base_e_is_multiplied_by",),
    ),
    Fault(
        "midpoints_are_no_breakpoints",
        "An enclosure that holds a midpoint of the format passes as decided.",
        "fpstudy/arithmetic/decision.py",
        "(radius <= WIDEST) & (np.minimum(size, HALF_ULP - size) > radius)",
        "(radius <= WIDEST) & (size > radius)",
        ("tests/test_decision.py::test_decided_values_compare_as_their_enclosures_do",),
    ),
    Fault(
        "midpoints_of_balls_are_no_breakpoints",
        "The same for balls of integers: numbers of 54 bits are thought harmless.",
        "fpstudy/dyadic.py",
        "BREAKPOINT_BITS = 54\n",
        "BREAKPOINT_BITS = 53\n",
        (MIDPOINT,),
    ),
    Fault(
        "what_follows_is_cut_off",
        "The first 106 bits are kept and the rest is forgotten, so a value beside a tie is one.",
        "fpstudy/dyadic.py",
        "        return _clamped(sign, q | 1, exp + shift, 1.0)\n    return",
        "        return _clamped(sign, q, exp + shift, 1.0)\n    return",
        (MIDPOINT,),
    ),
    Fault(
        "tail_on_the_wrong_side",
        "A tiny tail moves its head upwards whatever the tail's sign is.",
        "fpstudy/dyadic.py",
        "    tiny = 1 if tail.man > 0 else -1\n",
        "    tiny = 1\n",
        (TAIL,),
    ),
    Fault(
        "ties_away_from_zero",
        "A truth half way between two numbers rounds away from 0, as round() of C does.",
        "fpstudy/rounding.py",
        "((half > 0) | ((half == 0) & odd))",
        "(half >= 0)",
        (BESIDE,),
    ),
    Fault(
        "double_rounding_of_the_truth",
        "RN(t) is taken of t rounded to float64: a value just beside a midpoint rounds as a tie.",
        "fpstudy/rounding.py",
        "    half = (part - 0.5) + lo\n",
        "    half = part - 0.5\n",
        (BESIDE,),
    ),
    Fault(
        "binade_of_the_nearest_float64",
        "1 - 2**-60 belongs to the binade of 1, which doubles its ulp.",
        "fpstudy/rounding.py",
        "    floor -= (bits & (2**52 - 1) == 0) & (lo < 0)\n",
        "",
        ("tests/test_rounding.py::test_a_power_of_two_less_a_tail_belongs_to_the_lower_binade",),
    ),
    Fault(
        "down_is_towards_zero",
        "Rounding down of a negative value goes towards 0.",
        "fpstudy/rounding.py",
        "np.where(negative, -r.up, r.down), np.where(negative, -r.down, r.up)",
        "np.where(negative, -r.down, r.down), np.where(negative, -r.up, r.up)",
        (SIDES,),
    ),
    Fault(
        "subnormals_flushed_in_rounding",
        "RN(t) of a value below the least normal number is 0, as with flush-to-zero switched on.",
        "fpstudy/rounding.py",
        "    rounded = Rounded(f.clamp(nearest), inner, outer, exact, quantum)\n",
        "    nearest = np.where(nearest < f.least_normal, 0.0, nearest)\n"
        "    rounded = Rounded(f.clamp(nearest), inner, outer, exact, quantum)\n",
        (ROUNDED,),
    ),
    Fault(
        "overflow_at_the_largest_number",
        "What rounds to the largest number, or down to it, counts as an overflow.",
        "fpstudy/rounding.py",
        "    beyond = outer > f.largest\n",
        "    beyond = outer >= f.largest\n    nearest = np.where(beyond, np.inf, nearest)\n",
        ("tests/test_rounding.py::test_what_is_beyond_the_largest_number_overflows",),
    ),
    Fault(
        "digits_cut_instead_of_rounded",
        "The decimal digits that `fpstudy exact` prints are cut off, not rounded.",
        "fpstudy/decimals.py",
        "_carried(round(exact), exponent - digits + 1, digits)",
        "_carried(int(exact), exponent - digits + 1, digits)",
        ("tests/test_calculator.py::test_digits_of_a_rational_are_those_of_decimal_division",),
    ),
    Fault(
        "bracket_of_log_sum_exp_without_log_n",
        "Log-sum-exp is checked against max(x) + log 2 whatever n is.",
        "fpstudy/bounds.py",
        "        log_n = flint.arb(n).log()\n",
        "        log_n = flint.arb(min(n, 2)).log()\n",
        ("tests/test_bounds.py::test_truths_hold_it",),
    ),
)
