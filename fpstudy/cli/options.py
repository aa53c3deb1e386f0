"""Options and arguments that several commands share."""

from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource


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


def check_selection(cases: list[Any], only: dict[str, set[str]]) -> None:
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


study_argument = click.argument("study", type=click.Path(path_type=Path))
only_option = click.option(
    "--only", multiple=True, callback=_selection, metavar="COLUMN=VALUE",
    help="Keep the cases with this value, as dtype=float16 or formula=naive,shifted; repeatable.",
)  # fmt: skip


figures_option = click.option(
    "--figures/--no-figures", default=True,
    help="Draw the figures, or leave them to a later `fpstudy report DIR`.",
)  # fmt: skip


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


def input_options(command: Any) -> Any:
    """The options that say of an input on the command line what is not its logits."""
    for option in reversed(_INPUT_OPTIONS):
        command = option(command)
    return command


LOGITS_HELP = 'As "1000,0"; rows of a batch: "1,2; 3,4".'


def refuse_options(why: str, names: tuple[str, ...]) -> None:
    """No parameter of these names stands on the command line."""
    context = click.get_current_context()
    for parameter in context.command.params:
        name = parameter.name or ""
        given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        if name in names and given:
            told = parameter.opts[0] if parameter.opts[0].startswith("-") else "CASE"
            raise click.UsageError(f"{told} {why}")
