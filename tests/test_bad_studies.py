"""Every mistake in a study file gets its line, its key and a sentence; nothing else happens."""

import gzip
import json
import math
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
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
    """A folder of the study, with its neighbours."""
    (tmp_path / "inside").mkdir()
    return neighbours(tmp_path / "inside")


def neighbours(inside: Path) -> Path:
    """The folder, with what could be taken for a file of logits."""
    (inside / "folder.npy").mkdir()
    (inside / "loop.npy").symlink_to(inside / "loop.npy")
    (inside / "logits.pkl").touch()
    (inside / "device.csv").symlink_to("/dev/zero")
    (inside / "bad.npy").write_bytes(b"x")
    np.save(inside / "nan.npy", [[math.nan]])
    np.save(inside / "good.npy", np.ones((4, 2)))
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
    (BASE + "[run]\nworkers = 2\n", 12,
     "run: unknown key here: it is said on the command line: fpstudy run --jobs N, --timeout"),
    (BASE + "[run]\ntimeout_s = nan\n", 12, "run: unknown key here: it is said on the command"),
    ("timeout = 0\n" + BASE, 1, "timeout: unknown key here: .* fpstudy run --timeout SECONDS"),
    ("workers = 'all'\n" + BASE, 1, "workers: unknown key here: .* fpstudy run --jobs N"),
    (BASE + "[output]\ndir = 'out'\n", 12, "output: unknown key here: .* fpstudy run --out DIR"),
    ("dir = '../../etc'\n" + BASE, 1, "dir: unknown key here: .* fpstudy run --out DIR"),
    (BASE + "[truth]\nbackend = 'arb'\n", 12, "truth: unknown key here: .* engine = "),
    (BASE + "[dask]\nscheduler = 'tcp://203.0.113.9:8786'\n", 12,
     "dask: unknown key here: .* fpstudy run --scheduler ADDRESS"),
    ("include = ['study.toml']\n" + BASE, 1, "include: unknown key here: a study is one file"),
    (BASE + "[zip]\naxes = ['n', 'dtype']\n", 12, "zip: unknown key here: axes are crossed"),
    ("version = 1\n" + BASE, 1, "version: unknown key here: .* schema = 1"),
    (BASE + "[sweep]\nn = 1\n", 12, "sweep: is both [sweep] and [[sweep]]; write all with two"),
    (BASE.replace("[[", "[").replace("]]\np", "]\np") + "[[sweep]]\nn = 1\n", 12,
     "sweep: is both [sweep] and [[sweep]]; write all with two brackets"),
    (BASE + '"\\u001b[31m" = 1\n', 12, "sweep[1].'\\x1b[31m': unknown key"),
    (edited("magnitude = 0x1p3"), 10, 'a hex float is quoted: "0x1p3"'),
    (edited("magnitude = [1, -0x1.8]"), 10, 'a hex float is quoted: "0x1p3"'),
    (edited('magnitude = {scale = "log10", start = 1, stop = 2, num = 3,}'), 10,
     "no comma before the } of a table in one line"),
    (BASE.replace("\n", "\n\r"), 2, "its lines end in LF CR; save it with LF or CRLF"),
    (BASE + "[[defaults]]\nn = 1\n", 12, "defaults: write [defaults] with one bracket"),
    (BASE + "[sweep.n]\na = 1\n", 12, "sweep[1].n: given twice, first on line 9"),
    (BASE + "[[sweep.sweep]]\nn = 1\n", 12, "sweep[1].sweep: unknown key; known: problem"),
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
    (edited("magnitude = {scale = 1, scale = 2}"), 10, "magnitude.scale: given twice"),
    (edited("n = 2020-13-45"), 9, "no date of the calendar"),
    (edited("n = 010"), 9, "a number begins with no zero"),
    (edited("magnitude = .5"), 10, "digits on both sides of a point: 0.5"),
    (edited("magnitude = 5."), 10, "digits on both sides of a point: 0.5"),
    (edited("magnitude = 1,5"), 10, "a point in a number, 1.5; a list in brackets"),
    (edited("beta = Infinity"), 12, "TOML writes inf and nan"),
    (edited("n = (1, 2)"), 9, "a list is written in square brackets"),
    (edited("n = range(3)"), 9, "TOML has no functions; {scale = ..., start, stop, num}"),
    (edited("n = 1/3"), 9, "arithmetic is not TOML"),
    (edited("samples = 16;"), 11, "a line ends without a semicolon"),
    (edited("samples = 16, n = 3"), 11, "one key = value on each line"),
    (edited("samples == 16"), 11, "a line is key = value"),
    (edited("samples ="), 11, "a line is key = value"),
    (edited("dtype =\u00a0'float32'"), 8, "it holds U+00A0 NO-BREAK SPACE, which is no space"),
    (edited("dtype = 'float32' \u2028"), 8, "it holds U+2028 LINE SEPARATOR"),
    ("schema = 1\n\ufeff" + BASE, 2, "it holds U+FEFF ZERO WIDTH NO-BREAK SPACE"),
    (BASE.replace("\n", "\r"), 1, "its lines end in CR alone; save it with LF or CRLF"),
    ("[sweep\n" + BASE, 1, "not TOML: Expected ']' at the end of a table declaration"),
    ('{"schema": 1}', 1, "this looks like JSON or XML"),
    ("<?xml version='1.0'?>\n", 1, "this looks like JSON or XML"),
    (edited('name = """a\nb"""'), 2, "name: may hold letters, .* U+000A"),
    (edited("seed = 1\ntitle = '\uffff'"), 4, "title: must not hold the character U+FFFF"),
    (edited("seed = 1\ntitle = 'a\u2028b'"), 4, "title: must not hold .* U+2028 LINE SEPARATOR"),
    (edited("seed = True"), 3, "TOML has true and false, lower case"),
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
    ("a=" + "[" * 2**19, 1, "nested deeper than 32 levels"),
    ("a." * 20_000 + "a=1", 1, "a key of more than 32 parts"),
    (BASE + "[x]\n" + "".join(f"k{i}=1\n" for i in range(20_000)), 5_001, "more than 5,000 keys"),
    (BASE + f"x = [{'1,' * 50_001}]", 12, "more than 50,000 values"),
    (BASE + f"x = [{'[],' * 20_001}]", 12, "more than 20,000 lists and tables"),
    (BASE + "[[sweep]]\nn = 1\n" * 500, 5, "sweep: 501 tables [[sweep]]; the limit is 500"),
    (edited(f"samples = '{'x' * 10**6}'"), 11, "want an integer, got the text 'xxx"),
    ("#" * 2**20 + "\n", None, "larger than 1 MiB"),
    (edited(f"n = {list(range(1, 40_000))}", f"magnitude = {list(range(1, 99))}"), 5,
     "sweep: a study too large: 15,679,608 cases; the limit is 2,000,000"),
    (edited("n = 16777216", "samples = 1000"), 5,
     "sweep: a study too large: 201,326,592,000 logits; the limit is 10,000,000,000"),
    # encodings
    (BASE.replace("demo", "caf\xe9").encode("latin-1"), 2, "byte 0xe9 at offset 22 is not UTF-8"),
    (b"\xef\xbb\xbf" + BASE.replace("demo", "\xe9").encode("latin-1"), 2, "0xe9 at offset 22"),
    (BASE.encode("utf-16"), None, "is UTF-16 (byte-order mark ff fe); save it as UTF-8"),
    (BASE.encode("utf-16-le"), 1, "holds NUL characters: UTF-16"),
    (edited('name = "\ud800"'), 2, "byte 0xed at offset 19 is not UTF-8"),
    (gzip.compress(BASE.encode()), None, "is compressed by gzip"),
    (b"\x1f\x8b" + bytes(70), None, "is compressed by gzip"),
    (BASE.encode("utf-32"), None, "is UTF-32"),
    (BASE.encode("utf-16-be"), 1, "holds NUL characters: UTF-16"),
    (BASE + "\0", 12, "holds NUL characters"),
    (b"PK\x03\x04" + bytes(70), None, "is a zip archive, no study file"),
    (b"\x80\x04\x95" + bytes(70), None, "is a pickle, which is never loaded"),
    (b"%PDF-1.4\n", None, "is a PDF"),
    (b"\x93NUMPY\x01\0", None, "is an array; logits go into a study by file = ..."),
    (b"PAR1" + bytes(70), None, "is a Parquet file"),
    (bytes(range(1, 256)), 2, "byte 0x80 at offset 127 is not UTF-8"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "line", "words"), WHOLE_FILES)
