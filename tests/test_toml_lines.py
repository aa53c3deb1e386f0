"""The scanner's lines agree with the text, and no text brings load to anything but its two ends."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fpstudy.study import Study, StudyError, load
from fpstudy.study_file.mistakes import Key
from fpstudy.study_file.toml_lines import scan

TEXT = '''\
# a comment with "quotes and [brackets
a = 1 # "b = 2
"quoted key" = """
x = 1
""" # three lines
'lit' = \'\'\'
[no.table]
\'\'\'\'\'
dates = [1979-05-27 07:32:00, 07:32:00,
  "a\\\\", 'b\\',
  [
    1e5, inf ], # ]
]
point = {x = 1, y.z = [2,
 3]}

[table]
dotted.key . "x" = true
[[sweep]]
n = [8,

  16]
[sweep.inner]
q = ""
[[sweep]]
[sweep.inner.deep]
q = \'\'
[[sweep.inner.list]]
e = {}
'''

LINES: dict[Key, int] = {
    ("a",): 2, ("quoted key",): 3, ("lit",): 6, ("dates",): 9, ("dates", 0): 9, ("dates", 2): 10,
    ("dates", 3): 10, ("dates", 4): 11, ("dates", 4, 0): 12, ("dates", 4, 1): 12, ("point",): 14,
    ("point", "y", "z"): 14, ("point", "y", "z", 0): 14, ("point", "y", "z", 1): 15,
    ("table",): 17, ("table", "dotted"): 18, ("table", "dotted", "key", "x"): 18, ("sweep",): 19,
    ("sweep", 0): 19, ("sweep", 0, "n"): 20, ("sweep", 0, "n", 0): 20, ("sweep", 0, "n", 1): 22,
    ("sweep", 0, "inner"): 23, ("sweep", 0, "inner", "q"): 24, ("sweep", 1): 25,
    ("sweep", 1, "inner", "deep"): 26, ("sweep", 1, "inner", "deep", "q"): 27,
    ("sweep", 1, "inner", "list", 0): 28, ("sweep", 1, "inner", "list", 0, "e"): 29,
    ("nothing",): 1, ("sweep", 1, "nothing"): 25,
}  # fmt: skip


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("key", LINES)
def test_lines(key: Key, newline: str) -> None:
    lines = scan(TEXT.replace("\n", newline))
    assert lines.fault is None
    assert lines.of(key) == LINES[key]


def paths(value: Any, key: Key = ()) -> list[Key]:
    """The paths of all keys of what tomllib read."""
    if isinstance(value, dict):
        return [key, *(path for k, v in value.items() for path in paths(v, (*key, k)))]
    if isinstance(value, list):
        return [key, *(path for i, v in enumerate(value) for path in paths(v, (*key, i)))]
    return [key]


def test_the_scanner_knows_the_keys_that_tomllib_reads() -> None:
    known = set(paths(tomllib.loads(TEXT)))
    assert set(scan(TEXT).first) <= known
    tables = {key for key in known if key and isinstance(key[-1], str)}
    assert tables <= set(scan(TEXT).first)


STUDY = """\
schema = 1
name = "größe"
title = 'a "title"'
question = \"\"\"
why?\"\"\"
[defaults]
samples = 3
inputs = "per_dtype"
[[sweep]]
problem = ["softmax", "log_softmax"]
dtype = ["float16", "bfloat16"]
n = [
  8, # eight
  64,
]
magnitude = {scale = "log10", start = -2, stop = 1.5, num = 4, include = ["0x1p3"]}
[[sweep]]
problem = "cross_entropy"
dtype = "float32"
labels = ["hard", [0.25, 0.75]]
n = 2
reduction = ["none", "mean"]
batch = 4
[[sweep]]
problem = "softmax"
dtype = "float8_e5m2"
distribution = ["explicit", "normal"]
vectors = [[1000, 0], ["-inf", inf]]
beta = [1, inf, "-inf"]
masked = 0.5
tolerance = 1e1
"""

SCRAPS = st.sampled_from(
    [*"[]{}=.,#\"'\\\n \t-+_0x9eE", '"""', "'''", "[[", "]]", "1e999", "nan", "inf", "true", "null",
     "[[sweep]]\n", "[defaults]\n", "{scale=", "\u202e", "\x00", "\ufeff", "9" * 400,
     "0x" + "f" * 300]
)  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """STUDY with some stretches replaced by scraps, other stretches of it, or any text."""
    text = STUDY
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(text)))
        stop = min(len(text), start + draw(st.integers(0, 12)))
        cut = st.tuples(st.integers(0, len(STUDY)), st.integers(0, 40))
        pieces = st.one_of(SCRAPS, st.text(max_size=5), cut.map(lambda c: STUDY[c[0] : sum(c)]))
        text = text[:start] + draw(pieces) + text[stop:]
    return text


VALUES = st.recursive(
    st.one_of(
        st.sampled_from(["true", "1e400", "-0.0", "nan", "inf", "07:32:00", "'inf'", "'0x1p-3'"]),
        st.integers().map(str),
        st.floats(allow_nan=False, allow_infinity=False).map(repr),
        st.sampled_from(
            ["'softmax'", "'all'", "'float16'", "'hard'", "'file'", "'explicit'", "''"]
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: f"[{', '.join(items)}]"),
        st.lists(inner, max_size=2).map(
            lambda items: "{" + ", ".join(f"k{i} = {v}" for i, v in enumerate(items)) + "}"
        ),
    ),
    max_leaves=4,
)


@st.composite
def revalued(draw: st.DrawFn) -> str:
    """STUDY with the value of some keys replaced by any TOML value."""
    rows = STUDY.split("\n")
    for _ in range(draw(st.integers(1, 3))):
        row = draw(st.sampled_from([i for i, row in enumerate(rows) if " = " in row]))
        rows[row] = rows[row].partition(" = ")[0] + " = " + draw(VALUES)
    return "\n".join(rows)


CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # of a busy machine


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("studies") / "study.toml"


def check(path: Path, content: bytes) -> None:
    """Load gives a Study or raises a StudyError whose lines print, with a place and a sentence."""
    path.write_bytes(content)
    try:
        study = load(path)
    except StudyError as error:
        lines = error.problems
    else:
        assert isinstance(study, Study)
        return
    assert lines
    for line in lines:
        assert line.isprintable()
        assert line.startswith(str(path))
        assert "Input should be" not in line  # pydantic's own wording


@CALM
@given(content=st.one_of(st.binary(), st.text().map(str.encode)))
def test_any_file(path: Path, content: bytes) -> None:
    check(path, content)


@CALM
@given(text=mutated())
def test_any_mutated_study(path: Path, text: str) -> None:
    check(path, text.encode("utf-8", "surrogatepass"))


@CALM
@given(text=revalued())
def test_any_values(path: Path, text: str) -> None:
    check(path, text.encode())


@CALM
@given(text=mutated())
def test_the_scanner_reads_what_tomllib_reads(text: str) -> None:
    lines = scan(text)
    try:
        keys = paths(tomllib.loads(text))
    except ValueError:
        return
    assert lines.fault is None
    assert all(1 <= lines.of(key) <= text.count("\n") + 1 for key in keys)


def test_the_study_to_mutate_is_good(path: Path) -> None:
    path.write_text(STUDY, encoding="utf-8")
    assert len(load(path).sweep) == 3
