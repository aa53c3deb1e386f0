"""Benchmarks: what fpstudy costs, beside what its users would write without it.

    python -m benchmarks                     run all of them, write benchmarks/results.md and .json

    python -m benchmarks.truth               truth engines: mpmath, python-flint, fpstudy
    python -m benchmarks.sweep               whole sweeps: two notebooks, fpstudy
    python -m benchmarks.growth              cost and memory against n and the number of cases
    python -m benchmarks.phases              where the time of a large sweep goes
    python -m benchmarks.processes           two processes beside one, and the shipped study
    python -m benchmarks.undecided           truths of wide-range cross-entropy left undecided
    python -m benchmarks.advice              whether advice survives a check on fresh samples
    python -m benchmarks.large_sweep         what 10^9 vectors would cost: writes large_sweep.md
    python benchmarks/rounding.py            operations rounded to a format, beside NumPy's own

Each is also a module with `measure(options)`, which returns what was measured as it is kept in the
JSON; `show(result)`, the same as tables; and `goals(result)`, the figures that have a goal. Nothing
here is timed by the tests.
"""
