"""The page over all reports: what its tables take from which study, and where its links lead."""

import dataclasses
import math
import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from test_report import HOSTILE, MANIFEST, OWN, case, growth, record, sweep, table

from fpstudy import manifest
from fpstudy.formats import FORMATS, Format
from fpstudy.report import verdicts, write_index, write_report
from fpstudy.report.anchors import formula_anchor, verdict_anchor
from fpstudy.report.markdown import anchor, link
from fpstudy.report.offsets import offset_table
from fpstudy.report.profile import (
    lengths_text,
    own_cases,
    profile,
    samples_text,
    typical_text,
)
from fpstudy.report.variants import computed_by, how, with_variants
from fpstudy.report.verdicts import each_verdict, judgements

ROOT = Path(__file__).parent.parent


def save(reports, name, rows, said=MANIFEST):
    """A report below the folder of reports, its pages included."""
    folder, summary = reports / name, table(*rows)
    folder.mkdir(parents=True)
    summary.to_csv(folder / "summary.csv", index=False)
    manifest.write(folder, said)
    write_report(folder, record(summary), summary, said, figures=False)


def page(reports):
    write_index(reports)
    return (reports / "README.md").read_text(encoding="utf-8")


def rows_of(text, problem):
    """The rows of a problem's table at a glance, without its heads, as cells."""
    _, _, after = text.partition(f"\n### {problem}\n")
    lines = [line for line in after.split("\n#")[0].splitlines() if line.startswith("|")]
    cells = [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines[2:]]
    return [[cell.strip() for cell in row] for row in cells]


# --- what a link leads to ---------------------------------------------------------------------


def links(text):
    """The addresses of all links of a page."""
    return re.findall(r"(?<!\\)\]\(([^)]*)\)", without_code(text))


def without_code(text):
    """A page without its code blocks and spans, in which nothing is markup."""
    return re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", re.sub(r"(?m)^    .*$", "", text))


def anchors(path):
    return re.findall(r'<a id="([^"]+)"></a>', path.read_text(encoding="utf-8"))


def dead(path):
    """The links of a page whose file or anchor is not there."""
    found = []
    for address in links(path.read_text(encoding="utf-8")):
        name, _, fragment = address.partition("#")
        target = path.parent / unquote(name) if name else path
        if not target.is_file() or (fragment and fragment not in anchors(target)):
            found.append(address)
    return found


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """Reports with every table: two arithmetics, an own format, a wider one inside, lengths."""
    reports = tmp_path_factory.mktemp("reports")
    save(reports, "wide", sweep(100.0))
    save(reports, "narrow", [row for row in sweep(1.0) if row["magnitude"] >= 1])
    save(reports, "inside", [
        case(formula="shifted[compute=float32]", magnitude=M, bits_kept=11.0) for M in (0.1, 10.0)
    ])  # fmt: skip
    save(reports, "long", [
        case(problem="cross_entropy", formula="log1p", n=n, magnitude=M, bits_kept=bits)
        for n, bits in ((16, 10.0), (512, 9.0), (50_000, 8.0))
        for M in (1.0, 30.0)
    ])  # fmt: skip
    save(reports, "accumulators", [
        case(formula="shifted", arithmetic="rounded", accumulation=way, n=n, ulp_error_max=error)
        for way, errors in (("sequential", (1.0, 99.0)), ("sequential:float32", (1.0, 1.0)))
        for n, error in zip((16, 4096), errors, strict=True)
    ])  # fmt: skip
    save(reports, "a (b) [c](d) #", sweep(1.0, problem="logsumexp"))
    return reports


def test_every_link_of_the_page_leads_to_a_file_and_an_anchor_that_are_there(reports):
    text = page(reports)
    assert dead(reports / "README.md") == []
    found = links(text)
    for prefix in ("#at-a-glance-", "wide/README.md#verdict-", "wide/README.md#formula-",
                   "inside/README.md#formula-softmax-shifted-compute-float32-float16-numpy-native",
                   "accumulators/README.md#formula-", "long/README.md#formula-", "narrow/README.md",
                   "a%20%28b%29%20%5Bc%5D%28d%29%20%23/README.md#"):  # fmt: skip
        assert any(address.startswith(prefix) for address in found), prefix


def test_a_link_to_nowhere_would_be_seen(tmp_path):
    (tmp_path / "README.md").write_text('<a id="x"></a>[a](#x) [b](#y) [c](no.md)')
    assert dead(tmp_path / "README.md") == ["#y", "no.md"]


@pytest.mark.parametrize("path", sorted(ROOT.glob("reports/**/README.md")), ids=str)
def test_every_link_of_a_committed_report_leads_somewhere(path):
    assert dead(path) == []


def test_every_row_of_a_report_has_its_own_anchor(reports):
    for path in reports.glob("*/README.md"):
        found = anchors(path)
        assert len(found) == len(set(found)) > 0


