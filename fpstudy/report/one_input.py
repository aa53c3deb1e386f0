"""One input for a terminal and for machines: stored numbers, exact values, every formula's result.

Names, and what a formula raised, are the text of others: they are printed as text, never as markup.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from fpstudy.arithmetic.evaluators import formulas
from fpstudy.cases import AXES
from fpstudy.encoding import bits_text, encode, hexadecimal, shortest
from fpstudy.formats import Format
from fpstudy.inspection import DIGITS, Component, Inspection, Result
from fpstudy.problems import PROBLEMS
from fpstudy.report.numbers import NONE, bits, number
from fpstudy.report.variants import computed_by, input_name
from fpstudy.report.verdicts import outcome_text
from fpstudy.user_code import is_code
from fpstudy.visible import visible

MOST_WIDTH = 10_000
LEAST_WIDTH = 80  # a narrower terminal wraps the lines, which loses nothing
WHOLE = 16  # logits that are all shown
FIRST = 3  # of a longer vector, beside the largest and those of the components
MOST_NAME = 24  # characters of a formula's name that stay on one line
STACKED_NAME = 16  # the same where the bits have no column of their own
OWN = "*"  # before the name of the case's own formula


def print_inspection(found: Inspection, heading: str, verbose: bool = False) -> None:
    """Print inputs, exact values and results on stdout; `verbose` adds where each formula fails."""
    inputs, results = _inputs_table(found), _results_table(found)
    console = Console(highlight=False)
    if _least_width(results) > max(console.width, LEAST_WIDTH):
        results = _results_table(found, stacked=True)
    console.width = max(console.width, LEAST_WIDTH, *map(_least_width, (inputs, results)))
    _print(console, heading, *_about(found), "")
    console.print(inputs)
    _print(console, *_exact_lines(found), "")
    if _width(results).maximum > console.width:
        results.columns[0].width = results.columns[0].min_width  # else rich cuts the outcomes off
    if results.rows:
        console.print(results)
    notes = [*_notes(found), *(_failings(found) if verbose else ())]
    _print(console, *[""] * bool(notes), *notes)


def _least_width(table: Table) -> int:
    """Columns that the table needs so that no number and no word of it is cut."""
    return _width(table).minimum


def _width(table: Table) -> Measurement:
    """Columns that the table takes, with as many lines as it can have and with as few."""
    console = Console(width=MOST_WIDTH)
    return Measurement.get(console, console.options, table)


def _print(console: Console, *lines: str) -> None:
    for line in lines:
        console.print(Text(visible(line) or " "))


def _about(found: Inspection) -> Iterator[str]:
    """The problem, who computes, and where the logits come from."""
    case = found.case
    problem = PROBLEMS[case.demand.problem]
    yield f"{problem.name}: {problem.mathematics}"
    yield f"{case.format.name}; {computed_by(case.arithmetic, case.accumulation)}"
    said = [f"{key} {value}" for key, value in _axes(found).items()]
    if said:
        yield ", ".join(said)


def _axes(found: Inspection) -> dict[str, str]:
    """What else the case is of, without what says nothing."""
    axes, idle = found.case.axes, {"offset": 0.0, "masked": 0.0, "ignored": 0.0, "batch": 1}
    if axes["distribution"] == "given":
        return {}
    return {
        key: input_name(str(axes[key])) if key == "distribution" else _plain(axes[key])
        for key in AXES[AXES.index("n") : -1]
        if axes[key] not in ("", "none") and axes[key] == axes[key] and axes[key] != idle.get(key)
    }


def _plain(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _inputs_table(found: Inspection) -> Table:
    """The stored logits and labels: all of a short vector, the telling ones of a long one."""
    x, q, f = found.inputs.x[0], found.inputs.q, found.case.format
    table = _table(("stored input", "left"), ("decimal", "right"), ("hexadecimal", "left"))
    labels = None if q is None else q[0].ravel()
    if labels is not None:
        table.add_column("label", justify="right")
    table.add_column("")
    for k, note in _telling(found).items():
        value = float(x.flat[k])
        cells = [_index(x, k), shortest(value, f), hexadecimal(value)]
        cells += [] if labels is None else [shortest(float(labels[k]), f)]
        table.add_row(*map(Text, [*cells, note]))
    for name, value in found.inputs.parameters.items():
        empty = [""] * (labels is not None)
        table.add_row(*map(Text, [name, shortest(value, f), hexadecimal(value), *empty, ""]))
    if x.size > WHOLE:
        table.caption = f"{len(table.rows)} of {x.size:,} logits"
        table.caption_justify = "left"
    return table


def _telling(found: Inspection) -> dict[int, str]:
    """The logits to show, in order, each with what it is."""
    x, q = found.inputs.x[0], found.inputs.q
    notes: dict[int, list[str]] = {k: [] for k in range(x.size if x.size <= WHOLE else FIRST)}
    if x.max() > x.min():
        notes.setdefault(int(x.argmax()), []).append("largest")
        notes.setdefault(int(x.argmin()), []).append("least")
    if q is not None and x.size > WHOLE:
        notes.setdefault(int(q[0].argmax()), []).append("largest label")
    if PROBLEMS[found.case.demand.problem].vector and x.size > WHOLE:
        for component in found.components:
            notes.setdefault(component.index, []).append("shown below")
    return {k: ", ".join(notes[k]) for k in sorted(notes)}


def _index(x: np.ndarray[Any, Any], k: int) -> str:
    """x[k]; of a batch x[row, k]."""
    places = np.unravel_index(k, x.shape)
    return f"x[{', '.join(str(int(place)) for place in places)}]"


def _exact_lines(found: Inspection) -> Iterator[str]:
    """The exact values of the components shown."""
    yield ""
    yield f"exact to {DIGITS} digits, proven, and rounded to {found.case.format.name}"
    for component in found.components:
        yield from _component_lines(found, component)


def _component_lines(found: Inspection, component: Component) -> Iterator[str]:
    """The exact value, the number of the format nearest to it, and that number's bits."""
    f, nearest, indent = found.case.format, component.nearest, "  "
    if PROBLEMS[found.case.demand.problem].vector:
        yield f"  component {component.index}"
        indent = "    "
    yield f"{indent}exact    {component.exact}"
    if not math.isnan(nearest) or component.exact not in ("undefined", "undecided"):
        yield f"{indent}rounded  {shortest(nearest, f)}  {hexadecimal(nearest)}"
        encoding = encode(nearest, f)
        if encoding is not None:
            line = f"{indent}bits     {encoding.hexadecimal} = "
            short = len(line) + len(encoding.parts) <= LEAST_WIDTH
            yield line + (encoding.parts if short else "")
            if not short:
                yield f"{indent}         {encoding.parts}"


