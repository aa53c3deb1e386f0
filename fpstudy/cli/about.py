"""Commands on fpstudy itself: what there is, what runs here, how a study file looks."""

import json
import sys
from pathlib import Path

import click

from fpstudy.cli.faults import CHECK_FAILED, faults

LISTS = ("problems", "formulas", "dtypes", "arithmetics", "studies")


@click.command("list")
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


@click.command()
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
    with faults():
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            raise click.UsageError(f"{path} is there already; choose another name") from None
    click.echo(f"wrote {path}; next: fpstudy plan {path}")


@click.command()
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


@click.command()
def schema() -> None:
    """Print the JSON Schema of a study file, for editors.

    Save it and name it in the first line of a study: #:schema study.schema.json
    """
    from fpstudy.study import json_schema

    click.echo(json.dumps(json_schema(), indent=1, ensure_ascii=False))
