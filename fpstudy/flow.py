"""The whole flow: a study in, a record, a summary and a report out."""

import hashlib
import json
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from fpstudy import manifest as manifests
from fpstudy import record
from fpstudy.cases import expand, select, selection
from fpstudy.chunks import FOLDER as CHUNKS
from fpstudy.chunks import Chunk, cut, forget, numbers
from fpstudy.damage import DamagedError
from fpstudy.environment import command_line
from fpstudy.environment.floating_point import steady
from fpstudy.environment.threads import one_thread
from fpstudy.environment.uses import used_by
from fpstudy.execution import Workers, carried_out
from fpstudy.execution.here import Here
from fpstudy.execution.origin import Needs, Origin, changed
from fpstudy.execution.origin import here as origin_here
from fpstudy.execution.pool import Pool, cores
from fpstudy.execution.terms import Notice, Terms
from fpstudy.folder_faults import told
from fpstudy.logit_files import file_logits
from fpstudy.manifest_fields import AGAIN
from fpstudy.measurement import Measured
from fpstudy.report_lock import held
from fpstudy.room import check, of_report, of_run
from fpstudy.staging import staged
from fpstudy.study import Given, Study, study_of
from fpstudy.study_file.resolved import resolved
from fpstudy.tasks import tasks
from fpstudy.user_code import Code, is_code
from fpstudy.witness import Testimony

if TYPE_CHECKING:
    import pandas as pd  # only who reads a record or a summary needs it

    from fpstudy.report.plots import Plots

Progress = Callable[[int, int], None]  # cases done, cases in all

# To start a process takes half a second, which pays from about 2 s of work on.
PARALLEL_NUMBERS = 20_000_000


def warn(message: str) -> None:
    """A notice to whoever called `run`, as a warning."""
    warnings.warn(message, stacklevel=3)


@dataclass(frozen=True, repr=False)
class Run:
    """A study that was run: its tables as DataFrames, its figures, and where they lie.

    directory: of the report
    summary:   a row for each case. The columns are its axes (problem, formula, dtype, arithmetic,
               accumulation, n, distribution, magnitude, ...); components, results measured;
               medians and maxima over the samples of the worst component's errors
               (relative_error_*, ulp_error_*, normwise_error_max); bits_kept_min; of softmax how
               far the distribution is off (see `fpstudy.divergences`) and top1_flips; the count
               of each outcome; and the reason where the case did not run
    manifest:  how it was measured: seeds, versions, processor, what the witness found
    kept:      whether the folder had the record already, so that nothing was measured

    A notebook shows the verdict table.
    """

    directory: Path
    summary: "pd.DataFrame"
    manifest: dict[str, Any]
    kept: bool = False

    @property
    def record(self) -> "pd.DataFrame":
        """A row for each case and sample, read from its file.

        case is the row of the summary; the worst component of the sample stands there as computed
        (worst_computed) and as it is (worst_exact * 2**worst_exponent); worst_input, in hex, is
        there for the worst sample of a case.
        """
        return record.read(self.directory / "record.parquet")

    @property
    def verdicts(self) -> "pd.DataFrame":
        """The formula to use and how far it held, a row for each problem and setting.

        The columns are the fields of `fpstudy.report.verdicts.Verdict`: largest_magnitude is the
        largest measured up to which no sample failed, which is a maximum over the samples and no
        bound; bits_* and relative_error_max are of the worst sample up to it.
        """
        from fpstudy.report import verdicts

        return verdicts(self.summary)

    @property
    def outcomes(self) -> "pd.DataFrame":
        """What became of all results: counts by formula and setting, see `report.outcomes`."""
        from fpstudy.report import outcomes

        return outcomes(self.summary)

    @cached_property
    def plot(self) -> "Plots":
        """Figures by name, of what the caller chooses: `plot.failures(problem="softmax")`."""
        from fpstudy.report.formats import formats_of
        from fpstudy.report.plots import Plots

        samples = record.samples(self.directory / "record.parquet")
        formats = formats_of(self.manifest, self.summary)
        return Plots(str(self.manifest["name"]), self.summary, samples, formats)

    @property
    def failures(self) -> list[str]:
        """Checks that failed: the witness disagreed, or a truth broke an inequality."""
        return [*self.manifest["witness"]["disagreements"], *self.manifest["violations"]]

    def _repr_html_(self) -> str:
        from fpstudy.report.notebook import html

        return html(self.directory, self.summary, self.manifest)

    def __repr__(self) -> str:
        from fpstudy.report.notebook import text

        return text(self.directory, self.manifest)


