"""The commands: parse, call, print. Results go to stdout, everything else to stderr.

Exit codes: 0 fine; 1 a check failed (the witness, an inequality); 2 the usage or the study file is
wrong; 3 some cases crashed and the rest is recorded; 74 no room or no right to write; 130
interrupted, 143 terminated.
"""

import json
import re
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from fpstudy import __version__

CHECK_FAILED, USAGE, CRASHED, NO_ROOM = 1, 2, 3, 74
LISTS = ("problems", "formulas", "dtypes", "arithmetics", "studies")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="fpstudy")
def main() -> None:
    """Measure the floating-point error of softmax, log-sum-exp, cross-entropy and their gradients.

    A study file sweeps logit magnitudes, dtypes, vector lengths and formulas; every result is
    scored against a proven exact value, and the tables, figures and pages go into a report.

    \b
    Start here:
      fpstudy run experiments/quickstart.toml      ten seconds: a study and its report
      fpstudy exact logsumexp --logits 0,-40       one certified value
      fpstudy advise --problem softmax --n 1000    which dtype and formula meet a tolerance
      fpstudy list formulas                        what there is to study, and where it fails
    """  # noqa: D301 (\b is click's mark for a paragraph that is not to be wrapped)


@contextmanager
def _faults() -> Iterator[None]:
    """Errors of the user and of the file system, as messages with their exit codes."""
    from fpstudy.damage import AbsentError, DamagedError
    from fpstudy.distributions import LogitsError
    from fpstudy.environment.floating_point import UnsteadyError
    from fpstudy.study import StudyError
    from fpstudy.user_code import CodeError

    try:
        with _terminable():
            yield
    except (StudyError, LogitsError, CodeError, DamagedError, AbsentError) as error:
        click.echo(str(error), err=True)
        sys.exit(USAGE)
    except UnsteadyError as error:
        click.echo(f"check failed: {error}", err=True)
        sys.exit(CHECK_FAILED)
    except OSError as error:
        click.echo(f"{error.filename or 'output'}: {error.strerror or error}", err=True)
        sys.exit(NO_ROOM)
    except KeyboardInterrupt:
        click.echo("interrupted; the report as it was is untouched", err=True)
        sys.exit(130)
    except _Terminated:
        click.echo("terminated; the report as it was is untouched", err=True)
        sys.exit(143)


class _Terminated(BaseException):
    """SIGTERM, as an exception that unwinds what is running, workers included."""


