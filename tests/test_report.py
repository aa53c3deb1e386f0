"""The report on a made-up summary whose verdicts are known, and on names that try to break it."""

import dataclasses
import itertools
import math
import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from fpstudy.divergences import SIZES
from fpstudy.flow import run
from fpstudy.formats import FORMATS, Format
from fpstudy.outcomes import NAMES
from fpstudy.report import verdicts, write_report
from fpstudy.report.arrangement import arranged, compares_sums, sheets
from fpstudy.report.axis import MAGNITUDE, OFFSET, N, places, ticks
from fpstudy.report.curves import error_curves
from fpstudy.report.figures import figures
from fpstudy.report.formats import described, formats_of
from fpstudy.report.maps import failure_map
from fpstudy.report.markdown import code, escape
from fpstudy.report.numbers import bits, count, magnitude, number, share
from fpstudy.report.points import along
from fpstudy.report.scale import scale
from fpstudy.report.terminal import print_verdicts
from fpstudy.report.variants import computed_by, settings, with_variants
from fpstudy.summary import COLUMNS

HOSTILE = "_<script>alert('x')</script> $\\frac{1}{2}$ |a|`b`*c*_d_ [e](f) </td></svg> 日本 \u202e"
MANIFEST = {
    "name": "made_up",
    "title": "Made up",
    "question": "Which formula?",
    "study_hash": "0" * 8,
    "seed": 1,
    "versions": {"numpy": "2"},
    "cpu": {"model": "none", "simd": ["AVX2"]},
    "platform": "any",
    "commit": "abc",
    "engine": "arb",
    "witness": {"checked": 5, "agreed": 5, "beyond_budget": 1, "total": 9},
    "undecided": 2,
    "duration_seconds": 1.5,
    "cases": {"run": 1, "skipped": 1},
    "command": "fpstudy run made_up.toml",
    "schema": 1,
}
TF32 = Format("tf32", precision=11, emax=127, emin=-126)
OWN = MANIFEST | {"formats": {"tf32": dataclasses.asdict(TF32)}}
AXES = {
    "arithmetic": "numpy", "accumulation": "native", "n": 8, "distribution": "normal",
    "magnitude": 1.0, "offset": 0.0, "base": math.nan, "beta": math.nan, "target": "",
    "labels": "", "reduction": "", "batch": 0, "ignored": 0.0, "masked": 0.0, "inputs": "shared",
    "samples": 4,
}  # fmt: skip


def case(outcome="accurate", error=1e-3, bits_kept=9.0, components=32, part=None, **axes):
    """One row of a summary: `part` components have the outcome, the others are accurate."""
    part = components if part is None else part
    counts = dict.fromkeys(NAMES, 0) | {"accurate": components - part}
    counts[outcome] += part
    missing = outcome == "skipped" and part == components
    bad = outcome in ("nan", "spurious_overflow", "crashed")
    error = math.nan if missing else math.inf if bad else error
    errors = dict.fromkeys(
        ("relative_error_median", "relative_error_max", "ulp_error_median", "ulp_error_max",
         "normwise_error_max"), error,
    )  # fmt: skip
    kept = math.nan if missing else 0.0 if bad else bits_kept
    row = {"problem": "softmax", "formula": "naive", "dtype": "float16"} | AXES | errors | counts
    row |= {"components": components, "bits_kept_min": kept, "flushed_subnormal": 0}
    row |= {f"{size}_max": error for size in SIZES} | {"top1_flips": 0}
    return row | {"bound_broken": 0, "reason": "out of range" if missing else ""} | axes


def table(*rows):
    return pd.DataFrame(rows)[list(COLUMNS)]


def record(summary):
    """A row per sample that agrees with the summary as far as the report looks."""
    rows = []
    for number_of_case, row in enumerate(summary.to_dict("records")):
        for sample in range(int(row["samples"])):
            scatter = 1.0 if sample else 0.5
            rows.append({
                "case": number_of_case, "sample": sample,
                **{key: row[key] for key in ("problem", "formula", "dtype", *AXES)},
                "relative_error": row["relative_error_max"] * scatter,
                "ulp_error": row["ulp_error_max"] * scatter, "worst_outcome": "accurate",
                "worst_component": 1, "worst_computed": 1.0,
                "worst_exact": 1.25, "worst_exponent": 0,
                "worst_input": "0x1.f4p+9 0x0.0p+0",
            })  # fmt: skip
    return pd.DataFrame(rows)


