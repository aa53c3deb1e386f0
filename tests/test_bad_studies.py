"""Every mistake in a study file gets its line, its key and a sentence; nothing else happens."""

import gzip
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fpstudy.study import StudyError, from_keys, load
from fpstudy.study_file.toml_file import read

BASE = """\
schema = 1
name = "demo"
seed = 12345
engine = "arb"
[[sweep]]
problem = "softmax"
formula = ["naive", "shifted"]
dtype = ["float32", "float64"]
n = [8, 64]
magnitude = [1.0, 10.0, 100.0]
samples = 16
"""

TABLE = json.loads((Path(__file__).parent / "bad_studies.json").read_text(encoding="utf-8"))
ONE_MISTAKE = [
    pytest.param(case, id=f"{group}-{case['edit'][-1][:40]}")
    for group, cases in TABLE.items()
    for case in cases
]


def edited(*lines: str) -> str:
    """BASE with each `key = value` in the place of its key, or after the last line."""
    text = BASE
    for line in lines:
        pattern = rf"^{re.escape(line.split('=')[0])}=.*$"
        if re.search(pattern, text, re.MULTILINE):
            text = re.sub(pattern, lambda _, line=line: line, text, flags=re.MULTILINE)
        else:
            text += line + "\n"
    return text


def without(*keys: str) -> str:
    """BASE without the lines of these keys."""
    return re.sub(rf"^({'|'.join(keys)}) = .*\n", "", BASE, flags=re.MULTILINE)


def problems(folder: Path, content: str | bytes) -> tuple[str, ...]:
    """What load finds wrong, the path cut off; asserts that it writes nothing."""
    path = folder / "study.toml"
    path.write_bytes(
        content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    )
    before = sorted(folder.rglob("*"))
    with pytest.raises(StudyError, match=re.escape(str(path))) as raised:
        load(path)
    assert sorted(folder.rglob("*")) == before
    found = raised.value.problems
    assert str(raised.value) == "\n".join(found)
    assert all(line.startswith(str(path)) and line.isprintable() for line in found)
    return tuple(line.removeprefix(str(path)) for line in found)