def _results_table(found: Inspection, stacked: bool = False) -> Table:
    """A row for each result of what was run; what raised an error has it in the notes.

    stacked: the bits below the number computed, for a format and a terminal in which both have no
             room beside each other
    """
    vector = PROBLEMS[found.case.demand.problem].vector
    columns = [("formula", "left")] + [("at", "right")] * vector
    apart = [("computed", "right"), ("bits", "left")]
    columns += [("computed\nbits", "right")] if stacked else apart
    columns += [("ulp\nerror", "right"), ("relative\nerror", "right"), ("bits\nkept", "right")]
    table, before, errors = _table(*columns, ("outcome", "left")), "", _reasons(found, False)
    for result in _run(found):
        name = "" if result.formula == before else _marked(found, result)
        before = result.formula
        computed, pattern, *numbers = _numbers(result, found.case.format)
        both = [f"{computed}\n{pattern}"] if stacked else [computed, pattern]
        outcome = outcome_text(result.outcome)
        outcome += f" ({list(errors).index(result.reason) + 1})" if result.reason else ""
        cells = [name, *[_at(result)] * vector, *both, *numbers, outcome]
        style = "bold" if _is_own(found, result.formula) else ""
        table.add_row(*(Text(cell, style=style) for cell in cells))
    longest = max((len(_marked(found, result)) for result in _run(found)), default=0)
    table.columns[0].min_width = min(STACKED_NAME if stacked else MOST_NAME, longest)
    table.columns[-1].no_wrap = False
    return table