def sweep(onset, problem="softmax", formulas=("naive", "shifted"), dtypes=("float16", "float32")):
    """A sweep in which the first formula fails from `onset` on, and the others never."""
    rows = []
    for formula, dtype, n, M in itertools.product(formulas, dtypes, (2, 8), (0.01, 1.0, 100.0)):
        fails = formula == formulas[0] and onset <= M
        u = FORMATS[dtype].unit_roundoff
        rows.append(case(
            "nan" if fails else "accurate", error=0.0 if M == 100 else u * (1 + M),
            problem=problem, formula=formula, dtype=dtype, n=n, magnitude=M,
            bits_kept=FORMATS[dtype].precision - M / 50,
        ))  # fmt: skip
    return rows


def growth(accumulations=("sequential", "kahan:float32"), sizes=(16, 64, 256, 1024), **axes):
    """A sweep over n in which the error of a sum grows, and the longest sums fail."""
    axes = {"formula": "shifted", "dtype": "tf32", "arithmetic": "rounded"} | axes
    return [
        case(
            "nan" if sums == "neumaier" and n == sizes[-1] else "accurate",
            error=TF32.unit_roundoff * (n if sums == "sequential" else 0.5),
            accumulation=sums, n=n, **axes,
        )
        for sums in accumulations for n in sizes
    ]  # fmt: skip


COMPARED = [
    *growth(("sequential", "pairwise", "kahan", "neumaier", "exact", "kahan:float32")),
    *growth(("sequential", "exact"), problem="logsumexp", formula="naive", dtype="float16"),
    *growth(("native",), problem="logsumexp", dtype="float16", arithmetic="torch.compile:cuda"),
    case("skipped", dtype="float16", arithmetic="jax.jit", reason="jax is not installed"),
]

EVERYTHING = [
    *sweep(1.0),
    *sweep(100.0, problem="logsumexp", formulas=("naive", "log1p", "shifted"), dtypes=("float64",)),
    case("skipped", formula="shifted", dtype="float8_e4m3fn", magnitude=1e4),
    case("undecided", part=1, formula="shifted", dtype="bfloat16"),
    *(case(base=base, formula="power", magnitude=M) for base in (0.5, 2.0) for M in (1.0, 10.0)),
    *(
        case(beta=beta, formula="power", magnitude=M)
        for beta in (math.inf, 1.0)
        for M in (1.0, 9.0)
    ),
    *(
        case("nan", part=k, distribution=f"explicit[{k + 1}]", magnitude=math.nan, n=2, samples=1)
        for k in (0, 1)
    ),
    case("honest_underflow", part=3, distribution="file:logits.npy", magnitude=math.nan),
    *(
        case(problem="cross_entropy", reduction="mean", batch=32, n=4, magnitude=M, labels="hard")
        for M in (1.0, 3.0)
    ),
]


@pytest.fixture(scope="module")
def everything():
    summary = table(*EVERYTHING)
    return record(summary), summary


@pytest.fixture(scope="module")
def compared():
    summary = table(*COMPARED)
    return record(summary), summary


@pytest.fixture(scope="module")
def drawings(everything):
    rows, summary = everything
    return {drawing.name: drawing for drawing in figures(summary, rows)}


@pytest.fixture(scope="module")
def written(tmp_path_factory, everything):
    folder = tmp_path_factory.mktemp("report")
    write_report(folder, *everything, MANIFEST, [_hostile_claim()])
    return folder


def verdict(*rows, inputs="magnitudes"):
    found = verdicts(table(*rows))
    (row,) = found[found["inputs"] == inputs].to_dict("records")
    return row


# --- verdicts ---------------------------------------------------------------------------------


def test_the_formula_that_goes_furthest_is_the_one_to_use():
    found = verdict(*sweep(100.0, dtypes=("float16",)))
    assert found["formula"] == "shifted"
    assert found["largest_magnitude"] == 100 and found["first_failure"] == ""
    assert found["others"] == "naive fails from 100 (NaN)"
    assert found["bits_at_least"] == pytest.approx(11 - 0.01 / 50)
    assert found["bits_at_largest"] == found["bits_worst"] == 9


def test_a_failure_at_any_n_ends_the_reach_and_later_successes_do_not_count():
    found = verdict(
        case(magnitude=1.0), case(magnitude=2.0, n=2), case("nan", part=1, magnitude=2.0, n=8),
        case(magnitude=3.0),
    )  # fmt: skip
    assert found["largest_magnitude"] == 1
    assert (found["first_failure"], found["first_failure_magnitude"]) == ("nan", 2)
    assert found["largest_measured"] == 3


def test_a_formula_that_always_fails_has_no_reach_and_loses_to_one_that_fails_less():
    found = verdict(case("nan", formula="a"), case("nan", part=1, formula="b"))
    assert found["formula"] == "b"
    assert math.isnan(found["largest_magnitude"])


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"bits_kept": 9.0, "error": 2.0}, {"bits_kept": 8.0, "error": 1.0}),
        ({"bits_kept": 9.0, "error": 1.0}, {"bits_kept": 9.0, "error": 2.0}),
        ({}, {}),
    ],
    ids=["bits before error", "error", "name"],
)
def test_ties_go_to_bits_then_error_then_name(better, worse):
    rows = (case(formula="b", **worse), case(formula="a", **better))
    assert verdict(*rows)["formula"] == "a"


