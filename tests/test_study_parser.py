"""The reader of study files on whatever comes: a study, or mistakes with file and line; soon."""

import json
import re
import string
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_bad_studies import BASE, neighbours

from fpstudy.cases import expand
from fpstudy.formats import FORMATS
from fpstudy.problems import PROBLEMS
from fpstudy.study import Study, StudyError, StudyKeys, from_keys, load
from fpstudy.study_file.claims import KINDS
from fpstudy.study_file.mistakes import MAX_MISTAKES
from fpstudy.study_file.own_format import OwnFormat
from fpstudy.study_file.resolved import resolved
from fpstudy.study_file.settings import Settings

SECONDS = 5.0  # for what takes milliseconds: a bomb takes minutes
MOST_CASES = 2_000  # of a study that is expanded here
steady = settings(derandomize=True, deadline=None, max_examples=150)

GOOD = [
    path.read_text(encoding="utf-8")
    for path in sorted((Path(__file__).parent.parent / "experiments").glob("*.toml"))
    if "file =" not in path.read_text(encoding="utf-8")
]
GOOD += [
    BASE,
    'schema = 1\nname = "f"\n[[format]]\nname = "mine"\nprecision = 5\nemax = 7\n[[sweep]]\n'
    'problem = "softmax"\ndtype = "mine"\narithmetic = "rounded"\naccumulation = "kahan"\n',
    'schema = 1\nname = "d"\n[defaults]\nbase = 2\ntarget = "argmax"\n[[sweep]]\n'
    'problem = ["softmax", "cross_entropy"]\ndtype = "float16"\ndistribution = "explicit"\n'
    "vectors = [[1, inf], [-0.0]]\n[[sweep]]\nproblem = 'softmax'\ndtype = 'float32'\n",
    'schema = 1\nname = "x"\n[[sweep]]\nproblem = "softmax"\ndtype = "float32"\n'
    'distribution = "file"\nfile = "good.npy"\n',
]
KEYS = sorted(
    {field.alias or name for name, field in StudyKeys.model_fields.items()}
    | set(Settings.model_fields)
    | set(OwnFormat.model_fields)
    | {name for kind in KINDS.values() for name in kind.model_fields}
    | {"scale", "start", "stop", "num", "include", "jobs", "timeout", ""}
)
WORDS = sorted(
    {*PROBLEMS, *FORMATS, *KINDS, "all", "numpy", "rounded", "kahan:float32", "explicit", "file"}
    | {name for problem in PROBLEMS.values() for name in problem.formulas}
    | {"good.npy", "nan.npy", "pipe.npy", "../x.csv", "mine:f", "a[b=1]", "mean", "soft", "log10"}
    | {"inf", "0x1p-3", "\x1b[2J", "<b>", "\u202e", "=1+1", "exp(x) overflows", "log(largest)"}
)

# values of all types that TOML has
numbers = st.one_of(
    st.integers(-(2**70), 2**70),
    st.integers(-3, 300),
    st.floats(),
    st.sampled_from([0.0, 1.0, 1e9]),
)
atoms = st.one_of(
    st.booleans(), numbers, st.sampled_from(WORDS), st.text(max_size=20),
    st.dates(), st.times(), st.datetimes(),
)  # fmt: skip
keys = st.one_of(st.sampled_from(KEYS), st.text(max_size=10))
values = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4)
    ),
    max_leaves=8,
)  # fmt: skip
tables = st.dictionaries(keys, values, max_size=8)


def toml(value: Any) -> str:
    """The value as TOML writes it, in one line."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        return json.dumps(value.encode("utf-8", "replace").decode()).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        pairs = (f"{toml(key)} = {toml(entry)}" for key, entry in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(toml, value)) + "]"
    return value.isoformat()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with files of logits, good and bad ones."""
    return neighbours(tmp_path_factory.mktemp("studies"))


def read(folder: Path, content: bytes) -> Study | None:
    """The study that the bytes are; else there are mistakes, and they are told as they should."""
    path = folder / "study.toml"
    path.write_bytes(content)
    start = time.perf_counter()
    study, problems = None, ()
    try:
        study = load(path)
    except StudyError as error:
        problems = error.problems
    assert time.perf_counter() - start < SECONDS
    assert (study is None) == (1 <= len(problems) <= MAX_MISTAKES + 1)
    for problem in problems:
        assert problem.isprintable()
        assert problem.startswith(f"{path}:")
        place = re.match(r"(?::(\d+))?: \S.{,999}$", problem.removeprefix(str(path)))
        assert place is not None
        assert 1 <= int(place[1] or 1) <= content.count(b"\n") + 1
    return study


