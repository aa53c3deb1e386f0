"""Commands on single inputs: exact, show."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from fpstudy.cli.faults import CHECK_FAILED, USAGE, faults
from fpstudy.cli.options import (
    LOGITS_HELP,
    check_selection,
    input_options,
    only_option,
    refuse_options,
)


@click.command(context_settings={"ignore_unknown_options": False})
@click.argument("problem")
@click.option("--logits", required=True, metavar="X,X,..", help=LOGITS_HELP)
@input_options
@click.option(
    "--dtype", default="float64", show_default=True, help="Format in which the inputs are stored."
)
@click.option("--digits", type=int, default=40, show_default=True, help="Significant digits.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def exact(
    problem: str, logits: str, labels: str | None, target: str | None, base: str | None,
    beta: str | None, reduction: str, ignore_index: int, dtype: str, digits: int, as_json: bool,
) -> None:  # fmt: skip
    """Certify one value at the stored inputs, and say what each format rounds it to.

    \b
    Numbers are exact decimals or hex floats; each is rounded once to the dtype.
      fpstudy exact logsumexp --logits 0,-40
      fpstudy exact softmax --logits 0.1,0x1.8p-3,-2 --dtype bfloat16 --digits 12
      fpstudy exact cross_entropy --logits 1000,0 --labels 0.5,0.5
      fpstudy exact softmax --logits 3,1,1 --beta inf
    """  # noqa: D301 (as above)
    from fpstudy import calculator

    try:
        value = _value(
            problem, logits, dtype, labels=labels, target=target, base=base, beta=beta,
            reduction=reduction, ignore_index=ignore_index,
        )  # fmt: skip
        shown = calculator.show(value, digits)
    except calculator.UndecidedError as error:
        click.echo(f"undecided: {error}", err=True)
        sys.exit(CHECK_FAILED)
    except ValueError as error:
        click.echo(f"fpstudy exact: {error}", err=True)
        sys.exit(USAGE)
    if as_json:
        click.echo(json.dumps(shown, indent=1))
    else:
        click.echo(calculator.text(shown))


def _value(
    problem: str, logits: str, dtype: str, *, labels: str | None, target: str | None, **others: Any
) -> Any:
    """The exact value at an input of the command line; ValueError says what is wrong with it."""
    from fpstudy import calculator

    return calculator.exact(
        problem,
        _vectors(logits),
        labels=None if labels is None else _vectors(labels),
        target=None if target is None else _indices(target),
        dtype=dtype,
        **others,
    )


def _vectors(text: str) -> list[list[str]]:
    """Rows of number texts from "1,2; 3,4"; an empty entry is refused later as no number."""
    return [[entry.strip() for entry in row.split(",")] for row in text.split(";")]


def _indices(text: str) -> list[int]:
    try:
        return [int(entry) for entry in text.split(",")]
    except ValueError:
        raise ValueError(f"target: want indices such as 0 or 0,2, got {text!r}") from None


@click.command()
@click.argument("source", metavar="FOLDER|STUDY|PROBLEM")
@click.argument("case", type=click.IntRange(0), required=False)
@only_option
@click.option("--sample", type=click.IntRange(0), metavar="K", help="By default the case's worst.")
@click.option(
    "--files",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    metavar="DIR",
    help="Folder of the study's files of logits, which a report does not hold.",
)
@click.option("--logits", metavar="X,X,..", help=LOGITS_HELP + " Then no CASE.")
@input_options
@click.option("--dtype", help="Of the logits given and of the arithmetic; by default float32.")
@click.option("--arithmetic", help="What evaluates the formulas; by default numpy.")
@click.option("--accumulation", help="How it adds up; by default as a study's would.")
@click.option(
    "--component",
    "components",
    type=int,
    multiple=True,
    metavar="J",
    help="Show this one in place of each formula's worst; repeatable.",
)
@click.option("--all", "every", is_flag=True, help="Show all components, up to 16.")
@click.option("--verbose", "-v", is_flag=True, help="Say where each formula fails.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def show(
    source: str,
    case: int | None,
    only: Any,
    sample: int | None,
    files: Path | None,
    logits: str | None,
    dtype: str | None,
    arithmetic: str | None,
    accumulation: str | None,
    components: tuple[int, ...],
    every: bool,
    verbose: bool,
    as_json: bool,
    **others: Any,
) -> None:
    """Show one input: its bits, the exact value, and what every formula makes of it.

    Of a report or a study: CASE is a row of summary.csv, counted from 0 (the column `case` of the
    record); --only can stand for it where it leaves one case, and lists the cases where it leaves
    several. Where the report has its record, the numbers are held against it, else against
    summary.csv; a difference is said. Or of logits on the command line. A formula that is code of
    the user's own is listed and never imported.

    \b
      fpstudy show reports/quickstart 137
      fpstudy show reports/quickstart --only problem=softmax --only dtype=float16
      fpstudy show experiments/quickstart.toml 137 --sample 3 --component 0
      fpstudy show logsumexp --logits 0,-40 --dtype float32
      fpstudy show softmax --logits 12,0,-3 --dtype float16 --arithmetic rounded --all
    """  # noqa: D301 (as above)
    from fpstudy.report import one_input
    from fpstudy.visible import visible

    with faults():
        if logits is None:
            refuse_options("goes with --logits; a case has its own", OF_LOGITS)
            heading, warnings, found = _of_case(
                Path(source), case, only, files, sample=sample, components=components, every=every
            )
        else:
            refuse_options("goes with a CASE, not with --logits", OF_CASE)
            computing = {"arithmetic": arithmetic or "numpy", "accumulation": accumulation}
            try:
                value = _value(source, logits, dtype or "float32", **others)
                heading, warnings, found = _of_value(value, computing, components, every)
            except ValueError as error:
                raise click.UsageError(str(error)) from None
    if as_json:
        shown = {"heading": heading, **one_input.as_dict(found), "warnings": warnings}
        click.echo(json.dumps(shown, indent=1, ensure_ascii=False, allow_nan=False))
    else:
        one_input.print_inspection(found, heading, verbose)
    for warning in warnings:
        click.echo(f"warning: {visible(warning)}", err=True)


OF_LOGITS = (
    "labels", "target", "base", "beta", "reduction", "ignore_index", "dtype", "arithmetic",
    "accumulation",
)  # fmt: skip
OF_CASE = ("case", "only", "sample", "files")
Found = tuple[str, list[str], Any]  # a heading, warnings, and the input from close by
MOST_LISTED = 20  # cases among which a user is to choose


def _of_case(
    path: Path, case: int | None, only: dict[str, set[str]], files: Path | None, **shown: Any
) -> Found:
    """A case of a report or of a study file."""
    from fpstudy import recorded

    if not path.exists():
        raise click.UsageError(
            f"{path}: no such folder or file; want a report's folder, a study file, or a problem"
            " with --logits"
        )
    there = recorded.find(path, files)
    number = _numbered(list(there.cases), only) if case is None else case
    if case is not None and only:
        raise click.UsageError("CASE and --only exclude each other: either names the case")
    done = recorded.show(there, number, **shown)
    return done.heading, list(done.warnings), done.inspection


def _numbered(cases: list[Any], only: dict[str, set[str]]) -> int:
    """The number of the one case that --only leaves; says which there are where it is not one."""
    from fpstudy.cases import select
    from fpstudy.visible import visible

    if not only:
        raise click.UsageError(
            f"want a CASE, 0 to {len(cases) - 1}, as a row of summary.csv; or --only COLUMN=VALUE"
        )
    check_selection(cases, only)
    kept = set(select(cases, only))
    numbers = [number for number, case in enumerate(cases) if case in kept]
    if len(numbers) == 1:
        return numbers[0]
    axes = [cases[number].axes for number in numbers]
    differ = [name for name in axes[0] if len({str(row[name]) for row in axes}) > 1]
    lines = [
        f"  {number}  " + ", ".join(f"{name}={visible(row[name])}" for name in differ)
        for number, row in zip(numbers[:MOST_LISTED], axes, strict=False)
    ]
    more = [f"  and {len(numbers) - MOST_LISTED} more"] * (len(numbers) > MOST_LISTED)
    click.echo("\n".join([f"{len(numbers)} cases; name one:", *lines, *more]), err=True)
    sys.exit(USAGE)


def _of_value(
    value: Any, computing: dict[str, Any], components: tuple[int, ...], every: bool
) -> Found:
    """Logits of the command line."""
    from fpstudy import inspection

    case = inspection.given(value, **computing)
    chosen = inspection.chosen_components(case, value.inputs, components, every)
    found = inspection.inspect(case, value.inputs, components=chosen)
    return f"{value.problem} at the logits given", [], found