def test_a_verdict_tells_the_worst_case_at_each_magnitude_and_of_all():
    """Wherever it stands: the largest error at the least magnitude, the fewest bits between."""
    found = verdict(
        case(magnitude=1.0, n=2, bits_kept=9.0, error=1e-3),
        case(magnitude=1.0, n=8, bits_kept=7.0, error=9e-3),
        case(magnitude=10.0, n=2, bits_kept=4.0, error=2e-3),
        case(magnitude=10.0, n=8, bits_kept=9.0, error=3e-3),
        case(magnitude=100.0, n=2, bits_kept=8.0, error=4e-3),
        case(magnitude=100.0, n=8, bits_kept=6.0, error=5e-3),
    )
    assert found["relative_error_max"] == 9e-3
    assert (found["bits_at_least"], found["bits_at_largest"], found["bits_worst"]) == (7, 6, 4)
    assert found["bits_worst_magnitude"] == 10


def test_lost_subnormals_undecided_and_skipped_are_no_failures():
    found = verdict(
        case("spurious_underflow", flushed_subnormal=32, magnitude=1.0),
        case("undecided", magnitude=2.0), case("skipped", magnitude=3.0),
    )  # fmt: skip
    assert found["failing"] == 0 and found["largest_magnitude"] == 2
    assert found["lost_subnormals"] == found["undecided"] == 32


def test_a_formula_that_runs_nowhere_ends_no_other_formulas_reach():
    """Its library is not installed: that says nothing of what a dtype can hold."""
    rows = [
        case("skipped" if formula == "library" else "accurate", formula=formula, magnitude=M)
        for formula, M in itertools.product(("shifted", "library"), (1.0, 100.0))
    ]
    (best,) = verdicts(table(*rows)).to_dict("records")
    assert (best["formula"], best["largest_magnitude"], best["failing"]) == ("shifted", 100.0, 0)
    beyond = [case("skipped", formula=name, magnitude=1e5) for name in ("shifted", "library")]
    beyond.append(case(formula="naive", magnitude=1e5, n=2))
    (best,) = verdicts(table(*rows, *beyond)).to_dict("records")
    assert best["largest_magnitude"] == 100.0  # there is a case there that the dtype cannot hold


def test_a_spurious_zero_that_is_not_subnormal_is_a_failure():
    found = verdict(case("spurious_underflow", flushed_subnormal=31))
    assert found["failing"] == 1 and found["first_failure"] == "spurious_underflow"


def test_given_vectors_get_a_verdict_of_their_own():
    rows = [
        case("nan", part=part, formula=formula, distribution="explicit[1]", magnitude=1.0)
        for formula, part in (("a", 2), ("b", 1))
    ]
    found = verdict(*rows, inputs="given")
    assert found["formula"] == "b" and found["others"] == "a fails (NaN)"


def test_base_beta_and_reduction_make_other_problems(everything):
    _, summary = everything
    assert set(verdicts(summary)["problem"]) == {
        "softmax", "logsumexp", "softmax (base b)", "softmax (inverse temperature beta)",
        "cross_entropy (mean over 32 rows)",
    }  # fmt: skip


def test_no_cases_no_verdicts():
    assert verdicts(table(case("skipped"))).empty


# --- figures ----------------------------------------------------------------------------------


def test_every_problem_has_errors_failures_and_bits(drawings):
    names = set(drawings)
    for stem in ("softmax", "logsumexp", "softmax_given_inputs", "cross_entropy_mean_over_32_rows"):
        assert {f"error_{stem}", f"failures_{stem}", f"bits_{stem}"} <= names
    assert {"error_softmax_base_b_1", "error_softmax_base_b_2"} <= names


def test_figures_say_what_they_show(drawings):
    for drawing in drawings.values():
        root = ET.fromstring(drawing.svg)
        title, desc = root[0], root[1]
        assert title.text == drawing.title and desc.text == drawing.alternative
        assert drawing.problem in drawing.title
        assert "numpy, native accumulation" in drawing.caption
        assert "sample" in drawing.caption
        dtypes = [d for d in FORMATS if f"{d} (" in drawing.caption]
        text = " ".join(root.itertext())
        assert dtypes and all(dtype in text for dtype in dtypes)


def texts(drawing):
    return [text for text in ET.fromstring(drawing.svg).itertext() if text.strip()]