def stands(study: Study, folder: Path) -> None:
    """What a report keeps of the study gives the same cases, through JSON as through TOML."""
    keys = resolved(study.seed, study.sweep, study.format)
    if sum(len(sweep.magnitude) * len(sweep.n) for sweep in study.sweep) > MOST_CASES:
        return
    cases = expand(study)
    if not study.sweep:
        assert cases == []
        return
    named = {"schema": 1, "name": study.name, **keys}
    again = from_keys(json.loads(json.dumps(named, allow_nan=False)), folder)
    assert expand(again) == cases
    lines = [f"{key} = {toml(value)}" for key, value in named.items()]
    path = folder / "resolved.toml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert expand(load(path)) == cases


@pytest.mark.parametrize("text", GOOD, ids=lambda text: text.partition("name = ")[2][:20])
def test_good_studies_are_read_and_stand(folder: Path, text: str) -> None:
    study = read(folder, text.encode())
    assert study is not None
    stands(study, folder)


def encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")


@steady
@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(encoded)))
@example(b"")
@example(b"\xef\xbb\xbf")
@example(b'a="\\')
def test_any_bytes(folder: Path, content: bytes) -> None:
    assert read(folder, content) is None


ALPHABET = st.text(alphabet=string.printable + "[]{}=\"'.,#\\\n\u00e9\u202e\0", max_size=200)


@steady
@given(st.sampled_from(GOOD), st.integers(0, 5_000), st.integers(0, 60), ALPHABET)
def test_a_study_with_a_piece_replaced(
    folder: Path, text: str, at: int, length: int, piece: str
) -> None:
    at %= len(text)
    mutant = text[:at] + piece + text[at + length :]
    if (study := read(folder, encoded(mutant))) is not None:
        stands(study, folder)


@steady
@given(st.sampled_from(GOOD), st.data())
def test_a_study_with_lines_moved_lost_and_doubled(folder: Path, text: str, data: Any) -> None:
    lines = text.splitlines()
    chosen = data.draw(st.lists(st.integers(0, len(lines) - 1), max_size=2 * len(lines)))
    kept = data.draw(st.integers(0, len(lines)))
    mutant = "\n".join([*lines[:kept], *(lines[i] for i in chosen)])
    if (study := read(folder, encoded(mutant))) is not None:
        stands(study, folder)


@settings(steady, max_examples=400)
@given(st.sampled_from(GOOD), st.integers(0, 200), keys, values)
def test_a_study_with_a_value_of_any_type(
    folder: Path, text: str, line: int, key: str, value: Any
) -> None:
    lines = text.splitlines()
    line %= len(lines)
    if " = " in lines[line] and key in ("", lines[line].partition(" = ")[0]):
        key = lines[line].partition(" = ")[0]
    there = " = " in lines[line] and not lines[line].startswith((" ", "#"))
    name = lines[line].partition(" = ")[0] if there and len(key) % 2 else toml(key)
    lines[line : line + there] = [f"{name} = {toml(value)}"]
    if (study := read(folder, encoded("\n".join(lines)))) is not None:
        stands(study, folder)


@settings(steady, max_examples=400)
@given(
    st.dictionaries(keys, values, max_size=4),
    st.lists(tables, max_size=3),
    st.sampled_from(["sweep", "claim", "format", "defaults"]),
)
def test_any_keys(
    folder: Path, top: dict[str, Any], inner: list[dict[str, Any]], name: str
) -> None:
    """Tables that are nearly right are as good a test as those that are nothing."""
    begin = {
        "sweep": {"problem": "softmax", "dtype": "float32", "n": 3},
        "claim": {"says": "s", "kind": "exact", "problem": "softmax", "logits": [1], "expect": 1},
        "format": {"name": "mine", "precision": 5, "emax": 7},
        "defaults": {},
    }[name]
    sweep = [{"problem": "softmax", "dtype": "float32", "n": 2}]
    some: Any = [begin | table for table in inner]
    given_keys = {"name": "s", "sweep": sweep} | top | {name: some if name != "defaults" else begin}
    start = time.perf_counter()
    study, problems = None, ()
    try:
        study = from_keys(given_keys, folder)
    except StudyError as error:
        problems = error.problems
    assert time.perf_counter() - start < SECONDS
    assert (study is None) == (1 <= len(problems) <= MAX_MISTAKES)
    assert all(problem.isprintable() and len(problem) < 1_000 for problem in problems)
    if study is not None:
        stands(study, folder)
