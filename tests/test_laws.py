"""The laws on planted measurements: each holds on some, falls on others, and needs its study."""

import itertools
import math
import re

import pytest
from test_report import MANIFEST, OWN, case, table

from fpstudy.report.laws import LAWS, laws
from fpstudy.report.laws.dtypes import LIBRARY_DECIDES, RANGE_OR_DIGITS
from fpstudy.report.laws.formulas import (
    FORMULA_FIXES_OFFSETS,
    FORMULA_FIXES_TAILS,
    FORMULA_OUTLASTS_DTYPE,
)
from fpstudy.report.laws.storage import (
    CENTRE_BEFORE_STORING,
    ROUND_ONCE,
    STORAGE_FIXES_MAGNITUDE,
)
from fpstudy.report.laws.sums import ACCUMULATOR_FIXES_N, FLOAT16_CANNOT_COUNT
from fpstudy.report.sweeps import Study


def fails(rows, **where):
    """The rows with the ones that have these values failing, from a magnitude or an n on."""
    at = where.pop("at", 0)
    axis = where.pop("axis", "magnitude")
    return [
        row | {"nan": row["components"], "accurate": 0}
        if all(row[key] == value for key, value in where.items()) and row[axis] >= at
        else row
        for row in rows
    ]


def changed(rows, values, **where):
    """The rows with these values in the ones that have those."""
    return [
        row | values if all(row[key] == value for key, value in where.items()) else row
        for row in rows
    ]


def accumulators():
    ways = {"sequential": (1.5, 300.0), "sequential:float32": (1.0, 3.0), "kahan": (1.0, 1.0)}
    return [
        case(formula="shifted", dtype=dtype, arithmetic="rounded", accumulation=way, n=n,
             ulp_error_max=error)
        for dtype in ("float16", "bfloat16")
        for way, errors in ways.items()
        for n, error in zip((16, 4096), errors, strict=True)
    ]  # fmt: skip


def gaps():
    rows = [
        case(problem="cross_entropy", formula=formula, dtype=dtype, n=2, magnitude=M,
             distribution="two_point", target="argmax", samples=1)
        for formula, dtype, M in itertools.product(
            ("shifted", "log1p"), ("float16", "float64"), (1.0, 8.0, 40.0)
        )
    ]  # fmt: skip
    rows = fails(rows, formula="shifted", dtype="float16", at=8)
    return fails(rows, formula="shifted", dtype="float64", at=40)


def offsets():
    return [
        case(problem="log_softmax", formula=formula, dtype=dtype, offset=offset, bits_kept=bits)
        for dtype in ("float16", "float32")
        for formula, kept in (("log1p", (10.0, 9.0)), ("minus_lse", (9.0, 1.0)))
        for offset, bits in zip((0.0, 10.0, 100.0, -1000.0), (kept[0], *kept, kept[1]), strict=True)
    ]


def storage():
    return [
        case(formula=f"{stem}[store={store}]", dtype="float64", magnitude=M,
             relative_error_max=u * M**2, normwise_error_max=u * (M if stem == "downcast" else 1))
        for stem in ("downcast", "centred_downcast")
        for store, u in (("float16", 1e-3), ("bfloat16", 1e-2))
        for M in (1.0, 10.0, 100.0)
    ]  # fmt: skip


def upcast():
    return [
        case(formula=formula, dtype=dtype, n=n, bits_kept=bits)
        for dtype in ("float16", "bfloat16")
        for formula, bits in (("shifted", 6.0), ("shifted[compute=float32]", 8.0))
        for n in range(2, 42)
    ]


