"""Run all benchmarks, or those named, and write the page of results.

    python -m benchmarks                    every one at full size; minutes
    python -m benchmarks truth phases       these anew, the others as they were kept
    python -m benchmarks --small --out DIR  tiny sizes: that everything runs; figures mean nothing
    python -m benchmarks --only-page        the page again from what was kept

What was measured is kept in results.json, from which results.md is made, and large_sweep.md where
that was measured; no figure is typed.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.machine import described
from benchmarks.options import Result
from benchmarks.page import BENCHMARKS, page

HERE = Path(__file__).resolve().parent
SMALL = {
    "truth": "--rounds 1 --n 2 8 --logits 256",
    "sweep": "--rounds 1 --n 10 --logits 110 --share 1",
    "phases": "--rounds 1 --n 10 --logits 110",
    "growth": "--rounds 1 --n 2 64 --logits 64 --cases 20",
    "processes": f"--rounds 1 --logits 1 --shipped {HERE.parent / 'experiments/quickstart.toml'}",
    "undecided": "--samples 1",
    "advice": "--samples 4 --n 3 --magnitude 1",
    "large_sweep": "--rounds 1 --numbers 100 --magnitudes 2 3 --samples 8 12 --chunks 1"
    " --chunk-samples 2 --specks 2",
}


def measured(name: str, arguments: list[str]) -> Result:
    """What a benchmark measures, in a process of its own; with the date and the machine."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "result.json"
        command = [sys.executable, "-m", f"benchmarks.{name}", *arguments]
        subprocess.run([*command, "--json", str(file)], check=True, cwd=HERE.parent)
        result = json.loads(file.read_text(encoding="utf-8"))
    return {"date": datetime.now(UTC).date().isoformat(), "machine": described(), "result": result}


def kept(file: Path) -> dict[str, Result]:
    """What was measured before, by benchmark; nothing where there is no such file."""
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def main() -> None:
    """Measure what is asked for, keep it, and write the page."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}")
    parser.add_argument("--small", action="store_true", help="tiny sizes; wants --out")
    parser.add_argument("--only-page", action="store_true", help="measure nothing")
    parser.add_argument("--out", type=Path, default=HERE, metavar="DIR", help="default: here")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in BENCHMARKS]:
        parser.error(f"no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}")
    if options.small and options.out == HERE:
        parser.error("--small is a trial: give it a folder of its own with --out")
    file = options.out / "results.json"
    results = kept(file)
    for name in [] if options.only_page else options.names or BENCHMARKS:
        results[name] = measured(name, SMALL[name].split() if options.small else [])
        file.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    (options.out / "results.md").write_text(page(results), encoding="utf-8")
    if "large_sweep" in results:
        from benchmarks import large_sweep

        text = large_sweep.page(results["large_sweep"])
        (options.out / large_sweep.PAGE.name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