def test_failures_are_letters_and_bits_are_numbers(drawings):
    letters = texts(drawings["failures_softmax"])
    assert letters.count("N") == 2 * 2  # two dtypes, from magnitude 1 on
    assert letters.count("?") == 1 and "·" in letters
    assert {"11", "9", "24", "22", "0"} <= set(texts(drawings["bits_softmax"]))


def test_what_is_not_finite_and_what_is_zero_has_its_place(drawings):
    words = texts(drawings["error_softmax"])
    assert "not finite" in words and "u" in words
    assert "exp overflows at 11.1" in words and "exp overflows at 88.7" in words
    assert "1: [1000, 0]" in texts(drawings["error_softmax_given_inputs"])


@pytest.mark.parametrize(
    ("errors", "under", "over"),
    [([1e-3, 1e-2], "", False), ([0.0, 1e-3], "0", False), ([1e-9], "< 1e-6", False),
     ([np.inf, 1e-3], "", False), ([1e9, 1e-3], "", True), ([], "", False)],
)  # fmt: skip
def test_every_error_stands_somewhere(errors, under, over):
    errors = np.array(errors, dtype=float)
    axis = scale(errors, 2.0**-11)
    assert (axis.under, axis.over) == (under, over)
    placed = axis.place(errors)
    assert (np.isnan(placed) == (errors > 10.0**axis.high)).all()
    inside = placed[~np.isnan(placed)]
    assert ((axis.start < inside) & (inside <= axis.high)).all()


# --- arithmetics, accumulations, other axes ----------------------------------------------------


def drawn(rows, formats=FORMATS | {"tf32": TF32}):
    summary = table(*rows)
    return {drawing.name: drawing for drawing in figures(summary, record(summary), formats)}


def sweep_of(**axes):
    """The cases of crossed axes, each given by its values."""
    return [
        case(**dict(zip(axes, values, strict=True))) for values in itertools.product(*axes.values())
    ]


FOUR, THREE = (16, 32, 64, 128), (16, 32, 64)


@pytest.mark.parametrize(
    ("rows", "names", "lines", "title"),
    [
        (growth(), {"against_n_softmax"}, {"sequential", "kahan in float32"}, "rounded, shifted"),
        (sweep_of(n=FOUR, formula=("naive", "shifted")), {"against_n_softmax"},
         {"naive", "shifted"}, "numpy, native accumulation"),
        (sweep_of(n=THREE, formula=("naive", "shifted")), {"error_softmax"},
         {"naive", "shifted"}, "numpy, native accumulation"),
        (sweep_of(offset=(-10.0, 0.0, 1.0, 10.0), accumulation=("kahan:float32", "exact")),
         {"against_offset_softmax"}, {"kahan in float32", "exact"}, "numpy, naive"),
        (sweep_of(offset=(0.0, 1.0), magnitude=(1.0, 2.0)),
         {"error_softmax_1", "error_softmax_2"}, {"naive"}, "numpy, native accumulation"),
        (sweep_of(n=FOUR, magnitude=(1.0, 2.0)), {"against_n_softmax", "error_softmax"}, {"naive"},
         "numpy, native accumulation"),
        (sweep_of(n=FOUR, formula=tuple("abcde"), accumulation=("kahan:float32", "exact")),
         {"against_n_softmax"}, set("abcde"), "numpy, kahan sums in float32"),
        (sweep_of(n=FOUR, dtype=("float16", "tf32"), formula=("a", "b", "c"),
                  accumulation=("kahan", "exact")),
         {"against_n_softmax_1", "against_n_softmax_2"}, {"kahan", "exact"}, "numpy, a"),
        ([*sweep_of(n=THREE), *sweep_of(n=(4, 8), distribution=("uniform",))],
         {"error_softmax"}, {"naive"}, "numpy, native accumulation"),
        (sweep_of(magnitude=(1.0, 2.0), offset=tuple(range(7))),
         {"error_softmax", "against_offset_softmax_1", "against_offset_softmax_2"}, {"naive"},
         "numpy, native accumulation"),
    ],
    ids=[
        "n, accumulations", "n, formulas", "too few n", "offset", "two offsets", "n and magnitude",
        "more formulas than room", "a figure for each dtype", "n of two distributions",
        "offsets beyond a figure each",
    ],
)  # fmt: skip
def test_a_figure_runs_along_what_is_swept_and_tells_apart_what_is_compared(
    rows, names, lines, title
):
    found = drawn(rows)
    errors = {name for name in found if not name.startswith(("failures", "bits"))}
    assert errors == names
    for name in names:
        shown = texts(found[name])
        assert lines <= set(shown) and title in shown