def magnitudes():
    rows = [
        case(problem=problem, formula=formula, dtype=dtype, magnitude=M,
             bits_kept=10.0 if dtype == "float16" else 7.0)
        for problem, formula in (
            ("log_softmax", "shifted"), ("log_softmax", "log1p"), ("cross_entropy", "shifted"),
            ("cross_entropy", "log1p"), ("softmax", "naive"), ("softmax", "shifted"),
            ("logsumexp", "naive"), ("logsumexp", "log1p"),
        )
        for dtype in ("float16", "bfloat16", "float32", "float64")
        for M in (1.0, 10.0, 100.0, 1e4)
    ]  # fmt: skip
    for problem in ("log_softmax", "cross_entropy"):
        rows = fails(rows, problem=problem, formula="shifted", at=10)
    for dtype, at in (("float16", 10), ("bfloat16", 100)):
        rows = fails(rows, formula="naive", dtype=dtype, at=at)
    return rows


def libraries():
    return [
        case(formula="library", dtype=dtype, arithmetic=who, distribution="uniform",
             ulp_error_max=error)
        for dtype in ("float16", "bfloat16")
        for who, error in (("torch", 0.5), ("jax", 9.6), ("numpy", 9.0))
    ]  # fmt: skip


def vocabulary():
    rows = [
        case(problem="logsumexp", formula="library", dtype=dtype, arithmetic=who, n=n,
             distribution="equal", samples=1)
        for dtype in ("float16", "bfloat16")
        for who in ("torch", "jax")
        for n in (1024, 65504, 65536, 128256)
    ]  # fmt: skip
    return fails(rows, dtype="float16", axis="n", at=65536)


def _only(**values):
    """A change of the rows that have these values: to others, named with an underscore before."""
    new = {key[1:]: values.pop(key) for key in list(values) if key.startswith("_")}
    return lambda rows: changed(rows, new, **values)


def _failing(**where):
    return lambda rows: fails(rows, **where)


def _up_to(most, axis="magnitude", **where):
    """A change that leaves out what these values have beyond the end of an axis."""
    return lambda rows: [
        row
        for row in rows
        if row[axis] <= most or not all(row[key] == value for key, value in where.items())
    ]


