"""A case of a report made again from what its folder says, and held against what was recorded.

The manifest holds the study's sweeps, and so its inputs, but for files of logits, of which it has
the names and digests.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from fpstudy.cases import AXES, Case, expand, select, selection
from fpstudy.damage import AbsentError, DamagedError
from fpstudy.encoding import shortest
from fpstudy.environment import differences, environment
from fpstudy.environment.memory import available
from fpstudy.environment.uses import used_by
from fpstudy.inputs import Inputs
from fpstudy.inspection import Inspection, chosen_components, inspect, worst_sample
from fpstudy.manifest import RECORD, check_digest, sha256
from fpstudy.manifest_fields import AGAIN
from fpstudy.record import MEASURED, TEXT_AXES
from fpstudy.report_folder import read_report
from fpstudy.samples import logits, prepare, too_large
from fpstudy.study import from_keys, load
from fpstudy.user_code import is_code

SAMPLE = ["sample", "ulp_error", "worst_component", "worst_computed"]  # columns of the record
# A largest ulp error has lost at most a few roundings on the way: what differs more is another one.
NEAR = 1e-9


@dataclass(frozen=True)
class Recorded:
    """The cases of a study, numbered as the rows of its summary.csv are, from 0.

    name:     of the study
    folder, summary, manifest: of the report; None for a study file, which has nothing recorded
    """

    name: str
    cases: tuple[Case, ...]
    folder: Path | None = None
    summary: pd.DataFrame | None = None
    manifest: Mapping[str, Any] | None = None

    def inputs(self, number: int) -> Inputs:
        """All samples of a case, as it was measured on."""
        demand = self.cases[number].demand
        return prepare(demand, logits(demand.draw))

    def beside(self, number: int) -> list[str]:
        """The formulas that the study asks about the same inputs, in the same arithmetic."""
        own = replace(self.cases[number], formula="")
        return [case.formula for case in self.cases if replace(case, formula="") == own]

    def samples(self, number: int) -> list[dict[str, Any]]:
        """The record's rows of a case; none where there is no record."""
        path = None if self.folder is None else self.folder / RECORD
        if path is None or self.manifest is None or not path.is_file():
            return []
        try:
            with path.open("rb") as file:
                rows = pq.read_table(file, columns=SAMPLE, filters=[("case", "=", number)])
            rows = rows.select(SAMPLE)
        except (pa.ArrowException, KeyError, OSError) as error:
            raise DamagedError(f"{path} is damaged ({error}); {AGAIN}") from None
        for name, column in zip(SAMPLE, rows.columns, strict=True):
            if column.type != MEASURED.field(name).type or column.null_count:
                raise DamagedError(f"{path} is damaged (column {name} is not numbers); {AGAIN}")
        found: list[dict[str, Any]] = rows.to_pylist()
        count = self.cases[number].demand.samples
        if any(not -1 <= row["sample"] < count for row in found):
            raise DamagedError(
                f"{path} is damaged (case {number} has the samples 0 to {count - 1}); {AGAIN}"
            )
        check_digest(path, self.manifest.get("record_sha256"))
        return found


@dataclass(frozen=True)
class Shown:
    """A case's sample from close by, and what does not fit to what was recorded of it.

    worst:    the case's worst sample; None where that was not found out
    warnings: sentences; none where the numbers are those recorded, or nothing is
    """

    recorded: Recorded
    number: int
    samples: int
    worst: int | None
    inspection: Inspection
    warnings: tuple[str, ...]

    @property
    def heading(self) -> str:
        """Which input it is: "quickstart, case 137: naive; sample 3 of 0 to 15, the worst"."""
        said = f"{self.recorded.name}, case {self.number}: {self.inspection.case.formula}"
        if self.samples > 1:
            worst = ", the worst" if self.inspection.sample == self.worst else ""
            said += f"; sample {self.inspection.sample} of 0 to {self.samples - 1}{worst}"
        return said


def find(path: Path, files: Path | None = None) -> Recorded:
    """The cases of a report's folder, or of a study file.

    files: the folder with the study's files of logits; by default the report's
    Raises DamagedError or StudyError, whose message says what is wrong.
    """
    if path.suffix == ".toml":
        study = load(path)
        return Recorded(study.name, tuple(expand(study)))
    summary, manifest = read_report(path)
    folder = path if path.is_dir() else path.parent
    cases = _cases(manifest, folder, files)
    if len(cases) != len(summary) or not _same_axes(cases, summary):
        raise DamagedError(
            f"{folder}: the study in manifest.json does not give the cases of summary.csv; {AGAIN}"
        )
    return Recorded(str(manifest.get("name", "")), cases, folder, summary, manifest)


def _cases(manifest: Mapping[str, Any], folder: Path, files: Path | None) -> tuple[Case, ...]:
    """The cases of the study in a manifest, those that its run selected."""
    keys, only, digests = (manifest.get(key) for key in ("study", "only", "files"))
    if keys is None:
        raise DamagedError(
            f"{folder / 'manifest.json'} holds no study, as one of an earlier fpstudy: name the"
            f" study file in place of the folder, or {AGAIN}"
        )
    path = folder / "manifest.json"
    try:
        for name, digest in dict(digests or {}).items():
            _check_file(folder if files is None else files, str(name), digest, files is not None)
        if "defaults" in keys:  # no manifest has them; they could name a file for every sweep
            raise TypeError("a study with defaults")
        if not _named_files(keys) <= {PurePath(name).name for name in digests or {}}:
            raise TypeError("a file of logits without its digest")
        study = from_keys({"schema": 1, "name": "study", **keys}, files or folder)
        return tuple(select(expand(study), selection(only)))
    except AbsentError:
        raise
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise DamagedError(f"{path} is damaged ({error}); {AGAIN}") from None