def test_names_in_anchors_and_links_stay_text(tmp_path):
    hostile = "<script>[e](f)"
    save(tmp_path, "hostile", [
        case(problem=HOSTILE, formula=formula, arithmetic=HOSTILE, magnitude=M)
        for formula in (HOSTILE, "x[compute=<script>]", "y[store=<script>]")
        for M in (1.0, 10.0)
    ])  # fmt: skip
    text = page(tmp_path) + (tmp_path / "hostile" / "README.md").read_text(encoding="utf-8")
    known = r'<a id="[a-z0-9_.-]+"></a>|<br>|</?(details|summary)>'
    outside = re.sub(known, "", without_code(text))
    assert not re.findall(r"<(/?\w+)", outside)
    assert "[e](f)" not in outside and "\u202e" not in text
    assert dead(tmp_path / "README.md") == []
    assert anchor(hostile) == '<a id="-script--e--f-"></a>'
    assert link(hostile, "#x") == r"[&lt;script&gt;\[e\](f)](#x)"


# --- at a glance ------------------------------------------------------------------------------


def test_a_row_rests_on_the_widest_study_and_then_on_the_one_of_most_formulas(tmp_path):
    save(tmp_path, "narrow", [row for row in sweep(1.0) if row["magnitude"] >= 1])
    wide = sweep(100.0, dtypes=("float16",))
    save(tmp_path, "wide", [row for row in wide if row["formula"] == "shifted"])
    save(tmp_path, "wider", wide)
    who, float16, float32 = rows_of(page(tmp_path), "softmax")
    assert who[:2] == ["**numpy**", "*native accumulation*"]
    assert float16[:2] == ["float16<br>11 bits", "`shifted`"]
    row = "wider/README.md#verdict-softmax-float16-numpy-native-magnitudes"
    assert float16[2] == f"[100 (all)]({row})"
    assert float16[5] == "`naive` from 100: NaN"
    assert "[wider](wider" in float16[6] and float16[6].endswith("<br>24 samples")
    assert "[narrow](narrow" in float32[6] and float32[5] == "`naive` from 1: NaN"


def test_a_row_says_what_the_worst_sample_kept_and_from_shortest_to_longest_n(tmp_path):
    rows = [
        case(magnitude=M, n=n, bits_kept=kept - math.log2(M), normwise_error_max=2.0**-7 / M)
        for M in (1.0, 8.0, 150.0)
        for n, kept in ((4, 10.0), (64, 9.0))
    ]
    save(tmp_path, "one", rows)
    save(tmp_path, "longer", [case(n=n, magnitude=2.0, bits_kept=n / 100) for n in (1, 1024)])
    (_, row) = rows_of(page(tmp_path), "softmax")
    bits = row[3].replace("\N{NO-BREAK SPACE}", " ")
    assert bits.startswith("[9 / 6 at 8 / 1.8 at 150](one/README.md#formula-softmax-naive-float16")
    assert bits.endswith("<br>*norm 7 / 10 at 8 / 11 at 150*")
    lengths = row[4].replace("\N{NO-BREAK SPACE}", " ")
    assert lengths.startswith("[0 → 10.2](longer/") and lengths.endswith("n 1 → 1,024 at 2")


def test_a_result_that_is_one_number_has_no_norm(tmp_path):
    save(tmp_path, "one", [case(problem="logsumexp", magnitude=M) for M in (1.0, 10.0)])
    assert "norm" not in "".join(rows_of(page(tmp_path), "logsumexp")[1])


def test_a_formula_that_fails_itself_says_so(tmp_path):
    outcomes = {0.1: "accurate", 1.0: "accurate", 9.0: "spurious_overflow"}
    save(tmp_path, "one", [case(outcome, magnitude=M) for M, outcome in outcomes.items()])
    (_, row) = rows_of(page(tmp_path), "softmax")
    assert row[2].startswith("[1](one/") and row[5] == "*itself* from 9: infinity"


def test_what_computes_in_another_format_has_rows_of_its_own_and_what_stores_in_one_none(tmp_path):
    names = ("shifted", "shifted[compute=float32]", "downcast[store=bfloat16]")
    save(tmp_path, "one", [case(formula=f, magnitude=M) for f in names for M in (1.0, 10.0)])
    text = page(tmp_path)
    own, plain, wide, inside = rows_of(text, "softmax")
    assert own[1] == wide[1] == "*native accumulation*" and wide[3] == "*computing in float32*"
    assert plain[1] == "`shifted`" and inside[1] == "`shifted`<br>`[compute=float32]`"
    assert "downcast" not in text
    report = (tmp_path / "one" / "README.md").read_text(encoding="utf-8")
    assert "numpy, native accumulation, logits stored in bfloat16 | `downcast" in report