# a law, the study that it is measured in with what supports it, and changes that break it
PLANTED = [
    (ACCUMULATOR_FIXES_N, "accumulators", accumulators, [
        _only(dtype="bfloat16", accumulation="sequential", n=4096, _ulp_error_max=14.0),
        _only(dtype="float16", accumulation="sequential:float32", n=4096, _ulp_error_max=4.1),
        _only(accumulation="sequential:float32", n=4096, _ulp_error_max=math.inf),
        _only(_ulp_error_max=0.0),
        _only(_ulp_error_max=math.inf),
        _only(accumulation="sequential:float32", n=16, _ulp_error_max=math.inf),
        _only(dtype="float16", accumulation="sequential", n=16, _ulp_error_max=0.0),
        _up_to(16, "n", accumulation="sequential:float32"),
    ]),
    (FORMULA_FIXES_TAILS, "top_class_gap", gaps, [
        _failing(formula="log1p", dtype="float64", at=40),
        lambda rows: changed(rows, {"nan": 0, "accurate": 32}, formula="shifted", dtype="float64"),
        _up_to(8.0, formula="log1p"),
    ]),
    (FORMULA_FIXES_OFFSETS, "offset", offsets, [
        _only(formula="log1p", dtype="float32", offset=-1000.0, _bits_kept_min=5.0),
        _only(formula="minus_lse", dtype="float16", _bits_kept_min=7.5),
        _only(formula="log1p", dtype="float16", _bits_kept_min=math.nan),
        _only(formula="log1p", dtype="float32", offset=100.0, _bits_kept_min=math.nan),
        _only(_bits_kept_min=9.0),
        _up_to(10.0, "offset", formula="log1p"),
    ]),
    (STORAGE_FIXES_MAGNITUDE, "storage", storage, [
        _only(formula="downcast[store=float16]", magnitude=100.0, _relative_error_max=0.09),
        _only(formula="downcast[store=bfloat16]", magnitude=1.0, _relative_error_max=2.0),
        _only(_relative_error_max=0.0),
        _only(_relative_error_max=math.inf),
    ]),
    (CENTRE_BEFORE_STORING, "storage", storage, [
        _only(formula="centred_downcast[store=bfloat16]", _normwise_error_max=0.06),
        _only(formula="centred_downcast[store=float16]", _normwise_error_max=math.inf),
        _only(_normwise_error_max=0.0),
        _only(_normwise_error_max=math.inf),
    ]),
    (ROUND_ONCE, "upcast", upcast, [
        _only(formula="shifted[compute=float32]", dtype="float16", _bits_kept_min=6.0),
        lambda rows: [
            row | {"bits_kept_min": 5.0} if "[" in row["formula"] and row["n"] < 5 else row
            for row in rows
        ],
        lambda rows: [
            row | {"bits_kept_min": 5.98} if "[" in row["formula"] and row["n"] < 5 else row
            for row in rows
        ],
    ]),
    (FORMULA_OUTLASTS_DTYPE, "magnitude_sweep", magnitudes, [
        _failing(problem="log_softmax", formula="log1p", dtype="bfloat16", at=10),
        lambda rows: changed(
            rows, {"nan": 0, "accurate": 32}, problem="cross_entropy", formula="shifted",
            dtype="float64",
        ),
        _up_to(1.0, formula="log1p"),
        _up_to(100.0, formula="log1p", dtype="bfloat16"),
        _up_to(100.0, formula="shifted", dtype="float64"),
    ]),
    (RANGE_OR_DIGITS, "magnitude_sweep", magnitudes, [
        _failing(problem="logsumexp", formula="naive", dtype="bfloat16", at=10),
        _only(problem="softmax", formula="shifted", dtype="float16", magnitude=1.0,
              _bits_kept_min=7.0),
        _up_to(10.0, formula="naive", dtype="bfloat16"),
    ]),
    (LIBRARY_DECIDES, "libraries", libraries, [
        _only(arithmetic="torch", dtype="bfloat16", _ulp_error_max=2.5),
        _only(_ulp_error_max=0.0),
        _only(_ulp_error_max=math.inf),
        _only(arithmetic="torch", _ulp_error_max=0.0),
    ]),
    (FLOAT16_CANNOT_COUNT, "vocabulary", vocabulary, [
        _failing(dtype="float16", arithmetic="jax", axis="n", at=65504),
        _failing(dtype="bfloat16", arithmetic="torch", axis="n", at=128256),
        lambda rows: changed(rows, {"nan": 0, "accurate": 32}, arithmetic="torch"),
        _up_to(1024, "n", dtype="bfloat16"),
    ]),
]  # fmt: skip
IDS = [law.says for law, *_ in PLANTED]


def judged(law, study, rows, manifest=MANIFEST):
    """What becomes of one law, and its measurements, if this is the only report there is."""
    found = laws([Study(study, table(*rows), manifest)])
    assert found.count == len(LAWS)
    for how in ("supported", "unsupported"):
        for one in getattr(found, how):
            if one.law is law:
                return how, one
    assert law in found.missing
    return "missing", None


def test_every_law_is_planted():
    assert {law.says for law in LAWS} == set(IDS)


@pytest.mark.parametrize(("law", "study", "rows"), [one[:3] for one in PLANTED], ids=IDS)
def test_a_law_that_the_measurements_support_says_how_many_samples_there_were(law, study, rows):
    how, found = judged(law, study, rows())
    assert how == "supported" and all(one.holds for one in found.measured)
    total = sum(one.samples for one in found.measured)
    assert 0 < total <= sum(row["samples"] for row in rows())
    assert found.samples == f"{total:,}"
    for one in found.measured:
        assert re.search(r"\d", one.text)
        kind = "offset" if study == "offset" else "formula"
        assert one.address.startswith(f"{study}/README.md#{kind}-")


@pytest.mark.parametrize(
    ("law", "study", "rows", "change"),
    [(law, study, rows, change) for law, study, rows, changes in PLANTED for change in changes],
)
def test_one_measurement_against_a_law_is_enough(law, study, rows, change):
    how, found = judged(law, study, change(rows()))
    assert how == "unsupported"
    assert any(not one.holds for one in found.measured)