def test_error_against_n_says_who_computed_what_and_shows_the_guides():
    figure = drawn(growth(("sequential", "neumaier", "kahan:float32")))["against_n_softmax"]
    assert figure.title == "softmax: error against n"
    for said in (
        "formula shifted", "tf32 (rounded, sums: sequential, neumaier, kahan in float32)",
        "n = 16, 64, 256, 1024", "M = 1", "4 samples a case", "median", "u: the unit roundoff",
    ):  # fmt: skip
        assert said in figure.caption, said
    shown = texts(figure)
    assert {"u", "n u", "√n u", "log₂(n) u", "16", "1024", "number n of logits"} <= set(shown)


def test_guides_stand_where_theory_has_them():
    summary = table(*growth(("sequential", "kahan")))
    samples = arranged(with_variants(record(summary)), sums=True)
    samples = samples.assign(precision=TF32.precision, largest=TF32.largest)
    (ax,) = error_curves(along(samples, N), N, "n").axes
    u = 2.0**-11
    ends = [line.get_ydata()[-1] for line in ax.lines if len(line.get_ydata()) == 65]
    assert ends == pytest.approx([math.log10(x) for x in (1024 * u, 32 * u, 10 * u)])
    (marks,) = [line for line in ax.lines if line.get_linewidth() == 2.4]  # the first formula
    assert marks.get_ydata()[0] == pytest.approx(math.log10(16 * u))


def test_points_are_the_median_and_the_maximum_over_the_samples_failures_among_them():
    rows = [
        case(error=error, n=n, samples=1)
        for n, errors in ((4, (1, 2, 8)), (8, (1, 2, math.inf)), (16, (1, math.inf, math.inf)))
        for error in errors
    ]
    samples = arranged(with_variants(record(table(*rows))), sums=False)
    points = along(samples.assign(precision=11, largest=65504.0), N)
    assert list(points["median"]) == [1.0, 1.0, math.inf]  # the only sample has half the error
    assert list(points["maximum"]) == [4.0, math.inf, math.inf]
    assert list(points["row"].unique()) == ["M = 1"]


def test_a_sum_that_fails_is_drawn_in_the_strip():
    summary = table(*growth(("sequential", "neumaier")))
    samples = arranged(with_variants(record(summary)), sums=True)
    samples = samples.assign(precision=TF32.precision, largest=TF32.largest)
    (ax,) = error_curves(along(samples, N), N, "n").axes
    filled = [
        line for line in ax.lines
        if line.get_linestyle() == "None" and len(line.get_xdata())
    ]  # fmt: skip
    (mark,) = filled
    assert mark.get_xdata() == pytest.approx([math.log10(1024)])
    assert mark.get_ydata()[0] > 0  # above an error of 1


def test_maps_run_along_n_with_a_row_for_each_accumulation():
    found = drawn(growth(("sequential", "neumaier"), magnitude=2.0))
    letters = texts(found["failures_softmax"])
    assert letters.count("N") == 1 and {"16", "256", "neumaier"} <= set(letters)
    assert "tf32: rounded, shifted" in letters
    assert "at each n" in found["bits_softmax"].caption and "M = 2" in found["bits_softmax"].caption


def test_each_field_of_a_map_stands_at_its_value_and_line():
    rows = growth(("sequential", "neumaier", "exact"))
    part = arranged(with_variants(table(*rows)), sums=True).assign(precision=11)
    (ax,) = failure_map(part, "n").axes
    (failure,) = [text for text in ax.texts if text.get_text() == "N"]
    assert failure.get_position() == (3.5, 1.5)  # the largest n, the second accumulation
    assert len(ax.texts) == 12 == len({text.get_position() for text in ax.texts})


def test_a_panel_of_a_map_has_rows_for_what_it_measured_only():
    rows = [*growth(("sequential", "exact")), *sweep_of(dtype=("tf32",), n=(16, 256))]
    part = arranged(with_variants(table(*rows)), sums=True).assign(precision=11)
    axes = failure_map(part, "n").axes
    named = [[label.get_text() for label in ax.get_yticklabels()] for ax in axes]
    assert named == [["sequential", "exact"], ["native"]]
    two, one = (ax.get_position() for ax in axes)
    assert two.height == pytest.approx(2 * one.height)  # rows are alike
    assert two.y0 > one.y1


@pytest.mark.parametrize(
    ("counts", "most", "labels", "sizes"),
    [
        ({"a": 3}, 4, [""], [3]),
        ({"a": 1, "b": 1, "c": 1, "d": 1, "e": 1, "f": 1}, 4, ["a, b, c", "d, e, f"], [3, 3]),
        ({"a": 2, "b": 2, "c": 2}, 4, ["a, b", "c"], [4, 2]),
        ({"a": 3, "b": 3}, 4, ["a", "b"], [3, 3]),
        ({"a": 9, "b": 1}, 4, ["a, 1 of 3", "a, 2 of 3", "a, 3 of 3", "b"], [3, 3, 3, 1]),
    ],
)
def test_panels_are_shared_out_by_dtype(counts, most, labels, sizes):
    panels = [(dtype, str(k)) for dtype, count in counts.items() for k in range(count)]
    found = sheets(panels, most)
    assert [label for label, _ in found] == labels
    assert [len(part) for _, part in found] == sizes
    assert [panel for _, part in found for panel in part] == panels