def test_arithmetics_and_own_formats_of_one_name_stay_apart(tmp_path):
    other = Format("tf32", precision=4, emax=7, emin=-6)
    both = [
        case(magnitude=M, dtype="tf32", **who) for M in (1.0, 2.0)
        for who in ({}, {"arithmetic": "rounded", "accumulation": "kahan:float32"})
    ]  # fmt: skip
    save(tmp_path, "a", both, OWN)
    mine = MANIFEST | {"formats": {"tf32": dataclasses.asdict(other)}}
    save(tmp_path, "b", [both[0], both[2]], mine)
    save(tmp_path, "one", growth(dtype="float16"))  # sweeps no magnitude
    numpy, first, second, rounded, third = rows_of(page(tmp_path), "softmax")
    assert [row[0] for row in (first, second, third)] == [
        "tf32<br>11 bits, exponents -126 .. 127", "tf32<br>4 bits, exponents -6 .. 7",
        "tf32<br>11 bits, exponents -126 .. 127",
    ]  # fmt: skip
    assert numpy[:2] == ["**numpy**", "*native accumulation*"]
    assert rounded[:2] == ["**rounded**", "*kahan sums in float32*"]
    assert ["[a]" in first[6], "[b]" in second[6], "[a]" in third[6]] == [True] * 3


def test_magnitudes_that_are_gaps_make_no_row(tmp_path):
    gaps = [case(distribution="two_point", magnitude=M) for M in (1.0, 10.0, 100.0)]
    save(tmp_path, "gaps", gaps)
    save(tmp_path, "mixed", [*gaps, *(case(magnitude=M) for M in (1.0, 1000.0))])
    assert "No report has swept the magnitude" in page(tmp_path)
    save(tmp_path, "drawn", [case(magnitude=M) for M in (1.0, 10.0)])
    (_, row) = rows_of(page(tmp_path), "softmax")
    assert "[drawn](drawn" in row[6]


def test_a_page_of_given_inputs_only_has_no_table(tmp_path):
    save(tmp_path, "given", [case(distribution="explicit[1]", magnitude=1.0)])
    text = page(tmp_path)
    assert "|---" not in text and "* [Made up](given/README.md): Which formula?" in text
    assert dead(tmp_path / "README.md") == []


def test_tables_have_as_many_cells_as_their_heads_and_no_more_than_seven(reports):
    cells = None
    for line in page(reports).splitlines():
        here = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else None
        assert None in (cells, here) or cells == here, line
        assert here is None or here <= 8
        cells = here


# --- by length, which formula -----------------------------------------------------------------


def test_the_table_by_length_is_of_the_study_with_the_longest_vectors(reports):
    text = page(reports).replace("\N{NO-BREAK SPACE}", " ")
    part = text.split("### By length")[1].split("###")[0]
    assert "magnitude 1 / 30:" in part and "4 samples behind each number; [long]" in part
    assert "| dtype, use | n = 16 | n = 512 | n = 50,000 |" in part
    (row,) = [line for line in part.splitlines() if line.startswith("| float16")]
    assert re.findall(r"\[([^]]*)\]", row) == ["10 / 10", "9 / 9", "8 / 8"]


def test_the_formulas_to_use_come_with_their_mathematics_and_where_they_fail(reports):
    text = page(reports)
    part = text.split("## Which formula")[1]
    (row,) = [line for line in part.splitlines() if line.startswith("| softmax | `shifted` | `")]
    assert "`exp(x_j - m) / sum_i exp(x_i - m), m = max(x)`" in row
    assert "65,520 of them in float16" in row and row.endswith("| 3 of 3 |")
    onset = next(line for line in part.splitlines() if line.startswith("| `naive` |"))
    assert re.findall(r"\[([^]]*)\]", onset) == ["from 100: NaN"] * 2
    used = next(line for line in part.splitlines() if line.startswith("| **`shifted`**"))
    assert re.findall(r"\[([^]]*)\]", used) == ["none up to 100"] * 2


def test_a_librarys_own_formula_is_named_with_the_library(tmp_path):
    rows = [
        case(formula="library", arithmetic=who, magnitude=M)
        for who in ("torch", "torch.compile", "numpy") for M in (1.0, 10.0)
    ]  # fmt: skip
    save(tmp_path, "one", rows)
    part = page(tmp_path).split("## Which formula")[1]
    found = re.findall(r"\| softmax \| `library` of (\w+) \| `([\w.]+).*\| (\d of \d) \|", part)
    assert found == [
        ("torch", "torch.nn.functional.softmax", "2 of 3"),
        ("scipy", "scipy.special.softmax", "1 of 3"),
    ]


# --- the profile of a formula -----------------------------------------------------------------


def _profile(*rows, precision=11):
    summary = table(*rows)
    (verdict,) = each_verdict(verdicts(summary))
    return profile(own_cases(with_variants(summary), verdict), precision)