@contextmanager
def _terminable() -> Iterator[None]:
    def raise_it(*_: object) -> None:
        raise _Terminated

    before = signal.signal(signal.SIGTERM, raise_it)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _selection(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> dict[str, set[str]]:
    """--only column=value[,value] options as a table; columns are a case's axes."""
    from fpstudy.cases import AXES

    chosen: dict[str, set[str]] = {}
    for value in values:
        column, equals, texts = value.partition("=")
        if not equals or column not in AXES:
            raise click.BadParameter(
                f"{value!r}: want COLUMN=VALUE, COLUMN one of {', '.join(AXES)}"
            )
        chosen.setdefault(column, set()).update(texts.split(","))
    return chosen


def _check_selection(cases: list[Any], only: dict[str, set[str]]) -> None:
    """Every text of --only selects some case; says what there is where it does not."""
    from fpstudy.cases import select

    for column, texts in only.items():
        known = sorted({str(case.axes[column]) for case in cases})
        for text in sorted(texts):
            if not select(cases, {column: {text}}):
                there = ", ".join(known[:20]) + (", ..." if len(known) > 20 else "")
                raise click.UsageError(f"--only {column}={text}: no such case; there are {there}")
    if only and not select(cases, only):
        raise click.UsageError("--only leaves no case: no case has all of these values")


def _keep_whole(out: Path) -> None:
    """A part of a study does not replace the report of the whole."""
    try:
        there = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
        whole = there["only"] == {}
    except (OSError, ValueError, KeyError, TypeError):
        return
    if whole:
        raise click.UsageError(
            f"--out {out} holds the report of a whole study; name another folder"
        )


def _folder(context: click.Context, parameter: click.Parameter, value: Path | None) -> Path | None:
    if value is not None and str(value) in ("", "."):
        raise click.BadParameter("want a folder of its own for the report")
    return value


study_argument = click.argument("study", type=click.Path(path_type=Path))
only_option = click.option(
    "--only", multiple=True, callback=_selection, metavar="COLUMN=VALUE",
    help="Keep the cases with this value, as dtype=float16 or formula=naive,shifted; repeatable.",
)  # fmt: skip


figures_option = click.option(
    "--figures/--no-figures", default=True,
    help="Draw the figures, or leave them to a later `fpstudy report DIR`.",
)  # fmt: skip


@main.command()
@study_argument
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", callback=_folder,
    help="Folder of the report; by default reports/<name>.",
)  # fmt: skip
@click.option(
    "--jobs", type=click.IntRange(1, 4096), metavar="N",
    help="Processes; by default 1 for a small study, else one for each core. Results are the same.",
)  # fmt: skip
@only_option
@click.option(
    "--allow-code", multiple=True, metavar="MODULE",
    help='Let the study\'s "MODULE:function" formulas be imported and run; repeatable.',
)  # fmt: skip
@click.option("--fresh", is_flag=True, help="Measure again even where the record is up to date.")
@figures_option
def run(
    study: Path, out: Path | None, jobs: int | None, only: Any, allow_code: tuple[str, ...],
    fresh: bool, figures: bool,
) -> None:  # fmt: skip
    """Run a study: measure, and write tables, figures and pages.

    Writes record.parquet (a row for each case and sample), summary.csv (a row for each case),
    figures/*.svg, README.md, index.html and manifest.json. Running again from the same
    environment keeps the record and rebuilds the rest.
    """
    from fpstudy import flow, planning, progress
    from fpstudy.cases import expand, select
    from fpstudy.study import load

    with _faults():
        loaded = load(study)
        cases = expand(loaded)
        _check_selection(cases, only)
        cases = select(cases, only)
        if out is not None and only:
            _keep_whole(out)
        planning.check_memory(loaded, flow.tasks(loaded, cases))
        with progress.shown(loaded.name) as show:
            done = flow.run(
                loaded,
                out,
                jobs=jobs,
                only=only,
                fresh=fresh,
                progress=show,
                notice=_say,
                allow_code=allow_code,
                figures=figures,
            )
    _print_verdicts(done)
    for failure in done.failures:
        click.echo(f"check failed: {failure}", err=True)
    crashed = done.manifest["cases"]["crashed"]
    if crashed:
        click.echo(f"{crashed} cases crashed; summary.csv has the reasons", err=True)
    sys.exit(CHECK_FAILED if done.failures else CRASHED if crashed else 0)


def _say(line: str) -> None:
    click.echo(line, err=True)


def _print_verdicts(done: Any) -> None:
    """The verdict table, the witness's count and where the report lies."""
    from fpstudy.report import terminal

    if len(done.summary):
        terminal.print_verdicts(done.summary)
    counts, witness = done.manifest["cases"], done.manifest["witness"]
    click.echo(
        f"{counts['run']:,} cases measured, {counts['skipped']:,} skipped. Exact values:"
        f" {done.manifest['truths']:,}, {done.manifest['undecided']:,} undecided;"
        f" mpmath recomputed {witness['checked']:,}, of which {witness['agreed']:,} agree."
    )
    claims = Counter(claim["verdict"] for claim in done.manifest["claims"])
    if claims:
        told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(claims.items()))
        click.echo(f"{claims.total()} claims: {told}.")
    click.echo(f"report: {done.directory / 'index.html'}")