def test_one_mistake_of_a_whole_file(
    folder: Path, content: str | bytes, line: int | None, words: str
) -> None:
    (problem,) = problems(folder, content)
    assert problem.startswith(": " if line is None else f":{line}: ")
    assert re.search(says(words), problem)


FORMAT = 'name = "mine"\nprecision = 5\nemax = 7\n'
HEAD = 'schema = 1\nname = "d"\n'
OF_FORMAT = '[[sweep]]\nproblem = "softmax"\ndtype = "mine"\narithmetic = "rounded"\n'


def of_format(*lines: str) -> str:
    """A study in a format of its own with these lines in the place of FORMAT's; it begins on 3."""
    text = FORMAT
    for line in lines:
        key = line.split(" ")[0]
        text = re.sub(rf"^{key} = .*\n", "", text, flags=re.MULTILINE) + line + "\n"
    return f"{HEAD}[[format]]\n{text}{OF_FORMAT}"


def of_claim(kind: str, *lines: str) -> str:
    """A study with one claim of the kind; it begins on line 3, and the lines on 6."""
    return f'{HEAD}[[claim]]\nsays = "s"\nkind = "{kind}"\n' + "".join(f"{x}\n" for x in lines)


EXACT = ('problem = "softmax"', "logits = [1]", "expect = 1")
LOSS = ('problem = "cross_entropy"', "logits = [1, 2]", "expect = 1")
ONSET = ('problem = "softmax"', 'formula = "naive"', 'dtype = "float32"')
LIMIT = ('to = "arg_max"', "logits = [1, 2]")
SWEEP = '[[sweep]]\nproblem = "softmax"\ndtype = "float32"\n'
OTHER_TABLES = [  # content, line, words
    (of_format("precision = 1"), 6, "format[1].precision: must be 2 .. 25, or 53, got 1"),
    (of_format("precision = 30"), 6, "format[1].precision: want 2 .. 25, or 53, got 30"),
    (of_format("precision = 11.0"), 6, "format[1].precision: want an integer, got 11.0"),
    (of_format("emax = 0"), 6, "format[1].emax: must be 1 .. 1023, got 0"),
    (of_format("emax = 1024"), 6, "format[1].emax: must be 1 .. 1023, got 1024"),
    (of_format("emin = 1"), 7, "format[1].emin: must be -1022 .. 0, got 1"),
    (of_format("emin = -1022", "precision = 54"), 7, "format[1].precision: must be 2 .. 25"),
    (of_format("emin = -1070"), 7, "format[1].emin: must be -1022 .. 0, got -1070"),
    (of_format("infinity = 'yes'"), 7, "format[1].infinity: want true or false, got the text"),
    (of_format("saturate = 1"), 7, "format[1].saturate: want true or false, got 1"),
    (of_format("subnormal = true"), 7, "format[1].subnormal: unknown key - did you mean subn"),
    (of_format("accumulation = 'mine'"), 7, "format[1].accumulation: unknown key; known: name"),
    (of_format() + "accumulation = 'kahan:mine'\n", 11, "'mine' is not a dtype; known: float16"),
    (of_format() + "formula = 'shifted[compute=mine]'\n", 11, "compute: no format 'mine'"),
    (of_format().replace("rounded", "numpy"), 9, "only arithmetic = \"rounded\" carries out"),
    (of_format().replace('dtype = "mine"', 'dtype = "mnie"'), 9, "did you mean mine?"),
    (of_format().replace("[[sweep]]", f"[[format]]\n{FORMAT}[[sweep]]"), 8,
     "format[2].name: 'mine' is the name of format[1] already"),
    (of_format().replace("[[sweep]]", f"[[format]]\n{FORMAT.replace('mine', 'MINE')}[[sweep]]"), 8,
     "format[2].name: 'MINE' is the name of format[1] already"),
    (HEAD + "[[format]]\n" + FORMAT.replace("mine", "float16") + SWEEP, 4,
     "format[1].name: 'float16' is built in; give the format another name"),
    (HEAD + "[[format]]\n" + FORMAT.replace("mine", "Float16") + SWEEP, 4,
     "format[1].name: 'Float16' is built in but for its case, as float16"),
    (HEAD + "[[format]]\n" + FORMAT.replace('"mine"', "3") + SWEEP, 4, "want a name, got 3"),
    (HEAD + "[[format]]\n" + FORMAT.replace("mine", "\\u001b[2J") + SWEEP, 4, "is no name: want"),
    (HEAD + "[[format]]\n" + FORMAT.replace("mine", "<b>") + SWEEP, 4, "'<b>' is no name: want a"),
    (HEAD + "[format]\n" + FORMAT + SWEEP, 3, "format: write [[format]] with two brackets"),
    (HEAD + "[[claim]]\nsays = 's'\n", 3, 'claim[1].kind: missing; write kind = "..."; known: c'),
    (of_claim("compute"), 5, "claim[1].kind: .* did you mean computed?"),
    (HEAD + "[[claim]]\nkind = 3\n", 4, "claim[1].kind: want the name of a kind of claim, got 3"),
    (HEAD + "[claim]\nsays = 's'\n", 3, "claim: write [[claim]] with two brackets"),
    (HEAD + "claim = 3\n", 3, "claim: want tables [[claim]], got 3"),
    (HEAD + "claim = [3]\n", 3, "claim[1]: want a table, got 3"),
    (of_claim("exact", *EXACT).replace('"s"', '" "'), 4, "claim[1].says: must not be empty"),
    (of_claim("exact", *EXACT).replace('"s"', "['s']"), 4, "claim[1].says: want a text, got a"),
    (of_claim("exact", *EXACT).replace('"s"', r'"\u001b[2J"'), 4, "must not hold .* U+001B"),
    (of_claim("exact", *EXACT).replace('"s"', f"'{'x' * 601}'"), 4, "longer than 600 characters"),
    (of_claim("exact", *EXACT, "verdict = 'holds'"), 9, "claim[1].verdict: unknown key; known: s"),
    (of_claim("exact", *EXACT, "samples = 3"), 9, "claim[1].samples: unknown key"),
    (of_claim("exact", *EXACT, "digits = 101"), 9, "claim[1].digits: must be 1 .. 100, got 101"),
    (of_claim("exact", *EXACT, "base = 2", "beta = 2"), 10, "base and beta exclude each other"),
    (of_claim("exact", *EXACT, "base = 0"), 9, "claim[1].base: want a finite number above 0"),
    (of_claim("exact", *EXACT, "dtype = 'half'"), 9, "claim[1].dtype: .* write float16"),
    (of_claim("exact", *EXACT).replace("[1]", "[nan]"), 7, "logits[1]: want a number, got nan"),
    (of_claim("exact", *EXACT).replace("[1]", "['a']"), 7, "logits[1]: want a number, got the"),
    (of_claim("exact", *EXACT).replace("[1]", "[1e9999]"), 7, "1e9999 is beyond the largest"),
    (of_claim("exact", *EXACT).replace("[1]", "[1e99999]"), 7, "want a number, got 1e99999"),
    (of_claim("exact", *EXACT).replace("[1]", "['0x1p999999']"), 7, "is beyond the largest"),
    (of_claim("exact", *EXACT).replace("[1]", "['\u0661']"), 7, "want a number, got the text"),
    (of_claim("exact", *EXACT).replace("[1]", f"[{'1,' * 1001}]"), 7, "want 1 to 1,000 numbers"),
    (of_claim("exact", *EXACT).replace("= 1\n", "= 2020-01-01\n").replace(
        "schema = 2020-01-01", "schema = 1"), 8, "claim[1].expect: want a number, got date"),
    (of_claim("exact", *EXACT[:2], "expect = {a = 1}"), 8, "expect: want a number, got a table"),
    (of_claim("exact", *EXACT[:2], "expect = [1, 2]"), 8, "softmax gives 1 number here, got 2"),
    (of_claim("exact", *LOSS), 3, "claim[1]: want either labels or a target for the logits"),
    (of_claim("exact", *LOSS, "target = 5"), 9, "claim[1].target: index 5 lies outside 2 logits"),
    (of_claim("exact", *LOSS, "target = -1"), 9, "claim[1].target: must be 0 .. 999, got -1"),
    (of_claim("exact", *LOSS, "labels = [1]"), 9, "claim[1].labels: 1 labels for 2 logits"),
    (of_claim("exact", *LOSS, "labels = [1, -1]"), 9, "claim[1].labels[2]: must be >= 0, got -1"),
    (of_claim("computed", *EXACT, "formula = 'nave'"), 9, "is not a formula .* did you mean naive"),
    (f"{HEAD}[[format]]\n{FORMAT}[[claim]]\nsays = 's'\nkind = 'computed'\nformula = 'naive'\n"
     + "\n".join(EXACT) + "\ndtype = 'mine'\n", 14, "claim[1].dtype: 'mine' is not a dtype; known"),
    (of_claim("equal", 'left = "logsumexp.nave"', 'right = "logsumexp.shifted"'), 6,
     "claim[1].left: .* did you mean logsumexp.naive?"),
    (of_claim("between", 'low = "max"', 'high = "max + log n"', "n = 10001"), 8, "got 10001"),
    (of_claim("between", 'low = "max"', 'high = "max + log n"', "magnitude = 1e9999"), 8,
     "claim[1].magnitude: must be > 0 and far inside float64's range"),
    (of_claim("onset", *ONSET), 3, "claim[1].threshold: missing; write threshold"),
    (of_claim("onset", *ONSET, "expect = {float16 = 1}"), 9, "float16 is not among the dtypes"),
    (of_claim("onset", *ONSET, "expect = {flot32 = 1}"), 9, "expect.flot32: .* did you mean fl"),
    (of_claim("onset", *ONSET, "expect = 3"), 9, "want a table, as {float32 = 88.7}, got 3"),
    (of_claim("limit", *LIMIT, "betas = [10, 1]"), 8, "want two or more of one sign, growing"),
    (of_claim("limit", *LIMIT, "betas = [0, 1]"), 8, "want two or more of one sign, growing"),
    (of_claim("limit", *LIMIT, "betas = [1, 2]", "within = 0"), 9, "within: must be > 0, got 0"),
    (of_claim("limit", *LIMIT, "betas = [1, 2]", "within = -1"), 9, "within: must be > 0, got -1"),
    (of_claim("differentiable", 'function = "max"', "logits = [1, 0]", "expect = 1"), 8,
     "claim[1].expect: want true or false, got 1"),
    (of_claim("threshold", 'of = "exp(x) overflow"'), 6, "did you mean exp(x) overflows?"),
    (HEAD + "[defaults]\nmagnitud = 1\n" + SWEEP, 4, "defaults.magnitud: .* did you mean magn"),
    (HEAD + "[defaults]\nn = [3, 3]\n" + SWEEP * 2, 4, "defaults.n[2]: 3 is given twice"),
    (HEAD + "[defaults]\nname = 'x'\n" + SWEEP, 4, "defaults.name: .* belongs to the study"),
    (HEAD + "[defaults]\njobs = 3\n" + SWEEP, 4, "defaults.jobs: .* fpstudy run --jobs N"),
    (HEAD + "[defaults]\nn = [0]\n", 4, "defaults.n[1]: must be 1 .. 2**24, got 0"),
    (HEAD + "[defaults]\nbase = 2\nbeta = 3\n" + SWEEP, 5, "exclude each other: .* (in sweep[1])"),
    (HEAD + "[defaults]\nn = 1970-01-01\n" + SWEEP * 2, 4, "defaults.n: want an integer, got date"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "line", "words"), OTHER_TABLES)