def run(
    study: Given,
    out: str | Path | None = None,
    *,
    jobs: int | None = None,
    only: Mapping[str, Any] | None = None,
    fresh: bool = False,
    progress: Progress | bool | None = None,
    notice: Notice = warn,
    allow_code: Sequence[str] = (),
    timeout: float | None = None,
    scheduler: str | None = None,
    allow_mixed: bool = False,
    figures: bool = True,
) -> Run:
    """Run a study and write its report to `out`, by default reports/<name>.

    jobs:  processes; by default one for a small study and one for each core for a large one. The
           results do not depend on it.
    only:  columns and the values to keep, as {"dtype": "float16", "n": [10, 100]}; the default
           folder's name then says so, and the full report stays as it is
    fresh: measure again even where the folder has this study's record from this environment
    progress: called with the cases done and all; or whether to show them, by default in a notebook
    notice: told where the folder's report, which this run replaces, is of another environment
    figures: whether to draw them; `rebuild` can do it later
    allow_code: modules that the study's "module:function" formulas may be imported from
    timeout: seconds after which a case's formula counts as hung; by default a minute, and more for
             long vectors and for what is compiled first
    scheduler: address or file of a Dask cluster's scheduler, whose workers measure instead of
             processes of this machine
    allow_mixed: let workers measure whose packages or processors differ from those here; their rows
             carry the id of their environment, and the manifest says how it differs
    Raises StudyError for mistakes in the study, ValueError for a selection of nothing, CodeError
    for code that is not allowed or cannot be imported, and UnsteadyError where the processor rounds
    otherwise than by the standard. Raises OSError where the folder cannot be written;
    three of its kinds say what helps: `fpstudy.report_lock.InUseError`, at once, where another run
    or rebuilding is at work in the folder, its VanishedError where somebody removes the folder
    meanwhile, and `fpstudy.room.RoomError` where there is no room, if possible before the first
    case. Whatever is raised, the folder's report is the one of before or the new one, whole.
    """
    study = study_of(study)
    chosen = selection(only)
    directory = Path(out) if out is not None else default_directory(study, chosen)
    cases = select(expand(study), chosen)
    if chosen and not cases:
        raise ValueError(f"only: no case of {study.name} has all of {only}")
    code = Code(tuple(allow_code), None if study.path is None else study.path.resolve().parent)
    uses = used_by(cases)
    own = sorted({case.formula for case in cases if is_code(case.formula)})
    needs = Needs(uses, tuple(own), code)
    origin = origin_here(needs)
    where, terms = origin.where, Terms(origin.where["environment"], timeout)
    whence = _whence(origin, timeout, scheduler is not None and allow_mixed)
    key = _key(study, chosen, whence)
    chunks: list[Chunk] = []
    need = partial(_need, directory, chunks)
    with told(directory, need), held(directory, notice, make=True) as holder:
        with staged(directory) as new:
            if fresh:
                forget(directory / CHUNKS)
            manifest = None if fresh else manifests.finished(directory, key, notice)
            kept = manifest is not None
            if manifest is None:
                for line in manifests.unlike(directory, where):
                    notice(line)
                with one_thread(uses), steady("the run"), _shown(progress, study.name) as show:
                    chunks += cut(tasks(study, cases, code), whence)
                    check(directory, need())
                    _say_what_changed(study, chosen, timeout, origin, directory, notice)
                    if scheduler is None:
                        workers = _workers(chunks, jobs, terms, needs)
                    else:
                        from fpstudy.execution.cluster import Cluster  # dask.distributed, an extra

                        workers = Cluster(scheduler, terms, needs, origin, allow_mixed)
                    manifest = _measure_all(
                        study, chunks, chosen, workers, directory, new, show, notice
                    )
                holder.check()
                manifest = _describe(study, where) | manifest | {"key": key}
                manifest = manifests.write(new, manifest)
            done = _report(directory if kept else new, new, figures)
            holder.check()
        forget(directory / CHUNKS)
    return replace(done, directory=directory, kept=kept)