@pytest.mark.parametrize(
    ("axis", "values", "labelled"),
    [
        (N, [2**k for k in range(4, 18)], [16, 128, 1024, 8192, 65536]),
        (N, [10, 100, 1000, 10_000], [10, 100, 1000, 10_000]),
        (OFFSET, [-1000.0, -1.0, 0.0, 1.0, 1000.0], [-1000, 0, 1000]),
        (OFFSET, [0.0, 1.0, 2.0, 3.0], [0, 1, 2, 3]),
        (OFFSET, [0.0, 1.0, 10.0, 100.0, 1000.0], [0, 10, 100, 1000]),
        (MAGNITUDE, [0.01, 0.5, 1e4], [0.01, 1, 100, 1e4]),
        (MAGNITUDE, [2.0, 8.0], [2, 8]),
        (MAGNITUDE, [0.0, 5.0, 10.0], [0, 5, 10]),
    ],
)
def test_axes_are_monotone_and_label_what_was_measured_or_decades(axis, values, labelled):
    assert ticks(axis, values) == labelled
    assert (np.diff(places(values)(np.array(values, dtype=float))) > 0).all()


def test_settings_follow_the_formats_and_then_the_study():
    rows = [
        case(dtype=d, arithmetic=a) for d, a in (("tf32", "b"), ("float16", "b"), ("tf32", "a"))
    ]
    assert settings(table(*rows)) == [
        ("float16", "b", "native"), ("tf32", "b", "native"), ("tf32", "a", "native"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("column", "accumulations", "formulas", "sums"),
    [
        ("n", 1, 1, False), ("n", 2, 4, True), ("n", 2, 5, False), ("n", 6, 5, True),
        ("magnitude", 2, 2, False), ("magnitude", 3, 2, True),
    ],
)  # fmt: skip
def test_lines_are_accumulations_where_these_are_compared(column, accumulations, formulas, sums):
    rows = sweep_of(accumulation=range(accumulations), formula=range(formulas))
    assert compares_sums(table(*rows), column) is sums


# --- formats of a study's own -------------------------------------------------------------------


def test_own_formats_come_from_the_manifest(tmp_path, compared):
    write_report(tmp_path, *compared, OWN)
    for page in ("README.md", "index.html"):
        text = (tmp_path / page).read_text(encoding="utf-8")
        assert re.search(r"tf32 \(11( bits)?\)", text) and "11 bits, exponents -126 .. 127" in text
        assert "rounded, kahan sums in float32" in text
        assert "torch.compile:cuda, native accumulation" in text
        assert "jax is not installed" in text and "jax.jit" in text
    rows = (tmp_path / "README.md").read_text(encoding="utf-8").split("## softmax")[0]
    assert "</a>softmax | tf32 (11) | rounded, kahan sums in float32 | `shifted` |" in rows


def test_a_run_puts_the_own_formats_of_its_study_into_the_manifest(tmp_path):
    study = tmp_path / "own.toml"
    study.write_text(
        'schema = 1\nname = "own"\n[[format]]\nname = "tf32"\nprecision = 11\nemax = 127\n'
        '[[sweep]]\nproblem = "softmax"\ndtype = "float16"\nn = 2\nmagnitude = 1\nsamples = 1\n',
        encoding="utf-8",
    )
    done = run(study, tmp_path / "out")
    assert formats_of(done.manifest, done.summary)["tf32"] == TF32
    assert "exponents -126 .. 127" in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")


def test_a_dtype_that_nothing_describes_is_named(tmp_path, compared):
    with pytest.raises(ValueError, match=r"no format 'tf32' in the manifest; known: float16, .*"):
        write_report(tmp_path, *compared, MANIFEST)
    assert not list(tmp_path.iterdir())


def test_an_own_format_does_not_take_the_place_of_one_built_in(compared):
    formats = formats_of(OWN, compared[1])
    assert list(formats) == [*FORMATS, "tf32"] and formats["tf32"] == TF32
    assert {name: formats[name] for name in FORMATS} == FORMATS


@pytest.mark.parametrize(
    ("format", "text"),
    [
        (TF32, "11 bits, exponents -126 .. 127"),
        (Format("x", 3, 4, -3, infinity=False), "3 bits, exponents -3 .. 4, no infinity"),
        (Format("x", 3, 4, -3, subnormals=False, saturate=True),
         "3 bits, exponents -3 .. 4, no subnormals, overflow gives the largest number"),
    ],
)  # fmt: skip
def test_a_format_is_described_by_where_it_leaves_the_standard(format, text):
    assert described(format) == text


# --- the terminal ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "several"),
    [
        (sweep(1.0), False),
        (growth(), True),
        ([case(), case(arithmetic="torch.compile:cuda")], True),
    ],
    ids=["one", "accumulations", "arithmetics"],
)
def test_the_terminal_says_who_computed_where_that_differs(rows, several, capsys):
    print_verdicts(table(*rows))
    head, *lines = [line for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert ("arithmetic" in head) is several
    told = [any(computed_by(r["arithmetic"], r["accumulation"]) in x for x in lines) for r in rows]
    assert all(told) if several else not any(told)


# --- pages ------------------------------------------------------------------------------------


class Page(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *pair) for pair in attrs]

    def handle_data(self, data):
        self.text.append(data)


