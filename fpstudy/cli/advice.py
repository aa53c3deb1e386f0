"""The command that advises on a dtype."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from fpstudy.cli.faults import CHECK_FAILED, faults


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


@click.command()
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
    from fpstudy.logit_files import read_logits

    with faults(), progress.shown("candidates") as show:
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