def _need(directory: Path, chunks: list[Chunk]) -> int:
    """Bytes to be written to the folder yet, where nothing is measured those of the pages."""
    return of_run(chunks, directory / CHUNKS) if chunks else of_report(directory)


def _shown(progress: Progress | bool | None, title: str) -> AbstractContextManager[Progress | None]:
    """Who is told how far the run has come, if anybody."""
    if progress is False or (progress is None and "IPython" not in sys.modules):
        return nullcontext()
    if callable(progress):
        return nullcontext(progress)
    from fpstudy.progress import in_notebook, shown  # rich takes its time

    return shown(title) if progress or in_notebook() else nullcontext()


def rebuild(directory: str | Path, *, figures: bool = True, notice: Notice = warn) -> Run:
    """Rebuild summary, figures and pages of a folder from its record and manifest.

    Without figures those that are there are removed, and the pages say so. What is rebuilt appears
    together or not at all.

    notice: told where the file system has no locks
    Raises DamagedError for a record that is damaged, or that another version of fpstudy wrote with
    other columns, and OSError as `run` does.
    """
    directory = Path(directory)
    with (
        told(directory, partial(of_report, directory)),
        held(directory, notice) as holder,
        staged(directory) as new,
    ):
        done = _report(directory, new, figures)
        holder.check()
    return replace(done, directory=directory)


def _report(source: Path, new: Path, figures: bool) -> Run:
    """The report of the record and manifest in the source, its other files built in `new`."""
    from fpstudy.report import write_report  # pandas takes half a second to import
    from fpstudy.report_folder import not_of, what_is_wrong
    from fpstudy.summary import SOURCES, read_csv, summarize_parts, write_csv

    manifest = manifests.read(source)
    measured = source / manifests.RECORD
    record.check(measured)
    try:
        summary = summarize_parts(record.parts(measured, SOURCES))
        samples = record.samples(measured)
    except (pa.ArrowException, AssertionError) as error:
        raise DamagedError(f"{measured} is damaged ({error}); {AGAIN}") from None
    if fault := what_is_wrong(summary) or not_of(samples, summary, manifest):
        raise DamagedError(f"{measured} is damaged ({fault}); {AGAIN}")
    write_csv(summary, new / manifests.SUMMARY)
    manifest = manifests.write(new, manifest)
    summary, claims = read_csv(new / manifests.SUMMARY), manifest.get("claims", [])
    write_report(new, samples, summary, manifest, claims, figures=figures, recorded=True)
    return Run(source, summary, manifest)


def default_directory(study: Study, only: dict[str, set[str]]) -> Path:
    """reports/<name>, with the selection in the name of a partial run."""
    parts = [f"{column}={'+'.join(sorted(texts))}" for column, texts in sorted(only.items())]
    return Path("reports") / ".".join([study.name, *parts])


def _measure_all(
    study: Study, chunks: list[Chunk], only: dict[str, set[str]], workers: Workers,
    directory: Path, new: Path, progress: Progress | None, notice: Notice,
) -> dict[str, Any]:  # fmt: skip
    """Measure all cases, the rows going to `new`'s record as they come; returns the counts."""
    start = time.perf_counter()
    cases = sum(chunk.cases for chunk in chunks)
    total = Measured(rows=record.table([]), testimony=Testimony())

    def tables(parts: Iterable[Measured]) -> Iterator[tuple[pa.Table, str]]:
        done = 0
        for part in parts:
            total.testimony.add(part.testimony)
            total.truths += part.truths
            total.undecided += part.undecided
            total.violations += part.violations
            total.cases.update(part.cases)
            done += part.cases.total()
            if progress is not None:
                progress(done, cases)
            yield part.rows, part.environment

    # Closed here: left to the end of an interrupted process, it would wait for a thread for ever.
    with closing(carried_out(chunks, directory / CHUNKS, workers, notice)) as parts:
        record.write(new / "record.parquet", tables(parts))
    witness = total.testimony
    return {
        "cases": {"total": cases}
        | {ended: total.cases[ended] for ended in ("run", "skipped", "crashed")},
        "truths": total.truths,
        "undecided": total.undecided,
        "violations": total.violations,
        "claims": _verdicts(study),
        "witness": {
            "total": total.truths,
            "checked": witness.checked,
            "agreed": witness.checked - len(witness.disagreements),
            "beyond_budget": witness.beyond_budget,
            "limits": witness.limits,
            "undefined": witness.undefined,
            "undecided": witness.undecided,
            "not_drawn": total.truths - witness.witnessed,
            "disagreements": witness.disagreements,
        },
        "only": {column: sorted(texts) for column, texts in only.items()},
        "jobs": workers.jobs,
        "other_environments": workers.others,
        "duration_seconds": round(time.perf_counter() - start, 3),
    }


