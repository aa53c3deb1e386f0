"""The commands: parse, call, print. Results go to stdout, everything else to stderr."""

import click

from fpstudy import __version__
from fpstudy.cli.about import doctor, init, list_, schema
from fpstudy.cli.advice import advise
from fpstudy.cli.studies import plan, report, run
from fpstudy.cli.tables import table
from fpstudy.cli.values import exact, show

__all__ = ["main"]


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


for command in (run, plan, report, table, show, exact, advise, list_, init, doctor, schema):
    main.add_command(command)