@main.command()
@study_argument
@only_option
def plan(study: Path, only: Any) -> None:
    """Say what a run would do: cases by axis, what is skipped and why, about how long."""
    from fpstudy import planning
    from fpstudy.cases import expand
    from fpstudy.study import load

    with _faults():
        loaded = load(study)
        _check_selection(expand(loaded), only)
        planned = planning.plan(loaded, only=only)
    click.echo(str(planned))


@main.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, exists=True))
@figures_option
def report(folder: Path, figures: bool) -> None:
    """Rebuild tables, figures and pages of a report from its record.

    DIR is one report, or a folder of reports such as reports/: then its index, README.md, is
    written, and every report below that has a record is rebuilt.
    """
    from fpstudy import flow
    from fpstudy.report import write_index

    with _faults():
        if (folder / "record.parquet").is_file():
            click.echo(f"report: {flow.rebuild(folder, figures=figures).directory / 'index.html'}")
            return
        below = sorted(path.parent for path in folder.glob("*/summary.csv"))
        if not below:
            raise click.UsageError(f"{folder}: no record.parquet here and no reports below")
        for one in below:
            if (one / "record.parquet").is_file():
                rebuilt = flow.rebuild(one, figures=figures)
                click.echo(f"report: {rebuilt.directory / 'index.html'}")
        write_index(folder)
        click.echo(f"index: {folder / 'README.md'}")