@pytest.mark.parametrize(("law", "study", "rows"), [one[:3] for one in PLANTED], ids=IDS)
def test_a_law_without_its_cases_is_missing_and_never_claimed(law, study, rows):
    others = [row | {"problem": "softmax", "formula": "other"} for row in rows()]
    assert judged(law, study, others)[0] == "missing"
    elsewhere = judged(law, "elsewhere", rows())[0]
    assert elsewhere == ("supported" if law is ROUND_ONCE else "missing")
    skipped = [row | {"skipped": row["components"], "accurate": 0} for row in rows()]
    assert judged(law, study, skipped)[0] == "missing"


def test_the_numbers_of_a_law_are_the_planted_ones():
    _, sums = judged(ACCUMULATOR_FIXES_N, "accumulators", accumulators())
    assert [one.of for one in sums.measured] == ["float16", "bfloat16"]
    assert sums.measured[0].text == (
        "1.5 → 300 ulps added up in float16, 1 → 3 in float32 (n 16 → 4,096)"
    )
    _, tails = judged(FORMULA_FIXES_TAILS, "top_class_gap", gaps())
    assert [one.text for one in tails.measured] == [
        "shifted fails from 8 on, log1p has no failure up to 40",
        "shifted fails from 40 on, log1p has no failure up to 40",
    ]
    _, once = judged(ROUND_ONCE, "any", fails(upcast(), formula="shifted", n=2, dtype="float16"))
    assert once.measured[0].of == "float16 (numpy, native accumulation) beside float32"
    assert once.measured[0].text == (
        "2 bits more in the median of 40 cases (2 at least, 2 at most); cases with a failure 1 → 0"
    )


@pytest.mark.parametrize(
    ("law", "study", "rows", "without"),
    [
        (FORMULA_FIXES_OFFSETS, "offset", offsets, {"formula": "log1p", "offset": 0.0}),
        (FORMULA_FIXES_OFFSETS, "offset", offsets, {"formula": "minus_lse", "offset": 0.0}),
        *((FORMULA_OUTLASTS_DTYPE, "magnitude_sweep", magnitudes, {"dtype": dtype})
          for dtype in ("float16", "bfloat16", "float32", "float64")),
    ],
)  # fmt: skip
def test_a_law_that_lacks_a_part_of_its_cases_is_missing(law, study, rows, without):
    left = [row for row in rows() if any(row[key] != value for key, value in without.items())]
    assert judged(law, study, left)[0] == "missing"


@pytest.mark.parametrize(
    ("dtype", "inside"),
    [("float32", "float32"), ("float32", "float16"), ("float16", "bfloat16"), ("float16", "tf32"),
     ("float16", "unheard")],
)  # fmt: skip
def test_a_format_inside_without_more_bits_is_no_pair(dtype, inside):
    """Whichever keeps more: what is narrower inside neither supports nor refutes the law."""
    rows = [
        row | {"dtype": dtype, "formula": row["formula"].replace("float32", inside)}
        for row in upcast()
        if row["dtype"] == "float16"
    ]
    assert judged(ROUND_ONCE, "upcast", rows, OWN)[0] == "missing"


def test_a_study_s_own_format_can_be_the_wider_one():
    rows = [row | {"formula": row["formula"].replace("float32", "tf32")} for row in upcast()]
    how, found = judged(
        ROUND_ONCE, "upcast", [row for row in rows if row["dtype"] == "bfloat16"], OWN
    )
    assert how == "supported"
    assert [one.of for one in found.measured] == [
        "bfloat16 (numpy, native accumulation) beside tf32"
    ]


@pytest.mark.parametrize("axis", ["base", "beta", "ignored"])
def test_only_cases_of_the_same_settings_are_paired(axis):
    rows = [row | {axis: value} for value in (2.0, 10.0) for row in upcast()]
    how, found = judged(ROUND_ONCE, "upcast", rows)
    assert how == "supported"
    assert all(" of 80 cases " in one.text for one in found.measured)
