"""The command that writes tables for papers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from fpstudy import whole_file
from fpstudy.cli.faults import faults
from fpstudy.cli.options import check_selection, only_option, refuse_options

MOST_COLUMNS, MOST_ROWS = 12, 60  # of a table that a page still holds
OF_ERRORS = ("rows", "columns", "value")  # options of `table --what errors` alone


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--what",
    type=click.Choice(["verdicts", "errors", "failures"]),
    default="verdicts",
    show_default=True,
    help="The formulas to use, one error over two axes, or failures by kind.",
)
@click.option(
    "--format",
    "language",
    type=click.Choice(["markdown", "latex", "csv"]),
    default="markdown",
    show_default=True,
    help="latex needs booktabs; csv has plain numbers with all their digits.",
)
@click.option("--rows", default="formula", show_default=True, help="Of errors: an axis.")
@click.option("--columns", default="magnitude", show_default=True, help="Of errors: another axis.")
@click.option(
    "--value",
    default="relative_error_max",
    show_default=True,
    help="Of errors: a measured column or a count of summary.csv.",
)
@only_option
@click.option(
    "--digits",
    type=click.IntRange(1, 17),
    default=3,
    show_default=True,
    help="Significant digits, in markdown and latex.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write it there instead of printing it.",
)
def table(
    folder: Path, what: str, language: str, rows: str, columns: str, value: str, only: Any,
    digits: int, out: Path | None,
) -> None:  # fmt: skip
    """Write a report's numbers as a table for a paper, in LaTeX, Markdown or CSV.

    FOLDER is a report, or its summary.csv. A table says what it is of: study, dtype, arithmetic,
    accumulation, inputs and samples. Errors are the worst of the samples and of whatever is no axis
    of the table; problems, formulas, dtypes and arithmetics are never pooled but have a table each.
    Failures stay in: a number in brackets counts the results that fail.

    \b
      fpstudy table reports/quickstart
      fpstudy table reports/quickstart --what failures --format csv --out failures.csv
      fpstudy table reports/quickstart --what errors --only problem=softmax --only dtype=float16
      fpstudy table reports/quickstart --what errors --rows dtype --value bits_kept_min \\
        --only formula=log1p --only magnitude=1,10,100 --format latex
    """  # noqa: D301 (as above)
    from fpstudy.report import paper
    from fpstudy.report_folder import read_report, read_summary, summary_path

    with faults():
        if what != "errors":
            refuse_options("goes with --what errors", OF_ERRORS)
        path = summary_path(folder)
        alone = not (path.parent / "manifest.json").is_file()
        summary, manifest = (read_summary(path), {}) if alone else read_report(path)
        axes = (rows, columns, value)
        tables = _tables(_selected(summary, only), manifest, what, axes)
        text = paper.written(tables, language, digits, manifest)
        if out is None:
            click.echo(text, nl=False)
        else:
            whole_file.write(out, text.encode())
            click.echo(f"wrote {out}")
    for hint in _hints(tables, language == "latex"):
        click.echo(hint, err=True)


def _selected(summary: Any, only: dict[str, set[str]]) -> Any:
    """The rows of a summary that --only keeps."""
    from types import SimpleNamespace

    from fpstudy.cases import AXES, select

    if not only:
        return summary
    rows = summary[list(AXES)].to_dict("records")
    cases: list[Any] = [SimpleNamespace(axes=row, number=k) for k, row in enumerate(rows)]
    check_selection(cases, only)
    kept: list[Any] = select(cases, only)
    return summary.iloc[[case.number for case in kept]].reset_index(drop=True)


def _tables(summary: Any, manifest: Any, what: str, axes: tuple[str, str, str]) -> Any:
    """The tables asked for."""
    from fpstudy.report import paper

    if what == "verdicts":
        return paper.verdict_table(summary, manifest)
    if what == "failures":
        return paper.failure_table(summary, manifest)
    try:
        return paper.errors(summary, manifest, *axes)
    except ValueError as error:
        raise click.UsageError(str(error)) from None


def _hints(tables: Any, printed: bool) -> Iterator[str]:
    """What is in no table, and tables that no page holds."""
    if tables.given:
        yield (
            f"{tables.given:,} cases on given logits, which have no magnitude, are in no table;"
            " --columns distribution shows them"
        )
    for table in tables.tables:
        columns, rows = len(table.columns), len(table.rows)
        if printed and (columns > MOST_COLUMNS or rows > MOST_ROWS):
            yield (
                f"a table of {columns} columns and {rows} rows is too large for a page; --only"
                " COLUMN=VALUE,.. keeps some"
            )
            return