@pytest.mark.parametrize("study", ["everything", "compared"])
def test_two_runs_give_the_same_bytes(tmp_path, study, request):
    tables = request.getfixturevalue(study)
    runs = []
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        write_report(folder, *tables, OWN, [])
        runs.append({p.relative_to(folder): p.read_bytes() for p in folder.rglob("*.*")})
    assert runs[0] == runs[1]
    names = {path.as_posix() for path in runs[0]}
    assert {"README.md", "index.html"} < names


def test_readme_answers_first_and_links_every_figure(written):
    text = (written / "README.md").read_text(encoding="utf-8")
    assert text.startswith("# Made up\n\nWhich formula?\n")
    heads = (
        "Which formula, and how far", "softmax", "Failure counts", "What was not run",
        "How to read this", "Environment", "Reproduce",
    )  # fmt: skip
    order = [f"## {head}" for head in heads]
    assert sorted(order, key=text.index) == order
    assert "mpmath recomputed 5 of 9 truths: all agree." in text
    assert "Undecided truths: 2." in text
    assert "| float8_e4m3fn | numpy | out of range | 1 |" in text
    linked = set(re.findall(r"\]\((figures/[^)]+)\)", text))
    assert linked == {f"figures/{path.name}" for path in (written / "figures").glob("*.svg")}
    assert "nan" not in re.sub(r"`[^`]*`", "", text.split("## How to read")[0])


def test_tables_have_as_many_cells_as_their_heads(written):
    cells = None
    for line in (written / "README.md").read_text(encoding="utf-8").splitlines():
        if not line.startswith("|"):
            cells = None
            continue
        here = len(re.findall(r"(?<!\\)\|", line))
        assert cells in (None, here), line
        cells = here


def _hostile_claim():
    return {"says": HOSTILE, "verdict": "refuted", "evidence": HOSTILE, "reproduce": HOSTILE}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    rows = [
        case(outcome, problem=HOSTILE, formula=formula, magnitude=M, distribution=distribution,
             reason=HOSTILE)
        for formula in (HOSTILE, "_leading")
        for outcome, M in (("accurate", 1.0), ("nan", 10.0))
        for distribution in ("normal", f"file:{HOSTILE}")
    ]  # fmt: skip
    hostile = {"arithmetic": HOSTILE, "formula": "_leading", "dtype": "float16"}
    rows += growth((HOSTILE, "native"), problem=f"{HOSTILE} again", **hostile)
    summary = table(*rows)
    manifest = MANIFEST | dict.fromkeys(("title", "question", "platform", "command"), HOSTILE)
    write_report(folder, record(summary), summary, manifest, [_hostile_claim()])
    return folder


def test_hostile_names_stay_text_in_html(hostile):
    page = Page((hostile / "index.html").read_text(encoding="utf-8"))
    assert page.tags.count("script") == 1 and page.tags[-1] == "script"  # the page's own
    assert not {"img", "link", "iframe", "object"} & set(page.tags)
    assert not [v for tag, name, v in page.attributes if name == "href" and ":" in v]
    assert any("<script>alert('x')</script>" in text for text in page.text)
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    policy = dict(page.attributes[i][1:] for i in range(len(page.attributes))).get("content")
    assert policy is not None


def test_no_name_turns_the_text_around(hostile):
    for path in [*hostile.glob("*.*"), *(hostile / "figures").glob("*.svg")]:
        assert "\u202e" not in path.read_text(encoding="utf-8"), path
    assert "\\u202e" in (hostile / "index.html").read_text(encoding="utf-8")


def test_hostile_names_stay_text_in_markdown(hostile):
    text = (hostile / "README.md").read_text(encoding="utf-8")
    outside = re.sub(r"(?m)^    .*$", "", re.sub(r"``.*?``", "", text))
    assert "<script" not in outside and "</svg>" not in outside
    assert "$" not in outside and "[e](f)" not in outside
    outside = re.sub(r'<a id="[a-z0-9_.-]+"></a>|<br>', "", outside)
    assert set(re.findall(r"<(/?\w+)", outside)) <= {"details", "/details", "summary", "/summary"}