def _named_files(keys: Mapping[str, Any]) -> set[str]:
    """The files of logits that a study's sweeps name; raises TypeError for what are no sweeps."""
    sweeps = keys.get("sweep")
    if not isinstance(sweeps, list) or not all(isinstance(sweep, dict) for sweep in sweeps):
        raise TypeError("study.sweep: want a list of tables")
    files = [sweep["file"] for sweep in sweeps if sweep.get("file") is not None]
    if not all(isinstance(file, str) for file in files):
        raise TypeError("study.sweep: want the name of a file")
    return set(files)


def _check_file(folder: Path, name: str, digest: object, asked: bool) -> None:
    """A file of logits is in the folder, and the one that the study was run on."""
    path = folder / PurePath(name).name
    hint = "" if asked else "; --files DIR says where the study's files are"
    if not path.is_file():
        raise AbsentError(f"the study reads its logits from {name}, which is not in {folder}{hint}")
    if sha256(path) != digest:
        raise AbsentError(f"{path} is not the file that the study was run on{hint}")


def _same_axes(cases: Sequence[Case], summary: pd.DataFrame) -> bool:
    """Whether the cases are those of the summary's rows, one by one."""
    asked = pd.DataFrame([case.axes for case in cases], columns=list(AXES))
    return all(
        (asked[name].astype(str) == summary[name].astype(str)).all()
        if name in TEXT_AXES
        else np.array_equal(asked[name].astype(float), summary[name].astype(float), equal_nan=True)
        for name in AXES
    )


def show(
    recorded: Recorded,
    number: int,
    sample: int | None = None,
    components: Sequence[int] | None = None,
    every: bool = False,
) -> Shown:
    """The case of that number at one of its samples, by default its worst.

    components, every: as `chosen_components` takes them
    Raises AbsentError for a case, sample or component that there is not.
    """
    count = len(recorded.cases)
    if not 0 <= number < count:
        there = f"{recorded.name} has the cases 0 to {count - 1}" if count else "there are none"
        raise AbsentError(f"no case {number}: {there}")
    _check_memory(recorded, number)
    case, inputs = recorded.cases[number], recorded.inputs(number)
    if sample is not None and not 0 <= sample < len(inputs.x):
        raise AbsentError(f"no sample {sample}: case {number} has 0 to {len(inputs.x) - 1}")
    chosen = chosen_components(case, inputs, components, every)
    rows = recorded.samples(number)
    worst = _worst(rows)
    if worst is None and sample is None:
        worst = worst_sample(case, inputs)
    at = sample if sample is not None else worst or 0
    found = inspect(case, inputs, at, formulas=recorded.beside(number), components=chosen)
    warnings = _unlike(recorded, number, rows, found) if rows else []
    if not rows and at == worst:
        warnings = _unlike_summary(recorded, number, found)
    return Shown(recorded, number, len(inputs.x), worst, found, tuple(warnings))


def _check_memory(recorded: Recorded, number: int) -> None:
    """Raises AbsentError for a case whose draw this machine cannot hold."""
    if why := too_large(recorded.cases[number].demand.draw, available()):
        raise AbsentError(f"case {number} of {recorded.name} is {why}")


def _worst(rows: Sequence[Mapping[str, Any]]) -> int | None:
    """The recorded sample with the largest ulp error, the first of equals."""
    scored = [row for row in rows if row["sample"] >= 0]
    if not scored:
        return None
    ulps = [-1.0 if math.isnan(row["ulp_error"]) else row["ulp_error"] for row in scored]
    return int(scored[ulps.index(max(ulps))]["sample"])


def _unlike(
    recorded: Recorded, number: int, rows: Sequence[Mapping[str, Any]], found: Inspection
) -> list[str]:
    """Where the case's own formula does not give here what the record has."""
    own, f = found.own, found.case.format
    assert own is not None  # a study's case has a formula
    row = next((row for row in rows if row["sample"] in (found.sample, -1)), None)
    if row is None:
        return [f"the record has no sample {found.sample} of case {number}"]
    then, at = float(row["worst_computed"]), int(row["worst_component"])
    told = f"{shortest(then, f)} ({then.hex()}) at component {at}" if at >= 0 else "nothing"
    if is_code(own.formula):
        return [f"{own.formula} is not run here; recorded is {told}, {row['ulp_error']:.3g} ulps"]
    same = then.hex() == own.computed.hex() and at == own.component
    if same:
        return []
    now = f"{shortest(own.computed, f)} ({own.computed.hex()}) at component {own.component}"
    here = now if own.component >= 0 else f"nothing ({own.reason})"
    return [f"recorded is {told}, here {own.formula} gives {here}{_where(recorded, found)}"]


def _unlike_summary(recorded: Recorded, number: int, found: Inspection) -> list[str]:
    """Where the worst sample's error is not the largest that summary.csv has."""
    if recorded.summary is None or found.own is None or is_code(found.own.formula):
        return []
    then = float(recorded.summary["ulp_error_max"].iloc[number])
    now = found.own.ulp_error
    if math.isclose(then, now, rel_tol=NEAR) or (math.isnan(then) and math.isnan(now)):
        return []
    return [
        f"the largest ulp error in summary.csv is {then:.6g}, here it is {now:.6g}"
        f"{_where(recorded, found)}"
    ]


def _where(recorded: Recorded, found: Inspection) -> str:
    """What differs between the report's environment and this one, as the end of a sentence."""
    try:
        unlike = differences(recorded.manifest or {}, environment(used_by([found.case])))
    except (KeyError, TypeError, AttributeError):
        return "; the environment of the report is not known"
    return f"; this environment is another: {'; '.join(unlike)}" if unlike else ""
