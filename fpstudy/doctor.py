"""What is installed here, what each arithmetic can carry out, and why it cannot the rest."""

import platform
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fpstudy.arithmetic import EVALUATORS, evaluators, usual
from fpstudy.environment import floating_point, processor
from fpstudy.formats import FORMATS

NEEDED = (
    "fpstudy", "numpy", "ml_dtypes", "mpmath", "python-flint", "pandas", "pyarrow", "matplotlib",
)  # fmt: skip
OPTIONAL = ("scipy", "torch", "array-api-compat", "jax", "gmpy2")


@dataclass(frozen=True)
class Carried:
    """What one arithmetic does here.

    dtypes:  the formats that it carries out
    refused: the reason for each of the others
    """

    arithmetic: str
    dtypes: tuple[str, ...]
    refused: dict[str, str]


@dataclass(frozen=True)
class Diagnosis:
    """A machine and its Python as a study meets them.

    packages:    their versions; "" for an optional one that is missing
    rounding:    how float32 and float64 are rounded now
    arithmetics: what each does; its cases in other dtypes are recorded as skipped, with the reason
    """

    python: str
    system: str
    processor: str
    packages: dict[str, str]
    rounding: dict[str, str]
    arithmetics: tuple[Carried, ...]

    @property
    def sound(self) -> bool:
        """Whether the processor rounds by the standard, without which nothing is measured."""
        return all(how == floating_point.STANDARD for how in self.rounding.values())

    def as_dict(self) -> dict[str, Any]:
        """The same for machines to read."""
        return {**asdict(self), "sound": self.sound}


def diagnose() -> Diagnosis:
    """Look at everything; frameworks that are installed are imported."""
    return Diagnosis(
        python=platform.python_version(),
        system=platform.platform(),
        processor=str(processor.described()["model"]),
        packages={name: _version(name) for name in (*NEEDED, *OPTIONAL)},
        rounding=floating_point.mode(),
        arithmetics=tuple(map(_carried, EVALUATORS)),
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _carried(arithmetic: str) -> Carried:
    reasons = {
        name: evaluators.refusal(arithmetic, f, usual(arithmetic)) for name, f in FORMATS.items()
    }
    return Carried(
        arithmetic,
        tuple(name for name, reason in reasons.items() if reason is None),
        {name: reason for name, reason in reasons.items() if reason is not None},
    )


def text(found: Diagnosis) -> str:
    """The same for people."""
    have = [f"{name} {number}" for name, number in found.packages.items() if number]
    lack = [name for name, number in found.packages.items() if not number]
    lines = [
        f"Python {found.python} on {found.system}",
        f"processor: {found.processor}",
        f"packages: {', '.join(have)}",
        f"not installed: {', '.join(lack) or 'nothing that fpstudy can use'}",
        *(f"{name} is rounded {how}" for name, how in found.rounding.items()),
        "",
        "arithmetics; what one does not carry out, a study records as skipped",
    ]
    for one in found.arithmetics:
        lines.append(f"  {one.arithmetic:<20}{', '.join(one.dtypes) or 'nothing'}")
        reasons = list(dict.fromkeys(one.refused.values()))
        lines += [f"{'':<22}{reason}" for reason in reasons]
    return "\n".join(lines)