# What never ends or hangs a process, so that it may run in this one.
HARMLESS = {"numpy", "rounded"}


def _workers(chunks: list[Chunk], jobs: int | None, terms: Terms, needs: Needs) -> Workers:
    """No process but this for a small study of fpstudy's own formulas; else some of their own."""
    if jobs is None:
        large = sum(numbers(task) for chunk in chunks for task in chunk.tasks) > PARALLEL_NUMBERS
        jobs = min(len(chunks), cores()) if large else 1
    harmless = not needs.formulas and set(needs.uses) <= HARMLESS
    return Here(terms) if jobs == 1 and harmless else Pool(terms, jobs)


def _verdicts(study: Study) -> list[dict[str, Any]]:
    """The study's claims, checked; few studies have any."""
    if not study.claim:
        return []
    from fpstudy.claims import check

    return [check(claim) for claim in study.claim]


def _describe(study: Study, where: dict[str, Any]) -> dict[str, Any]:
    """What the manifest says besides the counts."""
    return {
        "schema": manifests.SCHEMA_VERSION,
        "name": study.name,
        "title": study.title,
        "question": study.question,
        "seed": study.seed,
        "engine": study.engine,
        "proven": study.engine != "mpmath",
        "formats": {own.name: asdict(own.format) for own in study.format},
        "study": resolved(study.seed, study.sweep, study.format),
        "files": {file.name: file_logits(file).sha256 for file in _files(study)},
        "study_hash": study_hash(study),
        "command": command_line(),
        **where,
    }


def study_hash(study: Study) -> str:
    """SHA-256 of the study as resolved and of the digests of the logit files that it names."""
    resolved = study.model_dump(exclude={"path", "text"})
    for settings in (resolved["defaults"], *resolved["sweep"]):
        if settings["file"] is not None:
            settings["file"] = settings["file"].name  # where is no matter
    digest = hashlib.sha256(json.dumps(resolved, sort_keys=True, default=str).encode())
    for file in _files(study):
        digest.update(file_logits(file).sha256.encode())
    return digest.hexdigest()


def _files(study: Study) -> list[Path]:
    """The files of logits that the study reads, sweep by sweep."""
    return [sweep.file for sweep in study.sweep if sweep.file is not None]


def _key(study: Study, only: dict[str, set[str]], whence: str) -> str:
    """What the results depend on: study, selection, and whence."""
    selection = {column: sorted(texts) for column, texts in only.items()}
    parts = [study_hash(study), selection, whence]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _whence(origin: Origin, timeout: float | None, mixed: bool) -> str:
    """What all results depend on beside the study."""
    parts = [origin.digest, timeout, "mixed" if mixed else "alike"]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _say_what_changed(
    study: Study, only: dict[str, set[str]], timeout: float | None, origin: Origin,
    directory: Path, notice: Notice,
) -> None:  # fmt: skip
    """Why what an interrupted run left in the folder is measured again, if it is."""
    rest = {
        "the study": study_hash(study),
        "the selection of cases": {column: sorted(texts) for column, texts in only.items()},
        "the time that a formula may take": timeout,
    }
    if unlike := changed(directory / CHUNKS, origin, rest):
        notice(
            f"{directory}: an earlier run stopped here, and what it measured is measured again"
            f" where it depends on what has changed since: {'; '.join(unlike)}"
        )
