"""What the benchmarks' command lines have in common: the number of rounds, and a file to keep."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

Result = dict[str, Any]  # what was measured, as JSON holds it


def parser(docstring: str | None, rounds: int = 7) -> argparse.ArgumentParser:
    """A parser whose help is the module's docstring."""
    found = argparse.ArgumentParser(
        description=docstring, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    found.add_argument(
        "--rounds", type=positive, default=rounds, help=f"interleaved rounds; default {rounds}"
    )
    found.add_argument("--json", type=Path, help="also keep what was measured in this file")
    return found


def positive(text: str) -> int:
    """A whole number of at least 1; its error is argparse's."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"want at least 1, got {text}")
    return value


def carry_out(
    options: argparse.Namespace,
    measure: Callable[[argparse.Namespace], Result],
    show: Callable[[Result], str],
) -> None:
    """Measure, print the tables, and keep the result where a file was named."""
    result = measure(options)
    print(show(result))
    if options.json is not None:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
