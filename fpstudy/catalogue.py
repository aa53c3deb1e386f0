"""What there is to study, as rows of texts: problems, formulas, dtypes, arithmetics, studies."""

import tomllib
from collections.abc import Callable
from pathlib import Path

from fpstudy.formats import FORMATS
from fpstudy.problems import PROBLEMS

Rows = list[dict[str, str]]

ARITHMETICS = {
    "numpy": "evaluates formulas: NumPy's own kernels, and ml_dtypes' for what NumPy lacks",
    "arb": "proves the truth: ball arithmetic of any precision",
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
    """Each arithmetic with what it is for."""
    return [{"arithmetic": name, "role": role} for name, role in ARITHMETICS.items()]


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