def _run(found: Inspection) -> list[Result]:
    """The results of the formulas that were run."""
    return [result for result in found.results if result.outcome != "skipped"]


def _at(result: Result) -> str:
    return str(result.component) if result.component >= 0 else NONE


def _numbers(result: Result, f: Format) -> list[str]:
    ran = result.component >= 0
    return [
        shortest(result.computed, f) if ran else NONE,
        bits_text(result.computed, f) if ran else NONE,
        number(result.ulp_error),
        number(result.relative_error),
        bits(result.bits_kept),
    ]


def _is_own(found: Inspection, formula: str) -> bool:
    return found.own is not None and formula == found.own.formula


def _marked(found: Inspection, result: Result) -> str:
    own = _is_own(found, result.formula)
    return visible(f"{OWN} {result.formula}" if own else result.formula)


def _reasons(found: Inspection, skipped: bool) -> dict[str, list[str]]:
    """Each reason why a formula was not run, or why it gave nothing, with those formulas."""
    reasons: dict[str, list[str]] = {}
    for result in found.results:
        if result.reason and (result.outcome == "skipped") == skipped:
            reasons.setdefault(result.reason, []).append(_marked(found, result))
    return reasons


def _notes(found: Inspection) -> Iterator[str]:
    for k, error in enumerate(_reasons(found, False), start=1):
        yield f"({k}) {error}"
    for reason, names in _reasons(found, True).items():
        yield f"not run: {', '.join(names)} ({reason})"
    if found.own is not None:
        yield f"{OWN} the case's own formula"


def _failings(found: Inspection) -> Iterator[str]:
    """What each formula computes, and where it fails."""
    known = formulas(found.case.demand.problem, found.case.arithmetic)
    for name in dict.fromkeys(result.formula for result in found.results):
        formula = None if is_code(name) else known.get(name.partition("[")[0])
        if formula is not None:
            yield f"{name}: {formula.mathematics}"
            yield f"  Fails: {formula.fails}"


def _table(*columns: tuple[str, str]) -> Table:
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    for heading, justify in columns:
        table.add_column(heading, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    table.columns[0].no_wrap, table.columns[0].overflow = False, "fold"
    return table


def as_dict(found: Inspection) -> dict[str, Any]:
    """The same for machines: numbers in hexadecimal and decimal, errors as numbers.

    JSON has no infinity and no NaN: they are texts, "inf" and "nan".
    """
    case, inputs = found.case, found.inputs
    stored: dict[str, Any] = {"logits": _hex(inputs.x[0])}
    if inputs.q is not None:
        stored["labels"] = _hex(inputs.q[0])
    stored |= {name: float(value).hex() for name, value in inputs.parameters.items()}
    return {
        "problem": case.demand.problem,
        "dtype": case.format.name,
        "arithmetic": case.arithmetic,
        "accumulation": case.accumulation,
        "axes": _axes(found),
        "inputs": stored,
        "digits": DIGITS,
        "components": [
            {
                "component": component.index,
                "exact": component.exact,
                "rounded": _number(component.nearest, case.format),
            }
            for component in found.components
        ],
        "results": [_result(found, result) for result in found.results],
    }


def _result(found: Inspection, result: Result) -> dict[str, Any]:
    ran = result.component >= 0
    return {
        "formula": result.formula,
        "own": _is_own(found, result.formula),
        "component": result.component if ran else None,
        "computed": _number(result.computed, found.case.format) if ran else None,
        "ulp_error": _finite(result.ulp_error),
        "relative_error": _finite(result.relative_error),
        "bits_kept": _finite(result.bits_kept),
        "outcome": result.outcome,
        "reason": result.reason,
    }


def _number(x: float, f: Format) -> dict[str, Any]:
    encoding = encode(x, f)
    return {
        "decimal": shortest(x, f),
        "hex": float(x).hex(),
        "bits": None if encoding is None else encoding.hexadecimal,
    }


def _finite(x: float) -> float | str:
    return x if math.isfinite(x) else str(x)


def _hex(x: np.ndarray[Any, Any]) -> Any:
    return [_hex(row) for row in x] if x.ndim > 1 else [float(v).hex() for v in x]