def test_hostile_names_stay_text_in_figures(hostile):
    for path in (hostile / "figures").glob("*.svg"):
        root = ET.fromstring(path.read_text(encoding="utf-8"))
        assert not [e for e in root.iter() if e.tag.endswith("script")]
        assert "_leading" in "".join(root.itertext())
        assert HOSTILE.split()[0] in "".join(root.itertext())


def test_the_worst_results_come_with_their_inputs(written):
    text = (written / "README.md").read_text(encoding="utf-8")
    rows = text.split("## Worst results")[1].split("## Failure counts")[0].splitlines()
    (row,) = [row for row in rows if row.startswith("| softmax | float16 |") and "M = " in row]
    assert "| `shifted` | normal, n = 2, M = 1 |" in row  # the first of the samples off by most
    assert "`0x1.f4p+9 0x0p+0`" in row and "`1.25`" in row


def test_the_page_needs_nothing_but_itself(written):
    text = (written / "index.html").read_text(encoding="utf-8")
    page = Page(text)
    assert ("meta", "http-equiv", "Content-Security-Policy") in page.attributes
    assert "default-src 'none'" in text
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids)) and ids
    links = {v for _, name, v in page.attributes if name in ("href", "xlink:href", "src")}
    assert {link[1:] for link in links if link[0] == "#"} <= set(ids)
    files = {link for link in links if link[0] != "#"}
    assert files == {path.relative_to(written).as_posix() for path in written.rglob("*.svg")} | {
        "summary.csv", "manifest.json", "README.md",
    }  # fmt: skip
    assert set(re.findall(r"url\(#([^)]+)\)", text)) <= set(ids)
    assert "http" not in re.sub(r'xmlns(:\w+)?="[^"]+"|http-equiv', "", text)
    assert page.tags.count("svg") == page.tags.count("figure") == page.tags.count("figcaption")
    labels = [v for tag, name, v in page.attributes if tag == "svg" and name == "aria-label"]
    assert len(labels) == page.tags.count("svg")


# --- words and numbers ------------------------------------------------------------------------


def _by(text):
    return computed_by(*text.split())


@pytest.mark.parametrize(
    ("function", "value", "text"),
    [(number, 9.765625e-4, "9.77e-04"), (number, 0.125, "0.125"), (number, math.inf, "inf"),
     (number, -math.inf, "-inf"), (number, math.nan, "–"), (number, None, "–"), (number, 0, "0"),
     (number, 12345.0, "1.23e+04"), (number, 1500.0, "1500"), (number, 5e-324, "4.94e-324"),
     (magnitude, 1e4, "1e4"), (magnitude, 1000.0, "1000"), (magnitude, 0.01, "0.01"),
     (magnitude, 3.16227766e5, "3.16e5"), (magnitude, 1e-5, "1e-5"), (magnitude, 9999.9, "1e4"),
     (magnitude, -1000.0, "-1000"), (bits, 9.04, "9"), (bits, 10.96, "11"), (bits, math.nan, "–"),
     (count, 1234567, "1,234,567"),
     (escape, "a_b", "a_b"), (escape, "_a_", r"\_a\_"), (escape, "1. x", "&#49;. x"),
     (escape, "0.5", "0.5"), (escape, "- x", "&#45; x"), (escape, "-inf", "-inf"),
     (escape, "a\nb", "a b"), (escape, "a|b", r"a\|b"), (escape, "<b>&", "&lt;b&gt;&amp;"),
     (_by, "numpy native", "numpy, native accumulation"),
     (_by, "rounded exact", "rounded, exact sums"),
     (_by, "rounded kahan:float32", "rounded, kahan sums in float32"),
     (code, "a`b", "`` a`b ``"), (code, "a|b", r"`a\|b`"), (code, "a\nb", "`a b`")],
)  # fmt: skip
def test_words(function, value, text):
    assert function(value) == text


@pytest.mark.parametrize(
    ("part", "text"),
    [(0, "0%"), (1, "< 0.1%"), (999_999, "> 99.9%"), (10**6, "100%"), (50_000, "5.0%")],
)
def test_share_says_none_and_all_only_of_none_and_all(part, text):
    assert share(part, 10**6) == text


def test_a_map_of_more_columns_than_can_be_read_is_left_to_the_curves():
    for columns, maps in ((40, 2), (41, 0)):
        names = list(drawn(sweep_of(magnitude=tuple(float(m) for m in range(1, columns + 1)))))
        assert "error_softmax" in names
        assert len([name for name in names if not name.startswith("error")]) == maps
