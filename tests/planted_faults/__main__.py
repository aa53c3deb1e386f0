"""The command: `python -m tests.planted_faults [NAMES] [--list]`, run in a checkout."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import FAULTS
from .fault import Fault
from .trial import Court, TrialError, Verdict, copy_of

EPILOG = """\
Each fault is planted in a copy of the checkout, and the tests that are named with it run there;
if these stay green, the whole suite does, which takes minutes. Before that the same tests must be
green in a copy without a fault. The checkout is not touched.

Exit codes: 0 every fault turned a test red; 1 a fault survived; 2 unknown names, a fault that does
not fit its file, or tests that could not be run or are red without a fault.
"""
CHECKOUT = Path(__file__).resolve().parents[2]


def main(
    arguments: Sequence[str] | None = None,
    root: Path = CHECKOUT,
    faults: Sequence[Fault] = FAULTS,
) -> int:
    """Try the faults and print a table of what saw them; returns the exit code."""
    options = _parser().parse_args(arguments)
    by_name = {fault.name: fault for fault in faults}
    unknown = [name for name in options.names if name not in by_name]
    if unknown:
        return _refused(f"no fault {', '.join(unknown)}; --list names those there are")
    chosen = [by_name[name] for name in options.names] or list(faults)
    if options.list:
        for fault in chosen:
            print(f"{fault.name}\n    {fault.mistake}\n    {fault.file}")
        return 0
    try:
        return _tried(chosen, root, options.jobs, not options.named_only)
    except (TrialError, ValueError, OSError) as error:
        return _refused(str(error))
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m tests.planted_faults",
        description="Plant faults in fpstudy, one at a time, and see that the tests turn red.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAMES", help="faults; by default all")
    parser.add_argument("--list", action="store_true", help="say what they are, and plant none")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, metavar="N",
        help="faults at a time; by default one for each core",
    )  # fmt: skip
    parser.add_argument(
        "--named-only", action="store_true",
        help="call a fault a survivor where the tests named with it stay green",
    )  # fmt: skip
    return parser


def _refused(message: str) -> int:
    print(message, file=sys.stderr)
    return 2


def _tried(faults: Sequence[Fault], root: Path, jobs: int, suite: bool) -> int:
    signal.signal(signal.SIGTERM, _interrupted)
    start = time.perf_counter()
    for fault in faults:
        fault.planted((root / fault.file).read_text(encoding="utf-8"))  # so that all of them fit
    with copy_of(root) as folder:
        court = Court(folder)
        tests = sorted({test for fault in faults for test in fault.tests})
        court.demand_green(tests, jobs)
        print(f"{len(tests)} tests named with {len(faults)} faults are green without them", end="")
        print(f" ({time.perf_counter() - start:.0f} s)\n", flush=True)
        survived = sum(_told(verdicts(court, faults, jobs, suite), max(map(_length, faults))))
    seen = len(faults) - survived
    print(f"\n{len(faults)} faults: {seen} turned the suite red, {survived} survived", end="")
    print(f" ({time.perf_counter() - start:.0f} s)")
    return 1 if survived else 0


def verdicts(court: Court, faults: Sequence[Fault], jobs: int, suite: bool) -> Iterator[Verdict]:
    """A verdict on each fault, in their order, so many at a time."""
    with ThreadPoolExecutor(max(1, jobs)) as pool:
        try:
            yield from pool.map(lambda fault: court.try_fault(fault, suite), faults)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            court.runs.end()
            raise


def _told(found: Iterator[Verdict], width: int) -> Iterator[int]:
    """Print a row for each verdict; gives 1 for each survivor."""
    print(f"{'fault':<{width}}  seconds  red by")
    for verdict in found:
        seen_by = verdict.seen_by or f"SURVIVED {verdict.trouble}".rstrip()
        print(f"{verdict.fault.name:<{width}}  {verdict.seconds:7.1f}  {seen_by}", flush=True)
        yield 0 if verdict.seen_by else 1


def _length(fault: Fault) -> int:
    return len(fault.name)


def _interrupted(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
