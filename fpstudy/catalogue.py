"""What there is to study, as rows of texts: problems, formulas, dtypes, arithmetics, studies."""

import tomllib
from collections.abc import Callable
from pathlib import Path

from fpstudy.arithmetic import EVALUATORS, ORDERS, evaluators, usual
from fpstudy.formats import FORMATS
from fpstudy.problems import PROBLEMS

Rows = list[dict[str, str]]

CARRIED_OUT_BY = {
    "numpy": "NumPy's own kernels, ml_dtypes' for what NumPy lacks, and SciPy's functions",
    "rounded": "every operation correctly rounded to the format, your own formats included",
    "torch": "PyTorch's kernels, library functions and gradients",
    "torch.compile": "the same text, compiled by PyTorch",
    "jax": "JAX's kernels, library functions and gradients",
    "jax.jit": "the same text, compiled by JAX",
}
ENGINES = {
    "double_double": "proves the truth of whole batches: pairs of float64 with error radii",
    "arb": "proves what double_double leaves undecided: balls of any precision",
    "mpmath": "witnesses the truth: arbitrary precision, from the definition",
}


def problems() -> Rows:
    """Each problem with its mathematics and the names of its formulas."""
    return [
        {
            "problem": problem.name,
            "value": problem.mathematics,
            "takes": ", ".join(_takes(problem.name)) or "logits",
            "formulas": ", ".join(problem.formulas),
        }
        for problem in PROBLEMS.values()
    ]


def _takes(name: str) -> list[str]:
    problem = PROBLEMS[name]
    labels = ["labels or a target"] if problem.labels else []
    return ["logits", *labels, *problem.parameters, *["reduction"] * problem.reductions]


def formulas() -> Rows:
    """Each formula with its mathematics, where it fails and its source."""
    return [
        {
            "formula": f"{problem.name}: {name}",
            "computes": formula.mathematics,
            "fails": formula.fails,
            "source": formula.source,
        }
        for problem in PROBLEMS.values()
        for name, formula in problem.formulas.items()
    ]


def dtypes() -> Rows:
    """Each format with what follows from its definition."""
    return [
        {
            "dtype": f.name,
            "precision": f"{f.precision} bits, unit roundoff {f.unit_roundoff:.3g}",
            "range": (
                f"largest {f.largest:.6g}, least normal {f.least_normal:.3g},"
                f" least subnormal {f.least_subnormal:.3g}"
            ),
            "overflow": "infinity" if f.infinity else "NaN (the format has no infinity)",
        }
        for f in FORMATS.values()
    ]


def arithmetics() -> Rows:
    """Each arithmetic of formulas, its sums and whether it runs here; then those of the truth."""
    evaluating = [
        {
            "arithmetic": name,
            "role": f"evaluates formulas: {CARRIED_OUT_BY[name.partition(':')[0]]}",
            "sums": ", ".join(ORDERS) if name == "rounded" else "native",
            "here": _refusal(name) or "runs",
        }
        for name in EVALUATORS
    ]
    return evaluating + [{"arithmetic": name, "role": role} for name, role in ENGINES.items()]


def _refusal(arithmetic: str) -> str | None:
    """Why the arithmetic does not run here, asked with a format that all have."""
    return evaluators.refusal(arithmetic, FORMATS["float32"], usual(arithmetic))


def studies() -> Rows:
    """The study files in experiments/ below the current folder."""
    rows = []
    for path in sorted(Path("experiments").glob("*.toml")):
        try:
            keys = tomllib.loads(path.read_text(encoding="utf-8"))
            title = str(keys.get("title", keys.get("name", "")))
        except (OSError, ValueError):
            title = "cannot be read: fpstudy plan says why"
        rows.append({"study": str(path), "title": title})
    return rows


LISTS: dict[str, Callable[[], Rows]] = {
    "problems": problems,
    "formulas": formulas,
    "dtypes": dtypes,
    "arithmetics": arithmetics,
    "studies": studies,
}
