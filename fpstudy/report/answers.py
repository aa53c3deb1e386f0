"""The answer in plain words: of each verdict in a line, and of each problem in a sentence."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

from fpstudy.report.facets import Facets
from fpstudy.report.formats import Formats
from fpstudy.report.numbers import bits, count, magnitude
from fpstudy.report.tables import Row, verdict_row
from fpstudy.report.variants import SETTING, computed_by, how, in_order, with_variants
from fpstudy.report.verdicts import Verdict, dominant, each_verdict, outcome_text


@dataclass(frozen=True)
class Answer:
    """A verdict as the page prints it: its row, and what stands in plain words beside it.

    tells:   what the row can be filtered by
    far:     "no failure up to 1e4", and the samples and the end of it as a note
    keeps:   "worst 9.3 of 11", and where as a note
    first:   where the first of the other formulas fails, and what is to be said of the rest
    reach, least, error: what the columns are sorted by
    """

    row: Row
    tells: str
    far: tuple[str, str]
    keeps: tuple[str, str]
    first: tuple[str, str]
    reach: float
    least: float
    error: float


def answers(
    summary: pd.DataFrame, table: pd.DataFrame, inputs: str, formats: Formats, facets: Facets
) -> list[Answer]:
    """The verdicts on "magnitudes" or on "given" inputs, in the order of the table."""
    cases = with_variants(summary)
    found = []
    for v in each_verdict(table[table["inputs"] == inputs]):
        row = verdict_row(v, formats[v.dtype].precision)
        setting = setting_of(cases, v)
        judged = setting[setting["measured"] > 0]["formula"].unique()
        told = facets.keys(
            problem=[v.problem], dtype=[v.dtype], formula=judged,
            arithmetic=[computed_by(v.arithmetic, v.accumulation)],
        )  # fmt: skip
        far = _far(row, v, samples_text(cases_of(cases, v)))
        first, _, rest = row.others.partition("; ")
        keys = (v.largest_magnitude, v.bits_worst, v.relative_error_max)
        found.append(Answer(row, told, far, _keeps(row, v), (first, rest), *keys))
    return found


def setting_of(cases: pd.DataFrame, v: Verdict) -> pd.DataFrame:
    """The cases of a verdict's problem and setting, of all formulas that it chooses among.

    cases: a summary `with_variants`
    """
    setting = cases[SETTING].astype(str) == [v.dtype, v.arithmetic, v.accumulation]
    swept = cases["swept"] if v.inputs == "magnitudes" else ~cases["swept"]
    found = cases[(cases["variant"] == v.problem) & setting.all(axis=1) & swept]
    return found[[how(str(formula)) == v.how for formula in found["formula"]]]


def cases_of(cases: pd.DataFrame, v: Verdict) -> pd.DataFrame:
    """The cases that a verdict rests on: of its formula, up to its largest magnitude."""
    own = setting_of(cases, v)
    own = own[own["formula"].astype(str) == v.formula]
    return own if v.inputs == "given" else own[own["magnitude"] <= v.largest_magnitude]


def samples_text(cases: pd.DataFrame) -> str:
    """How many samples stand behind a statement: "16 samples a case", or "" for no case."""
    sizes = sorted({int(n) for n in cases["samples"]})
    if not sizes:
        return ""
    said = count(sizes[0]) if len(sizes) == 1 else f"{count(sizes[0])} to {count(sizes[-1])}"
    return f"{said} sample{'s' * (said != '1')} a case"


def _far(row: Row, v: Verdict, samples: str) -> tuple[str, str]:
    if v.inputs == "given":
        return row.safe, ", ".join(filter(None, (row.safe_note, samples)))
    if math.isnan(v.largest_magnitude):
        return "fails from the start", row.safe_note
    return f"no failure up to {row.safe}", f"in {samples}, {row.safe_note}"


def _keeps(row: Row, v: Verdict) -> tuple[str, str]:
    """The fewest bits kept, and what the row says of where."""
    if math.isnan(v.bits_worst):
        return row.bits, row.bits_note
    where = row.bits if " at " in row.bits else ""
    return f"worst {bits(v.bits_worst)} of {row.precision}", ", ".join(
        filter(None, (where, row.bits_note))
    )


# --- a sentence for each problem ----------------------------------------------------------------


@dataclass(frozen=True)
class Sentence:
    """What is to be said of one problem, as markup; tells: what it can be filtered by."""

    problem: str
    tells: str
    text: Markup


def sentences(
    summary: pd.DataFrame, table: pd.DataFrame, formats: Formats, facets: Facets
) -> list[Sentence]:
    """A sentence for each problem with a verdict, in the order of the table of verdicts."""
    cases = with_variants(summary)
    found = []
    for problem in in_order(table["problem"]):
        of = table[table["problem"] == problem]
        alike = of.groupby(["how", "inputs"], sort=False)
        parts = [_said(each_verdict(part), cases, formats) for _, part in alike]
        found.append(Sentence(problem, facets.keys(problem=[problem]), Markup(" ").join(parts)))
    return found


def _said(verdicts: list[Verdict], cases: pd.DataFrame, formats: Formats) -> Markup:
    """Which formula, how far, how many bits at least, what fails first.

    verdicts: of one problem, on inputs of one kind, among formulas that part alike from the dtype
    """
    given = verdicts[0].inputs == "given"
    samples = samples_text(pd.concat([cases_of(cases, v) for v in verdicts]))
    where = ", ".join(filter(None, (verdicts[0].how, "on the inputs given" * given)))
    opening = f"{where[0].upper()}{where[1:]}: use " if where else "Use "
    said = [Markup.escape(opening) + _uses(verdicts)]
    said.append(Markup.escape(_share_failing(verdicts) if given else _reach(verdicts, samples)))
    fewest = _by_dtype(verdicts, lambda of: _fewest(of, formats))
    if fewest:
        said.append(Markup.escape(f"The worst sample keeps {fewest}"))
    said += _hint(verdicts)
    if not given:
        said.append(_first_failure(pd.concat([setting_of(cases, v) for v in verdicts])))
    return Markup(". ").join(said) + Markup(".")


def _hint(verdicts: list[Verdict]) -> list[Markup]:
    """What to do where hardly a bit is right."""
    few = dict.fromkeys(v.dtype for v in verdicts if v.bits_worst < 1)
    if not few or verdicts[0].how:
        return []
    told = Markup("Less than one bit, in {}, is no answer: <code>fpstudy advise</code> tries what")
    return [told.format(listed(few)) + " computes wider"]


def _uses(verdicts: list[Verdict]) -> Markup:
    """The formulas: `a`; `a` (`b` in float16); `a` in 7 of 9 dtypes and arithmetics, `b` in 2."""
    of = {v.formula: [w.dtype for w in verdicts if w.formula == v.formula] for v in verdicts}
    (best, its), *others = sorted(of.items(), key=lambda one: -len(one[1]))
    code = Markup("<code>{}</code>").format
    if not others:
        return code(best)
    if len({v.dtype for v in verdicts}) < len(verdicts):
        rest = Markup(", ").join(code(name) + f" in {len(dtypes)}" for name, dtypes in others)
        return code(best) + f" in {len(its)} of {len(verdicts)} dtypes and arithmetics, " + rest
    told = Markup(", ").join(code(name) + f" in {listed(dtypes)}" for name, dtypes in others)
    return code(best) + Markup(" ({})").format(told)


def _by_dtype(verdicts: list[Verdict], words: Callable[[list[Verdict]], str]) -> str:
    """What is to be said of each dtype, those alike together; "" where there is nothing."""
    same: dict[str, list[str]] = {}
    for dtype in dict.fromkeys(v.dtype for v in verdicts):
        same.setdefault(words([v for v in verdicts if v.dtype == dtype]), []).append(dtype)
    same.pop("", None)
    return ", ".join(f"{text} in {listed(dtypes)}" for text, dtypes in same.items())


def _reach(verdicts: list[Verdict], samples: str) -> str:
    """How far: "No failure up to 1e4, the largest measured, in 16 samples a case"."""
    from_start = sum(math.isnan(v.largest_magnitude) for v in verdicts)
    if from_start == len(verdicts):
        return f"Every formula fails already at {magnitude(verdicts[0].least_measured)}"
    whole = {v.largest_magnitude if _ends_with_the_study(v) else None for v in verdicts}
    if len(whole) == 1 and None not in whole:
        far = f"{magnitude(verdicts[0].largest_magnitude)}, the largest measured"
    else:
        far = _by_dtype(verdicts, _magnitudes)
    return f"No failure up to {far}, in {samples}" + (
        f"; {from_start} of {len(verdicts)} dtypes and arithmetics fail from the start"
    ) * bool(from_start)


def _magnitudes(verdicts: list[Verdict]) -> str:
    """How far in one dtype: "31.6", "256 (all measured)", "31.6 to 1e4"; "" for none."""
    far = _range([v.largest_magnitude for v in verdicts], magnitude)
    return far + " (all measured)" * all(_ends_with_the_study(v) for v in verdicts)


def _ends_with_the_study(v: Verdict) -> bool:
    """Whether no magnitude was measured beyond the largest without failure."""
    return v.largest_magnitude == v.largest_measured


def _range(values: list[float], words: Callable[[float], str]) -> str:
    """The least and the largest of the values that there are."""
    known = [value for value in values if not math.isnan(value)]
    return " to ".join(dict.fromkeys((words(min(known)), words(max(known))))) if known else ""


def _share_failing(verdicts: list[Verdict]) -> str:
    failing, components = sum(v.failing for v in verdicts), sum(v.components for v in verdicts)
    if not failing:
        return f"No failure among {count(components)} results"
    return f"{count(failing)} of {count(components)} results fail"


def _fewest(verdicts: list[Verdict], formats: Formats) -> str:
    """Bits kept in one dtype: "9.3 of 11 bits", or over its settings "0 to 9.3 of 11 bits"."""
    kept = _range([v.bits_worst for v in verdicts], bits)
    return f"{kept} of {formats[verdicts[0].dtype].precision} bits" if kept else ""


def _first_failure(cases: pd.DataFrame) -> Markup:
    """The formula that fails at the least magnitude, and in which dtype."""
    failing = cases[cases["failing"] > 0]
    if failing.empty:
        return Markup("No formula failed")
    (first,) = failing.sort_values("magnitude", kind="stable").head(1).to_dict("records")
    return Markup("First to fail: <code>{}</code> in {}, from {} ({})").format(
        str(first["formula"]), str(first["dtype"]), magnitude(float(first["magnitude"])),
        outcome_text(dominant(first)),
    )  # fmt: skip


def listed(words: Iterable[str]) -> str:
    """Words in a row: "a", "a and b", "a, b and c"."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