def test_one_mistake_of_another_table(folder: Path, content: str, line: int, words: str) -> None:
    (problem,) = problems(folder, content)
    assert problem.startswith(f":{line}: ")
    assert re.search(says(words), problem)


SAMPLES_OF_A_FILE = "distribution = 'file'\nfile = 'good.npy'\n"


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ("samples = 3", "has no effect: the file is taken whole, each row is a sample"),
        ("batch = 3\nreduction = 'sum'", "has no effect: the file is taken whole, it is one batch"),
        ("batch = 3", 'has no effect without reduction = "mean" or "sum"'),
        ("n = 2", "has no effect: given logits have their own"),
    ],
)
def test_what_a_file_leaves_no_choice_of_is_no_key(folder: Path, keys: str, words: str) -> None:
    sweep = "[[sweep]]\nproblem = 'cross_entropy'\ndtype = 'float32'\n" + SAMPLES_OF_A_FILE
    (problem,) = problems(folder, HEAD + sweep + keys + "\n")
    assert problem.startswith(":8: sweep[1]")
    assert words in problem
    (folder / "study.toml").write_text(HEAD + "[defaults]\n" + keys + "\n" + sweep)
    load(folder / "study.toml")  # shared keys, of which some mean nothing to this sweep


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


def bad_studies() -> list[tuple[str, str | bytes]]:
    """A name and the content of every bad study above."""
    edits = [case["edit"] for cases in TABLE.values() for case in cases]
    whole = [content for content, *_ in [*WHOLE_FILES, *OTHER_TABLES]]
    return [(" & ".join(edit)[:60], edited(*edit)) for edit in edits] + [
        (f"{number} {content[-60:]!r}", content) for number, content in enumerate(whole)
    ]


NO_FILES: dict[str, Callable[[Path], Any]] = {
    "no such file - did you mean studies.toml?": lambda path: (
        path.parent / "studies.toml"
    ).touch(),
    "is a folder": Path.mkdir,
    "is not a regular file": os.mkfifo,
    "is not a regular file: a pipe or device could block": lambda path: path.symlink_to(
        "/dev/zero"
    ),
    "larger than 1 MiB": lambda path: os.truncate(os.open(path, os.O_CREAT | os.O_RDWR), 10**10),
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