def test_a_profile_looks_at_the_magnitudes_nearest_to_1_10_and_100_within_a_factor_of_2():
    found = _profile(*(case(magnitude=M) for M in (0.4, 2.0, 4.9, 20.1, 90.0, 120.0)))
    assert [kept and kept.at for kept in found.typical] == [2.0, None, 90.0]


def test_a_profile_is_of_the_worst_of_all_samples_and_counts_them():
    found = _profile(
        case(bits_kept=9.0, target="argmax"), case(bits_kept=7.5, target="random"),
        case("skipped", magnitude=1000.0), case(magnitude=10.0),
    )  # fmt: skip
    one, ten, hundred = found.typical
    assert (one.bits, one.samples, ten.bits, ten.samples, hundred) == (7.5, 8, 9.0, 4, None)
    assert samples_text(found) == "4 to 8"
    assert typical_text(found, lambda kept: kept.bits).split() == ["7.5", "/", "9", "/", "–"]


@pytest.mark.parametrize(
    ("error", "bits"), [(0.0, 11.0), (2.0**-5, 5.0), (2.0**-60, 11.0), (3.0, 0.0), (math.inf, 0.0)]
)
def test_normwise_bits_lie_between_0_and_the_precision(error, bits):
    assert _profile(case(normwise_error_max=error)).typical[0].normwise == bits


def test_one_n_alone_has_no_effect():
    found = _profile(case(n=8), case(n=64, magnitude=30.0), case(n=8, magnitude=30.0))
    assert found.lengths == () and lengths_text(found) == ("–", "")


# --- what else an option of a formula says ----------------------------------------------------


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        ("shifted", ""), ("blocked[block=64,state=float32]", ""), ("x[", ""), ("x[compute=]", ""),
        ("shifted[compute=float32]", "computing in float32"),
        ("x[block=8,compute=bfloat16]", "computing in bfloat16"),
        ("downcast[store=float8_e5m2]", "logits stored in float8_e5m2"),
        ("downcast[store=bfloat16,compute=float32]",
         "computing in float32, logits stored in bfloat16"),
    ],
)  # fmt: skip
def test_how_a_formula_parts_from_the_dtype(formula, text):
    assert how(formula) == text
    assert computed_by("numpy", "native", how(formula)).endswith(text or "native accumulation")


def test_formulas_that_part_from_the_dtype_are_judged_among_themselves():
    rows = [
        case("nan" if formula == "naive" and M > 1 else "accurate", formula=formula, magnitude=M)
        for formula in ("naive", "naive[compute=float32]", "shifted[compute=float32]")
        for M in (1.0, 10.0)
    ]
    plain, inside = each_verdict(verdicts(table(*rows)))
    assert (plain.formula, plain.how, plain.largest_magnitude) == ("naive", "", 1.0)
    assert plain.samples == 4 and "compute" not in plain.others
    assert (inside.how, inside.samples) == ("computing in float32", 8)
    assert [len(judged) for judged in judgements(table(*rows))] == [1, 2]


def test_anchors_name_what_a_row_is_of():
    who = ("softmax (base b)", "float16", "rounded", "kahan:float32")
    assert verdict_anchor(*who, "given") == (
        "verdict-softmax-base-b-float16-rounded-kahan-float32-given"
    )
    assert verdict_anchor(*who, "magnitudes", "computing in float32") == (
        "verdict-softmax-base-b-float16-rounded-kahan-float32-computing-in-float32-magnitudes"
    )
    assert formula_anchor("softmax", "blocked[block=8]", "float16", "torch:cuda", "native") == (
        "formula-softmax-blocked-block-8-float16-torch-cuda-native"
    )
    assert FORMATS["float16"].precision == 11


# --- by offset --------------------------------------------------------------------------------


def test_offsets_have_a_table_of_the_worst_of_both_directions_at_the_least_magnitude():
    rows = [
        case("nan" if abs(c) > 10 else "accurate", offset=c, magnitude=M, bits_kept=9.0 - M + c / 5)
        for c in (-100.0, -10.0, -1.0, 0.0, 1.0, 10.0, 100.0)
        for M in (1.0, 4.0)
    ]
    found = offset_table(table(*rows))
    assert found is not None and found.magnitude == "1"
    assert found.offsets.split() == ["0", "/", "1", "/", "10", "/", "100"]
    (row,) = found.rows
    assert row.anchor == "offset-softmax-naive-float16-numpy-native"
    assert (row.reach, row.reach_note) == ("10", "fails at 100")
    assert row.kept.split() == ["8", "/", "7.8", "/", "6", "/", "0"]


def test_few_offsets_have_no_table():
    assert offset_table(table(*(case(offset=c) for c in (-10.0, 0.0, 1.0, 10.0)))) is None
