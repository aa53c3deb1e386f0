"""The fields of a report's manifest.json, which may be somebody else's file, and their types.

Every field that a page, a table or a command looks at is of its type, or the manifest is refused;
what else there is stays. A report of an earlier fpstudy lacks some.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fpstudy.damage import DamagedError
from fpstudy.regular_file import NotRegularError, read_json

FILE = "manifest.json"
AGAIN = "run the study again"
MAX_BYTES = 2**26  # of which the claims' curves take the most

Count = Annotated[int, Field(ge=0, lt=2**63)]
Size = Annotated[float, Field(ge=0, allow_inf_nan=False)]
# A figure's axis reaches over its numbers, and its curves have 81 points.
Numbers = Annotated[
    list[Annotated[float, Field(ge=-1e6, le=1e6)]], Field(min_length=1, max_length=200)
]
Texts = dict[str, str]
Cell = str | int | float | bool | None


class _Part(BaseModel):
    """Fields of their types; what else there is, is not looked at. Defaults are never used."""

    model_config = ConfigDict(strict=True, extra="ignore", protected_namespaces=())


class OwnFormat(_Part):
    """A number format of the study's own, as `fpstudy.formats.Format` has it."""

    model_config = ConfigDict(strict=True, extra="forbid")

    name: str
    precision: Annotated[int, Field(ge=2, le=53)]
    emax: Annotated[int, Field(ge=1, le=1023)]
    emin: Annotated[int, Field(ge=-1022, le=0)]
    infinity: bool = True
    subnormals: bool = True
    saturate: bool = False


class Processor(_Part):
    """What it is called."""

    model: str = ""
    machine: str = ""


class NumPySimd(_Part):
    """What NumPy may use, and what each of its kernels does use."""

    enabled: list[str]
    kernels: Texts


class Simd(_Part):
    """By library."""

    numpy: NumPySimd
    torch: str = ""


class Gpu(_Part):
    """What there is, and what drives it; empty where none was used."""

    devices: list[str] = []
    packages: Texts = {}


class Cases(_Part):
    """How many ended how."""

    total: Count = 0
    run: Count = 0
    skipped: Count = 0
    crashed: Count = 0


class Witness(_Part):
    """What mpmath found."""

    total: Count = 0
    checked: Count = 0
    agreed: Count = 0
    beyond_budget: Count = 0
    disagreements: list[str] = []


class ClaimTable(_Part):
    """The numbers of a claim."""

    columns: list[Cell]
    rows: list[list[Cell]]


class Curve(_Part):
    """As many y as x; x grows, and y rises or falls."""

    x: Numbers
    y: Numbers


class ClaimFigure(_Part):
    """The curves of a claim."""

    title: str
    caption: str
    x_label: str
    y_label: str
    curves: Annotated[dict[str, Curve], Field(min_length=1, max_length=1_000)]


class Claim(_Part):
    """A claim of the study, checked."""

    says: str
    verdict: str
    source: str | None = None
    evidence: str | None = None
    note: str | None = None
    reproduce: str | None = None
    table: ClaimTable | None = None
    figure: ClaimFigure | None = None


class Manifest(_Part):
    """The fields that are looked at; of a report of an earlier fpstudy some are missing."""

    name: str = ""
    title: str = ""
    question: str = ""
    seed: Count = 0
    engine: str = ""
    proven: bool = True
    formats: dict[str, OwnFormat] = {}
    study: dict[str, Any] | None = None
    only: dict[str, list[str]] = {}
    files: Texts = {}
    study_hash: str = ""
    record_sha256: str = ""
    summary_sha256: str = ""
    key: str = ""
    command: str = ""
    commit: str = ""
    platform: str = ""
    environment: str = ""
    other_environments: dict[str, list[str]] = {}
    versions: Texts = {}
    cpu: Processor = Processor()
    simd: Simd = Simd(numpy=NumPySimd(enabled=[], kernels={}))
    blas: Texts = {}
    libm: str = ""
    settings: Texts = {}
    gpu: Gpu = Gpu()
    compiler: str = ""
    threads: Texts = {}
    floating_point: Texts = {}
    fingerprints: Texts = {}
    cases: Cases = Cases()
    truths: Count = 0
    undecided: Count = 0
    violations: list[str] = []
    claims: list[Claim] = []
    witness: Witness = Witness()
    jobs: Count = 0
    duration_seconds: Size = 0.0


OF_ENVIRONMENT = (
    "versions", "cpu", "simd", "blas", "libm", "settings", "gpu", "compiler", "threads",
    "floating_point", "fingerprints",
)  # fmt: skip


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a report's folder; raises DamagedError where there is none to read."""
    path = folder / FILE
    try:
        manifest = read_json(path, MAX_BYTES)
        if not isinstance(manifest, dict):
            raise ValueError("not a table")
        json.dumps(manifest, ensure_ascii=False).encode()  # UnicodeError for half a character
        _check(manifest)
    except (FileNotFoundError, NotADirectoryError):
        raise DamagedError(f"{path} is missing; want the folder of a report, as of run") from None
    except NotRegularError as error:
        raise DamagedError(f"{path} {error}; {AGAIN}") from None
    except ValueError as error:
        raise DamagedError(f"{path} is damaged ({str(error)[:300]}); {AGAIN}") from None
    return manifest


def _check(manifest: Mapping[str, Any]) -> None:
    """Raises ValueError for the first field that is not what its readers take it for."""
    try:
        Manifest.model_validate(manifest)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"{place}: {first['msg']}") from None
    missing = [name for name in OF_ENVIRONMENT if name not in manifest]
    if "environment" in manifest and missing:
        raise ValueError(f"{missing[0]}: missing")
    for number, claim in enumerate(manifest.get("claims", [])):
        table, figure = claim.get("table"), claim.get("figure")
        if table and any(len(row) != len(table["columns"]) for row in table["rows"]):
            raise ValueError(f"claims.{number}.table: rows of another length than its head")
        if figure and any(len(c["x"]) != len(c["y"]) for c in figure["curves"].values()):
            raise ValueError(f"claims.{number}.figure: x and y of different length")
        if figure and not all(map(_is_monotone, figure["curves"].values())):
            raise ValueError(f"claims.{number}.figure: want growing x, and y that rises or falls")


def _is_monotone(curve: Mapping[str, list[float]]) -> bool:
    x, y = curve["x"], curve["y"]
    return x == sorted(x) and y in (sorted(y), sorted(y, reverse=True))
