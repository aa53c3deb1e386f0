"""The commands: parse, call, print. Results go to stdout, everything else to stderr."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from fpstudy import __version__
from fpstudy.cli.about import doctor, init, list_, schema
from fpstudy.cli.advice import advise
from fpstudy.cli.faults import NO_ROOM, stoppable
from fpstudy.cli.studies import plan, report, run
from fpstudy.cli.tables import table
from fpstudy.cli.values import exact, show
from fpstudy.streams import dropping

__all__ = ["main"]

SAFE_PATH = "PYTHONSAFEPATH"


class _Commands(click.Group):
    """Commands that end as they would have if nobody stopped reading what they print."""

    def main(self, *arguments: Any, **named: Any) -> Any:
        """Run the command of the line; of a full disk under standard output it says so.

        click's own ending is not used: it says "Aborted!" of a Ctrl-C, and that a check failed.
        """
        try:
            with stoppable(), dropping():
                sys.exit(super().main(*arguments, **named | {"standalone_mode": False}))
        except click.ClickException as error:
            error.show()
            sys.exit(error.exit_code)
        except OSError as error:
            if error.filename is not None:
                raise
            click.echo(f"standard output: {error.strerror}", err=True)
            sys.exit(NO_ROOM)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
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
    click.get_current_context().with_resource(_safe_path())


@contextmanager
def _safe_path() -> Iterator[None]:
    """Processes that are started meanwhile import nothing from the folder that they start in.

    A spawned process of Python looks there first, before it takes over the path of its parent.
    """
    before = os.environ.get(SAFE_PATH)
    os.environ[SAFE_PATH] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[SAFE_PATH]
        else:
            os.environ[SAFE_PATH] = before


for command in (run, plan, report, table, show, exact, advise, list_, init, doctor, schema):
    main.add_command(command)
