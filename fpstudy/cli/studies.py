"""Commands on studies and their reports: run, plan, report."""

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import click

from fpstudy.cli.faults import CHECK_FAILED, CRASHED, faults
from fpstudy.cli.options import check_selection, figures_option, only_option, study_argument


def _keep_whole(out: Path) -> None:
    """A part of a study does not replace the report of the whole."""
    from fpstudy.damage import DamagedError
    from fpstudy.manifest_fields import read_manifest

    try:
        whole = read_manifest(out)["only"] == {}
    except (OSError, DamagedError, KeyError):
        return
    if whole:
        raise click.UsageError(
            f"--out {out} holds the report of a whole study; name another folder"
        )


def _folder(context: click.Context, parameter: click.Parameter, value: Path | None) -> Path | None:
    if value is not None and str(value) in ("", "."):
        raise click.BadParameter("want a folder of its own for the report")
    return value


@click.command()
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
@click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True, max=1e6), metavar="SECONDS",
    help="Give a case up when its formula takes longer; by default a minute, and more for long"
    " vectors and what is compiled first.",
)  # fmt: skip
@click.option(
    "--scheduler", envvar=("FPSTUDY_SCHEDULER", "DASK_SCHEDULER_ADDRESS"), metavar="ADDRESS",
    show_envvar=True,
    help="Measure on a Dask cluster: its scheduler's address, as tcp://host:8786, or file. Needs"
    " fpstudy[cluster]; whoever is there can run code of its own.",
)  # fmt: skip
@click.option(
    "--allow-mixed", is_flag=True,
    help="Let workers of the cluster have other packages or processors; their rows say so.",
)  # fmt: skip
@click.option("--fresh", is_flag=True, help="Measure again even where the record is up to date.")
@figures_option
def run(
    study: Path, out: Path | None, jobs: int | None, only: Any, allow_code: tuple[str, ...],
    timeout: float | None, scheduler: str | None, allow_mixed: bool, fresh: bool, figures: bool,
) -> None:  # fmt: skip
    """Run a study: measure, and write tables, figures and pages.

    Writes record.parquet (a row for each case and sample), summary.csv (a row for each case),
    figures/*.svg, README.md, index.html and manifest.json. Running again from the same
    environment keeps the record and rebuilds the rest.

    The report's files appear together once all are there; one run at a time works in a folder.

    \b
    Exit codes:
      0    fine, whether or not anybody reads what is printed
      1    a check failed: the witness, an inequality
      2    the command or the study file is wrong
      3    some cases crashed; the rest is recorded
      74   no room, no right to write, the folder in use or removed, the cluster lost
      130  interrupted
      143  terminated

    After 74, 130 and 143 no report is left in part, and the same command goes on.
    """  # noqa: D301 (\b is click's mark for a paragraph that is not to be wrapped)
    from fpstudy.study import load

    with faults():
        loaded = load(study)
        from fpstudy import flow, planning, progress  # half a second, which no refusal costs
        from fpstudy.cases import expand, select
        from fpstudy.tasks import tasks

        cases = expand(loaded)
        check_selection(cases, only)
        cases = select(cases, only)
        if out is not None and only:
            _keep_whole(out)
        planning.check_memory(loaded, tasks(loaded, cases))
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
                timeout=timeout,
                scheduler=scheduler,
                allow_mixed=allow_mixed,
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
        f"{counts['run']:,} cases measured, {counts['skipped']:,} skipped"
        f"{_crashed(counts['crashed'])}. Exact values:"
        f" {done.manifest['truths']:,}, {done.manifest['undecided']:,} undecided;"
        f" mpmath recomputed {witness['checked']:,}, of which {witness['agreed']:,} agree."
    )
    claims = Counter(claim["verdict"] for claim in done.manifest["claims"])
    if claims:
        told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(claims.items()))
        click.echo(f"{claims.total()} claims: {told}.")
    if done.kept:
        _say("the record was there already, of the same study, version and environment: --fresh"
             " measures again")  # fmt: skip
    click.echo(f"report: {done.directory / 'index.html'}")


def _crashed(cases: int) -> str:
    return f", {cases:,} crashed" if cases else ""


@click.command()
@study_argument
@only_option
def plan(study: Path, only: Any) -> None:
    """Say what a run would do: cases by axis, what is skipped and why, about how long."""
    from fpstudy.study import load

    with faults():
        loaded = load(study)
        from fpstudy import planning  # half a second, which no refusal costs
        from fpstudy.cases import expand

        check_selection(expand(loaded), only)
        planned = planning.plan(loaded, only=only)
    click.echo(str(planned))


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, exists=True))
@figures_option
def report(folder: Path, figures: bool) -> None:
    """Rebuild tables, figures and pages of a report from its record.

    DIR is one report, or a folder of reports such as reports/: then its index, README.md, is
    written, and every report below that has a record is rebuilt.
    """
    from fpstudy import flow
    from fpstudy.report import write_index

    with faults():
        if (folder / "record.parquet").is_file():
            flow.rebuild(folder, figures=figures, notice=_say)
            click.echo(f"report: {folder / 'index.html'}")
            return
        below = sorted(path.parent for path in folder.glob("*/summary.csv"))
        if not below:
            raise click.UsageError(f"{folder}: no record.parquet here and no reports below")
        for one in below:
            if (one / "record.parquet").is_file():
                flow.rebuild(one, figures=figures, notice=_say)
                click.echo(f"report: {one / 'index.html'}")
        write_index(folder)
        click.echo(f"index: {folder / 'README.md'}")