def says(words: str) -> str:
    """A pattern for the words as they stand, " .* " for anything between."""
    return ".*".join(map(re.escape, words.split(" .* ")))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of the study, with what could be taken for a file of logits."""
    inside = tmp_path / "inside"
    (inside / "folder.npy").mkdir(parents=True)
    (inside / "loop.npy").symlink_to(inside / "loop.npy")
    (inside / "logits.pkl").touch()
    os.mkfifo(inside / "pipe.npy")
    return inside


@pytest.mark.parametrize("case", ONE_MISTAKE)
def test_one_mistake(folder: Path, case: dict[str, Any]) -> None:
    (problem,) = problems(folder, edited(*case["edit"]))
    assert problem.startswith(f":{case['line']}: {case['key']}: ")
    assert re.search(says(case["says"]), problem)


@pytest.mark.parametrize("case", ONE_MISTAKE)
def test_the_same_mistake_in_keys_has_the_same_sentence(
    folder: Path, case: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    (problem,) = problems(folder, edited(*case["edit"]))
    tables = read(folder / "study.toml").tables
    monkeypatch.chdir(folder)
    with pytest.raises(StudyError, match=re.escape(case["key"])) as raised:
        from_keys(tables)
    assert raised.value.problems == (problem.removeprefix(f":{case['line']}: "),)


WHOLE_FILES = [  # content, line (or None), words
    ("", None, "is empty; a study begins with schema = 1"),
    (" \n\n", None, "is empty"),
    (without("schema"), 1, "schema: missing; write schema = 1"),
    (without("name"), 1, 'name: missing; write name = "..."'),
    (without("problem", "formula"), 5, 'sweep[1].problem: missing; write problem = "softmax"'),
    (without("dtype"), 5, 'sweep[1].dtype: missing; write dtype = "float32"'),
    (BASE.split("[[")[0], 1, "sweep: missing; a study has at least one [[sweep]]"),
    ("sweep = []\n" + BASE.split("[[")[0], 1, "sweep: missing"),
    ("sweep = 3\n" + BASE.split("[[")[0], 1, "sweep: want tables [[sweep]], got 3"),
    ("sweep = [3]\n" + BASE.split("[[")[0], 1, "sweep[1]: want a table, got 3"),
    (BASE.replace("[[sweep]]", "[sweep]"), 5, "sweep: write [[sweep]] with two brackets"),
    (BASE.replace("[[sweep]]", "[[sweeps]]"), 5, "sweeps: unknown key - did you mean sweep?"),
    ("defaults = 3\n" + BASE, 1, "defaults: want a table, got 3"),
    ("defaults = 'dtype'\n" + BASE, 1, "defaults: want a table, got the text 'dtype'"),
    ("samples = 3\n" + BASE, 1, "samples: unknown key here: it belongs in [defaults] or in a"),
    (BASE + "[grid]\nsize = [8]\n", 12, "grid: unknown key"),
    (BASE + "[run]\nworkers = 2\n", 12, "run: unknown key"),
    (BASE + "[output]\ndir = 'out'\n", 12, "output: unknown key"),
    (BASE + "[truth]\nbackend = 'arb'\n", 12, "truth: unknown key"),
    (BASE + "[dask]\nscheduler = 'tcp://203.0.113.9:8786'\n", 12, "dask: unknown key"),
    ("include = ['study.toml']\n" + BASE, 1, "include: unknown key"),
    (BASE + "[zip]\naxes = ['n', 'dtype']\n", 12, "zip: unknown key"),
    (BASE + "[[report.page]]\nname = 'a:b'\n", 12, "report: unknown key"),
    (BASE + "[axes.a]\nlike = 'b'\n", 12, "axes: unknown key"),
    (edited("seed = 1\ntitle = 'x\u202ey'"), 4, "title: must not hold the control or bidi"),
    (edited("seed = 1\nquestion = 3"), 4, "question: want a text, got 3"),
    (edited(f"seed = 1\nquestion = '{'x' * 2001}'"), 4, "question: longer than 2,000 characters"),
    # not TOML
    (edited("seed = 1\nseed = 2"), 4, "seed: given twice, first on line 3"),
    (BASE + "n = [4]\n", 12, "sweep[1].n: given twice, first on line 9"),
    ("[defaults]\n[defaults]\n", 2, "defaults: given twice, first on line 1"),
    ("a = {b = 1, b = 2}\n", 1, "a.b: given twice, first on line 1"),
    (edited("n = [8, 64"), 9, "a bracket is not closed, or a comma is missing"),
    (edited("n = [8 64]"), 9, "not TOML"),
    (edited("seed = True"), 3, "TOML writes true and false in lower case"),
    (edited("seed = None"), 3, "TOML has no null: leave the key out"),
    (edited("seed = 2**20"), 3, "arithmetic is not TOML; write the number"),
    (edited("n = [8, 2 * 8]"), 9, "arithmetic is not TOML"),
    (edited("name = demo"), 2, "a text wants quotes"),
    (edited("name = \u201cdemo\u201d"), 2, "typographic quotes"),
    (edited('name = "\\ud800"'), 2, "not a Unicode scalar value"),
    (edited('name = "demo'), 2, "not TOML"),
    (edited("name = '''demo"), 2, "not TOML"),
    ("schema: 1\nsweep:\n  n: [8]\n", 1, "this looks like YAML; fpstudy reads TOML"),
    ("<<<<<<< HEAD\n" + BASE, 1, "a merge-conflict marker; resolve the conflict first"),
    (BASE + "=======\nn = 1\n>>>>>>> theirs\n", 12, "a merge-conflict marker"),
    (edited("seed = \x1b[2J"), 3, "not TOML"),
    # bombs
    ("a=" + "[" * 3000 + "]" * 3000, 1, "nested deeper than 32 levels"),
    ("a=" + "{a=" * 3000 + "1" + "}" * 3000, 1, "nested deeper than 32 levels"),
    (".".join(["a"] * 5000) + "=1", 1, "a key of more than 32 parts"),
    ("\n[" + ".".join(["a"] * 5000) + "]", 2, "a key of more than 32 parts"),
    (edited(f"samples = {'9' * 5000}"), 11, "a number of more than 1,000 characters"),
    (BASE + "[x]\n" + "".join(f"k{i}=1\n" for i in range(20_000)), 10_001, "more than 10,000 keys"),
    (BASE + f"x = [{'1,' * 200_001}]", 12, "more than 200,000 values"),
    ("#" * 2**20 + "\n", None, "larger than 1 MiB"),
    (edited(f"n = [{'1,' * 100_001}]"), 9, "sweep[1].n: 100,001 values on one axis; the limit is"),
    (edited(f"n = {list(range(1, 40_000))}", f"magnitude = {list(range(1, 99))}"), 5,
     "sweep: a study too large: 15,679,608 cases; the limit is 2,000,000"),
    (edited("n = 16777216", "samples = 1000"), 5,
     "sweep: a study too large: 201,326,592,000 logits; the limit is 10,000,000,000"),
    # encodings
    (BASE.replace("demo", "caf\xe9").encode("latin-1"), 2, "byte 0xe9 at offset 22 is not UTF-8"),
    (b"\xef\xbb\xbf" + BASE.replace("demo", "\xe9").encode("latin-1"), 2, "0xe9 at offset 22"),
    (BASE.encode("utf-16"), None, "is UTF-16 (byte-order mark ff fe); save it as UTF-8"),
    (BASE.encode("utf-16-le"), None, "holds NUL characters: UTF-16"),
    (edited('name = "\ud800"'), 2, "byte 0xed at offset 19 is not UTF-8"),
    (gzip.compress(BASE.encode()), None, "is compressed by gzip"),
    (b"\x1f\x8b" + bytes(70), None, "is compressed by gzip"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "line", "words"), WHOLE_FILES)
def test_one_mistake_of_a_whole_file(
    folder: Path, content: str | bytes, line: int | None, words: str
) -> None:
    (problem,) = problems(folder, content)
    assert problem.startswith(": " if line is None else f":{line}: ")
    assert words in problem


EXPRESSIONS = ["9**9**9**9", "1<<10**10", "__import__('os').system('id')", "().__class__", "1/0"]


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_expressions_are_nothing_but_unknown(folder: Path, expression: str) -> None:
    found = problems(folder, edited(f'magnitude = {{expr = "{expression}", k = {{from = 0}}}}'))
    assert any("sweep[1].magnitude.expr: unknown key; known: scale" in line for line in found)
    (text,) = problems(folder, edited(f'magnitude = "{expression}"'))
    assert ":10: sweep[1].magnitude: want a number, got the text" in text


def test_every_mistake_at_once_in_the_order_of_the_file(folder: Path) -> None:
    found = problems(
        folder,
        edited("seed = '1'", "dtype = ['half',\n 'float32',\n 'flaot64']", "n = [0, 8, 8]",
               "target = 2", "base = 2", "beta = 1", "foo = 1"),
    )  # fmt: skip
    assert [":".join(line.split(":")[:3]) for line in found] == [
        ":3: seed",
        ":8: sweep[1].dtype[1]",
        ":10: sweep[1].dtype[3]",
        ":11: sweep[1].n[1]",
        ":11: sweep[1].n[3]",
        ":14: sweep[1].target",
        ":16: sweep[1].beta",
        ":17: sweep[1].foo",
    ]


def test_a_mistake_in_defaults_is_named_there_and_once(folder: Path) -> None:
    text = 'schema = 1\nname = "d"\n[defaults]\nsamples = "x"\ntarget = 10\n'
    for problem, n in (("softmax", 5), ("cross_entropy", 20), ("cross_entropy", 7)):
        text += f'[[sweep]]\nproblem = "{problem}"\ndtype = "float32"\nn = {n}\n'
    assert problems(folder, text) == (
        ":4: defaults.samples: want an integer, got the text 'x'",
        ":5: defaults.target: index 10 lies outside vectors of length 7 (in sweep[3])",
    )


def test_given_logits_are_not_drawn(folder: Path) -> None:
    text = edited("distribution = 'explicit'", "vectors = [[1, 2]]")
    assert problems(folder, text) == tuple(
        f":{line}: sweep[1].{key}: has no effect: given logits have their own; leave it out"
        for line, key in ((9, "n"), (10, "magnitude"))
    )


def test_thousands_of_mistakes_are_cut_short(folder: Path) -> None:
    found = problems(folder, BASE + "".join(f"k{i} = 1\n" for i in range(2_000)))
    assert len(found) == 101
    assert found[-1] == ":1: and 1,900 mistakes more"


def test_long_values_are_shortened_and_escaped(folder: Path) -> None:
    text = "\u202e" + "y" * 500
    (problem,) = problems(folder, edited(f'dtype = "{text}"'))
    assert "'\\u202e" + "y" * 76 + "...'" in problem
    (problem,) = problems(folder, edited(f'"{text}" = 1'))
    assert "sweep[1].'\\u202e" in problem
    assert len(problem) < 600


NO_FILES: dict[str, Callable[[Path], Any]] = {
    "no such file - did you mean studies.toml?": lambda path: (
        path.parent / "studies.toml"
    ).touch(),
    "is a folder": Path.mkdir,
    "is not a regular file": os.mkfifo,
    "cannot be read: Too many levels of symbolic links": lambda path: path.symlink_to(path),
}


@pytest.mark.parametrize("words", NO_FILES)
def test_what_is_no_file(tmp_path: Path, words: str) -> None:
    path = tmp_path / "study.toml"
    NO_FILES[words](path)
    with pytest.raises(StudyError, match=re.escape(f"{path}: {words}")):
        load(path)


def test_a_file_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "study.toml"
    path.write_text(BASE)
    monkeypatch.setattr(os, "open", refuse)  # the mode does not stop root
    with pytest.raises(StudyError, match="no permission to read it"):
        load(path)


@pytest.mark.parametrize("path", ["a\0b", "x" * 5000, "\x1b[2J.toml"])
def test_paths_that_cannot_be(path: str) -> None:
    with pytest.raises(StudyError, match=r"no such file|too long") as raised:
        load(path)
    assert str(raised.value).isprintable()


def test_the_base_is_a_good_study(folder: Path) -> None:
    (folder / "study.toml").write_text(BASE)
    assert load(folder / "study.toml").sweep[0].n == (8, 64)