@main.command("list")
@click.argument("what", type=click.Choice(LISTS))
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def list_(what: str, as_json: bool) -> None:
    """Say what there is: problems, formulas, dtypes, arithmetics or studies."""
    from fpstudy import catalogue

    rows = catalogue.LISTS[what]()
    if as_json:
        click.echo(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    for row in rows:
        name, *details = row.values()
        click.echo(name)
        for key, detail in zip(list(row)[1:], details, strict=True):
            click.echo(click.wrap_text(f"{key}: {detail}", 96, "  ", "    "))


_INPUT_OPTIONS = (
    click.option("--labels", metavar="Q,Q,..", help="Label vectors, in the shape of the logits."),
    click.option("--target", metavar="K,..", help="Index of the hard label, one for each vector."),
    click.option("--base", metavar="B", help="softmax with base b instead of e."),
    click.option(
        "--beta", metavar="V", help="softmax with inverse temperature beta; inf and -inf too."
    ),
    click.option(
        "--reduction", type=click.Choice(["none", "mean", "sum"]), default="none",
        show_default=True,
    ),
    click.option(
        "--ignore-index", type=int, default=-100, show_default=True,
        help="Target that does not count.",
    ),
)  # fmt: skip


def _input_options(command: Any) -> Any:
    """The options that say of an input on the command line what is not its logits."""
    for option in reversed(_INPUT_OPTIONS):
        command = option(command)
    return command


LOGITS_HELP = 'As "1000,0"; rows of a batch: "1,2; 3,4".'


@main.command(context_settings={"ignore_unknown_options": False})
@click.argument("problem")
@click.option("--logits", required=True, metavar="X,X,..", help=LOGITS_HELP)
@_input_options
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


def _several(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> list[str] | None:
    """Names apart by commas; those in brackets belong to one name: "a[b=1,c=2],d" is two."""
    return None if value is None else [name.strip() for name in re.split(r",(?![^[]*\])", value)]


Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def _limit_option(name: str, help_text: str) -> Decorator:
    return click.option(name, type=float, metavar="X", help=help_text)


def _several_option(name: str, default: str | None, help_text: str) -> Decorator:
    return click.option(
        name, default=default, show_default=default is not None, callback=_several,
        metavar="NAME,NAME", help=help_text,
    )  # fmt: skip


@main.command()
@click.option(
    "--problem", required=True, help="As softmax or cross_entropy: fpstudy list problems."
)
@click.option(
    "--logits",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Your logits, .npy, .npz or .csv, each row one vector; else they are drawn.",
)
@click.option("--n", type=int, default=10, show_default=True, help="Logits in a drawn vector.")
@click.option("--magnitude", type=float, default=1.0, show_default=True, help="Of drawn logits.")
@click.option("--distribution", default="normal", show_default=True, help="Of drawn logits.")
@click.option("--offset", type=float, default=0.0, help="Added to all drawn logits.")
@click.option("--masked", type=float, default=0.0, help="Share of drawn logits that are -inf.")
@click.option(
    "--samples", type=int, metavar="N", help="Vectors to try; by default what takes seconds."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the drawn logits.")
@_limit_option("--tolerance", "Limit on the relative error; 1e-3 if there is no limit at all.")
@_limit_option("--ulp", "Limit on the error in ulps of the dtype.")
@_limit_option("--total-variation", "Limit on the total variation distance of a softmax.")
@_limit_option("--kl", "Limit on the Kullback-Leibler divergence of a softmax, in nats.")
@_limit_option("--top1-flips", "Limit on the share of samples whose arg max is another class.")
@_limit_option("--sum-error", "Limit on |sum - 1| of a softmax.")
@_limit_option("--mass-lost", "Limit on the probability of classes that become 0.")
@_several_option("--dtypes", "float16,bfloat16,float32,float64", "Dtypes that could be stored.")
@_several_option("--arithmetic", "numpy", "What could carry the formulas out.")
@_several_option("--accumulation", None, "Sums of rounded, as sequential,kahan:float32.")
@_several_option("--formula", "all", "Formulas that could be used.")
@_several_option("--compute", "same,float32", "Formats to compute in; same is the stored dtype.")
@click.option(
    "--arrives-in",
    default="float64",
    show_default=True,
    metavar="DTYPE",
    help="The dtype that the logits are in to begin with; only what rounds them further costs.",
)
@click.option(
    "--target", default="random", show_default=True, help="The label: argmax, or 0, 1, .."
)
@click.option("--labels", default="hard", show_default=True, help="As hard, soft or smoothed.")
@click.option("--base", type=float, help="softmax with base b instead of e.")
@click.option("--beta", type=float, help="softmax with inverse temperature beta.")
@click.option("--all", "everything", is_flag=True, help="Also a line for every candidate.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def advise(
    file: Path | None, dtypes: list[str], target: str, everything: bool, as_json: bool,
    **options: Any,
) -> None:  # fmt: skip
    """Say which dtype, accumulation and formula meet a tolerance on your logits.

    Every candidate is measured now, against proven exact values at the logits as they arrive.
    Advised is the cheapest that meets all limits without a failure: fewest bytes stored, then the
    narrowest accumulator; among equals the one with most room. A choice on drawn logits is
    confirmed on fresh ones. Exits with 1 where nothing meets the limits.

    \b
      fpstudy advise --problem cross_entropy --logits my_logits.npy --tolerance 1e-3
      fpstudy advise --problem softmax --magnitude 30 --n 50000 --total-variation 1e-3
      fpstudy advise --problem softmax --magnitude 8 --n 1000 --arrives-in bfloat16 --ulp 1
    """  # noqa: D301 (as above)
    from fpstudy import progress
    from fpstudy.advice import advise as ask
    from fpstudy.distributions import read_logits

    with _faults(), progress.shown("candidates") as show:
        advice = ask(
            logits=None if file is None else read_logits(file),
            dtypes=dtypes,
            target=int(target) if target.lstrip("-").isdecimal() else target,
            progress=show,
            **options,
        )
    if as_json:
        click.echo(json.dumps(advice.as_dict(), indent=1))
    else:
        click.echo(str(advice))
        if everything:
            click.echo(f"\nAll candidates\n{advice.table.to_string(index=False)}")
    if advice.trial.testimony.disagreements or advice.recommended is None:
        sys.exit(CHECK_FAILED)


MOST_COLUMNS, MOST_ROWS = 12, 60  # of a table that a page still holds
OF_ERRORS = ("rows", "columns", "value")  # options of `table --what errors` alone


@main.command()
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
    from fpstudy.report_folder import read_manifest, read_summary, summary_path

    with _faults():
        if what != "errors":
            _refuse_options("goes with --what errors", OF_ERRORS)
        path = summary_path(folder)
        summary = _selected(read_summary(path), only)
        there = (path.parent / "manifest.json").is_file()
        manifest = read_manifest(path.parent) if there else {}
        axes = (rows, columns, value)
        tables = _tables(summary, manifest, what, axes)
        text = paper.written(tables, language, digits, manifest)
        if out is None:
            click.echo(text, nl=False)
        else:
            _write_whole(out, text)
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
    _check_selection(cases, only)
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


def _write_whole(path: Path, text: str) -> None:
    """The text in the file, which is never there in part."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8", newline="\n")
    partial.replace(path)


@main.command()
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
@_input_options
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

    with _faults():
        if logits is None:
            _refuse_options("goes with --logits; a case has its own", OF_LOGITS)
            heading, warnings, found = _of_case(
                Path(source), case, only, files, sample=sample, components=components, every=every
            )
        else:
            _refuse_options("goes with a CASE, not with --logits", OF_CASE)
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
        click.echo(f"warning: {warning}", err=True)


OF_LOGITS = (
    "labels", "target", "base", "beta", "reduction", "ignore_index", "dtype", "arithmetic",
    "accumulation",
)  # fmt: skip
OF_CASE = ("case", "only", "sample", "files")
Found = tuple[str, list[str], Any]  # a heading, warnings, and the input from close by
MOST_LISTED = 20  # cases among which a user is to choose


def _refuse_options(why: str, names: tuple[str, ...]) -> None:
    """No parameter of these names stands on the command line."""
    context = click.get_current_context()
    for parameter in context.command.params:
        name = parameter.name or ""
        given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if name in names and given:
            told = parameter.opts[0] if parameter.opts[0].startswith("-") else "CASE"
            raise click.UsageError(f"{told} {why}")


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

    if not only:
        raise click.UsageError(
            f"want a CASE, 0 to {len(cases) - 1}, as a row of summary.csv; or --only COLUMN=VALUE"
        )
    _check_selection(cases, only)
    kept = set(select(cases, only))
    numbers = [number for number, case in enumerate(cases) if case in kept]
    if len(numbers) == 1:
        return numbers[0]
    axes = [cases[number].axes for number in numbers]
    differ = [name for name in axes[0] if len({str(row[name]) for row in axes}) > 1]
    lines = [
        f"  {number}  " + ", ".join(f"{name}={row[name]}" for name in differ)
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


@main.command()
@click.argument("name")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", help="Default: experiments/NAME.toml."
)
def init(name: str, out: Path | None) -> None:
    """Write a commented study file to start from; a file that is there stays as it is."""
    from fpstudy.study_file.starter import place, starter

    path = place(name) if out is None else out
    try:
        text = starter(name, path)
    except ValueError as error:
        raise click.UsageError(f"NAME: {error}") from None
    with _faults():
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            raise click.UsageError(f"{path} is there already; choose another name") from None
    click.echo(f"wrote {path}; next: fpstudy plan {path}")


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def doctor(as_json: bool) -> None:
    """Say what is installed, what each arithmetic carries out here, and why not the rest.

    Exits with 1 where the processor rounds otherwise than by the standard.
    """
    from fpstudy import doctor as doctor_

    found = doctor_.diagnose()
    click.echo(json.dumps(found.as_dict(), indent=1) if as_json else doctor_.text(found))
    if not found.sound:
        sys.exit(CHECK_FAILED)


@main.command()
def schema() -> None:
    """Print the JSON Schema of a study file, for editors.

    Save it and name it in the first line of a study: #:schema study.schema.json
    """
    from fpstudy.study import json_schema

    click.echo(json.dumps(json_schema(), indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
