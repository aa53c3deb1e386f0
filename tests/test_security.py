"""What comes from somebody else is data: a study, a record, a report, a chunk, a file of logits.

One test for each promise. That names stay text is tested with a real parser for each language.
"""

import ast
import csv
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any, get_args
from urllib.parse import unquote

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from markdown_it import MarkdownIt
from markdown_it.token import Token
from pydantic import BaseModel
from test_table import check_latex

import fpstudy as package
from fpstudy import manifest as manifests
from fpstudy import record
from fpstudy.cases import AXES
from fpstudy.cli import main
from fpstudy.manifest import signed
from fpstudy.manifest_fields import Manifest, read_manifest
from fpstudy.report_lock import FILE as LOCK

ROOT = Path(package.__file__).parent
TIMEOUT = 120


def fpstudy(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


# --- nothing is run that is data: by the syntax of every file ----------------------------------

MODULES = {  # that make code or objects of data
    "pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib", "yaml", "ruamel",
    "code", "codeop", "runpy", "jsonpickle", "copyreg",
}  # fmt: skip
CALLS = {  # names of functions, whatever they are taken from
    "eval", "exec", "execfile", "__import__", "literal_eval", "system", "popen", "spawnl",
    "read_pickle", "to_pickle", "unsafe_load", "full_load",
}  # fmt: skip
BUILT_IN = {"compile", "input", "breakpoint"}  # as names of their own; re.compile is none of them


def dangers(source: str) -> Iterator[str]:
    """What in a source could make code or objects of data."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (a.name for a in node.names if a.name.partition(".")[0] in MODULES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in MODULES:
            yield str(node.module)
        elif isinstance(node, ast.Call):
            yield from _danger_of_call(node)


def _danger_of_call(node: ast.Call) -> Iterator[str]:
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    keywords = {keyword.arg: keyword.value for keyword in node.keywords}
    if (
        name in CALLS - {"system"}
        or (name == "system" and _of(function, "os"))
        or (name in BUILT_IN and isinstance(function, ast.Name))
    ):
        yield name
    if name in ("load", "memmap") and _of(function, "np", "numpy"):
        allowed = keywords.get("allow_pickle")
        if not (isinstance(allowed, ast.Constant) and allowed.value is False):
            yield f"{name} without allow_pickle=False"
    if name == "load" and _of(function, "torch"):
        yield "torch.load"
    shell = keywords.get("shell")
    if shell is not None and not (isinstance(shell, ast.Constant) and shell.value is False):
        yield "shell="
    if name == "import_module" and not _is_own(node.args[0]):
        yield f"import_module({ast.unparse(node.args[0])})"


def _of(function: ast.expr, *modules: str) -> bool:
    """Whether the function is taken from one of the modules; platform.system is not os.system."""
    return isinstance(function, ast.Attribute) and getattr(function.value, "id", "") in modules


def _is_own(name: ast.expr) -> bool:
    """Whether a module's name is written out, or begins with fpstudy's own."""
    if isinstance(name, ast.JoinedStr):
        name = name.values[0]
    return isinstance(name, ast.Constant) and isinstance(name.value, str)


IMPORTS_OF_NAMES = {  # file: the import of a name that is not written out there
    "user_code.py": "import_module(module_name)",  # what --allow-code names
    "arithmetic/framework.py": "import_module(module)",  # of the three frameworks
}


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT)))
def test_no_source_makes_code_or_objects_of_data(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    found = list(dangers(path.read_text(encoding="utf-8")))
    assert found == ([IMPORTS_OF_NAMES[name]] if name in IMPORTS_OF_NAMES else [])


DANGEROUS = [
    "import pickle", "from pickle import loads", "import yaml.loader", "eval('1')", "exec(text)",
    "builtins.eval(x)", "__import__(name)", "import_module(name)", "importlib.import_module(x + y)",
    "import_module(f'{name}.py')", "np.load(path)", "np.load(path, allow_pickle=True)",
    "numpy.load(path, None, allow)", "torch.load(path)", "subprocess.run(x, shell=True)",
    "os.system(x)", "pd.read_pickle(x)", "compile(text, '', 'exec')", "ast.literal_eval(x)",
    "def f():\n    import dill\n",
]  # fmt: skip
HARMLESS = [
    "re.compile(x)", "np.load(path, allow_pickle=False)", "import json", "json.load(file)",
    "torch.compile(f)", "import_module('torch')", "import_module(f'fpstudy.{x}')",
    "# import pickle", "'eval(1)'", "subprocess.run(['ls'])",
]  # fmt: skip


@pytest.mark.parametrize("source", DANGEROUS)
def test_the_check_sees_what_is_dangerous(source: str) -> None:
    assert list(dangers(source))


@pytest.mark.parametrize("source", HARMLESS)
def test_the_check_passes_what_is_not(source: str) -> None:
    assert not list(dangers(source))


# --- code is imported only where the command line says so ---------------------------------------

OF_CODE = """schema = 1
name = "of_code"
[[sweep]]
problem = "softmax"
formula = ["naive", "mine:softmax"]
dtype = "float32"
n = 3
samples = 2
"""
MINE = """from pathlib import Path
Path(__file__).with_name("imported").write_text("mine")


def softmax(x):
    return x
"""
SHADOWS = (
    "numpy", "json", "pandas", "pyarrow", "click", "pydantic", "rich", "matplotlib", "flint",
    "mpmath", "tomllib", "csv", "hashlib", "scipy", "torch", "jax", "ml_dtypes", "sitecustomize",
    "usercustomize", "pebble", "distributed", "logging", "ssl",
)  # fmt: skip


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study of code, its module, and its report, made with --allow-code."""
    folder = tmp_path_factory.mktemp("code")
    (folder / "study.toml").write_text(OF_CODE)
    (folder / "mine.py").write_text(MINE)
    done = command(folder, "run", "study.toml", "--allow-code", "mine", "--no-figures")
    assert done.returncode == 0, done.stderr
    assert (folder / "imported").exists()  # a sentinel that could not appear proves nothing
    (folder / "imported").unlink()
    return folder


def command(folder: Path, *arguments: str, how: str = "script") -> subprocess.CompletedProcess[str]:
    """fpstudy in the folder: its script, or as python -m."""
    start = {
        "script": [str(Path(sys.executable).with_name("fpstudy"))],
        "-m": [sys.executable, "-m", "fpstudy"],
        "-P -m": [sys.executable, "-P", "-m", "fpstudy"],
    }[how]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    return subprocess.run(
        [*start, *arguments], cwd=folder, env=environment, capture_output=True, text=True,
        timeout=TIMEOUT,
    )  # fmt: skip


REPORT = "reports/of_code"
COMMANDS = {
    "plan study.toml": 0, "run study.toml": 2, f"report {REPORT} --no-figures": 0,
    "report reports --no-figures": 0, f"table {REPORT}": 0, f"show {REPORT} 1": 0,
    "show study.toml 1": 0, "schema": 0, "list formulas": 0, "doctor": 0,
    "run study.toml --allow-code other": 2, "init fresh": 0,
    "advise --problem softmax --n 3 --samples 2": 0, "exact softmax --logits 1,2": 0,
}  # fmt: skip


@pytest.mark.parametrize("line", COMMANDS)
def test_code_that_a_study_names_is_not_imported(measured: Path, line: str) -> None:
    done = command(measured, *shlex.split(line))
    assert done.returncode == COMMANDS[line], done.stdout + done.stderr
    assert not (measured / "imported").exists()
    if line == "run study.toml":
        assert "mine:softmax names Python code" in done.stderr
        assert "--allow-code mine" in done.stderr


@pytest.fixture
def shadows(tmp_path: Path) -> Path:
    """A study's folder full of modules that have the names of others'."""
    (tmp_path / "study.toml").write_text(OF_CODE.replace(', "mine:softmax"', ""))
    for name in SHADOWS:
        (tmp_path / f"{name}.py").write_text(MINE)
    return tmp_path


@pytest.mark.parametrize(
    ("how", "more"),
    [("script", ("fpstudy", "typing", "re")), ("-m", ()), ("-P -m", ("fpstudy", "typing", "re"))],
)
def test_nothing_of_the_folder_is_imported_by_accident(
    shadows: Path, how: str, more: tuple[str, ...]
) -> None:
    """`python -m` itself looks for fpstudy, and for what imports it, in the folder first."""
    for name in more:
        (shadows / f"{name}.py").write_text(MINE)
    for line in (
        "plan study.toml",
        "run study.toml --jobs 2 --no-figures",
        "table reports/of_code",
    ):
        done = command(shadows, *line.split(), how=how)
        assert done.returncode == 0, done.stdout + done.stderr
    assert not (shadows / "imported").exists()


def test_a_folder_of_allowed_code_shadows_nothing(shadows: Path) -> None:
    (shadows / "study.toml").write_text(OF_CODE)
    (shadows / "mine.py").write_text("def softmax(x):\n    return x\n")
    done = command(shadows, "run", "study.toml", "--allow-code", "mine", "--no-figures")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (shadows / "imported").exists()


# --- names are text in every language that is written ------------------------------------------

ATTACK = (
    "=cmd|' /C calc'!A0 <script>alert(1)</script><img src=x onerror=alert(1)> </title></svg>]]>"
    " [x](javascript:alert(1)) ![i](http://host/x.png) http://host/y `c` | a \\input{/etc/passwd}"
    " $x^2$ % & # _u_ *s* \"q\" 'q' {{7*7}} {0.__class__} %s"
)
UNSEEN = ATTACK + "\x1b]0;x\x07\x1b[2J\u202e\u200b\ufeff\r\n---\n# h"  # no study may hold it
OF_NAMES = f"""schema = 1
name = "_hidden"
title = {json.dumps(ATTACK[:200])}
question = {json.dumps(ATTACK)}
[[format]]
name = "nan"
precision = 5
emax = 7
[[sweep]]
problem = ["softmax", "cross_entropy"]
formula = ["naive", "shifted"]
dtype = ["float16", "nan"]
arithmetic = "rounded"
n = 2
magnitude = [1, 1000]
samples = 2
[[sweep]]
problem = "softmax"
dtype = "float16"
distribution = "file"
file = "=1+1 <img src=x onerror=alert(1)>.csv"
[[claim]]
kind = "exact"
says = {json.dumps(ATTACK)}
source = {json.dumps(ATTACK[:300])}
note = {json.dumps(ATTACK)}
problem = "softmax"
logits = [1, 2]
expect = [0.2689414213699951, 0.7310585786300049]
digits = 12
"""
TEXTS_OF_A_RECORD = (
    "problem", "formula", "arithmetic", "accumulation", "distribution", "target", "labels",
    "reduction", "inputs", "reason", "worst_input", "worst_outcome",
)  # fmt: skip
KEPT_IN_A_MANIFEST = ("schema", "record_sha256", "formats", "study", "only", "files")


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """reports/ with a report whose study has the attack in every text, beside one edited by hand.

    In that one every text of record and manifest that a page shows is the attack, and what no study
    may hold; the digests are right, as those of somebody who means it.
    """
    folder = tmp_path_factory.mktemp("named")
    (folder / "study.toml").write_text(OF_NAMES)
    (folder / "=1+1 <img src=x onerror=alert(1)>.csv").write_text("1,2\n3,4\n")
    reports = folder / "reports"
    done = fpstudy("run", folder / "study.toml", "--out", reports / "_hidden")
    assert done.exit_code == 0, done.output
    assert printable(done.output)
    shutil.copytree(reports / "_hidden", reports / "edited")
    _edit(reports / "edited")
    for arguments in (["report", reports], ["report", reports / "_hidden"]):
        done = fpstudy(*arguments)
        assert done.exit_code == 0, done.output
        assert printable(done.output)
    return reports


def _edit(report: Path) -> None:
    record = report / "record.parquet"
    table = pq.read_table(record)
    for number, name in enumerate(table.column_names):
        if name in TEXTS_OF_A_RECORD:
            texts = [f"{UNSEEN} {text}" for text in table[name].to_pylist()]
            table = table.set_column(number, table.schema.field(name), pa.array(texts, pa.string()))
    pq.write_table(table, record)
    manifest = json.loads((report / "manifest.json").read_text(encoding="utf-8"))
    manifest = {
        key: value if key in KEPT_IN_A_MANIFEST else _attacked(value)
        for key, value in manifest.items()
    }
    manifests.write(report, manifest)


def _attacked(value: Any) -> Any:
    """The attack in the place of each text, also of those that name something."""
    if isinstance(value, str):
        return UNSEEN
    if isinstance(value, list):
        return [_attacked(entry) for entry in value]
    if isinstance(value, dict):
        return {
            key if key in FIELDS else f"{UNSEEN} {key}": _attacked(entry)
            for key, entry in value.items()
        }
    return value


def _models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """The model, and those of its fields."""
    yield model
    kinds: list[Any] = [field.annotation for field in model.model_fields.values()]
    while kinds:
        kind = kinds.pop()
        kinds += get_args(kind)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _models(kind)


FIELDS = {name for model in _models(Manifest) for name in model.model_fields}


def printable(text: str) -> bool:
    """Whether no character drives a terminal or hides; a space that keeps words together is one."""
    return all(line.isprintable() for line in re.sub("[\t\xa0]", " ", text).split("\n"))


REPORTS = ("_hidden", "edited")
CELLS_OF_CODE = re.compile(r"[=+@\t\r-](?![\d.]*(e[+-]?\d+)?$|inf$|nan$|$)")


class Page(HTMLParser):
    """A page's tags with their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    handle_startendtag = handle_starttag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.mark.parametrize("name", REPORTS)
def test_names_stay_text_in_the_page(named: Path, name: str) -> None:
    page = Page((named / name / "index.html").read_text(encoding="utf-8"))
    tags = [tag for tag, _ in page.tags]
    assert tags.count("script") == tags.count("style") == tags.count("title") == 1
    assert not {"img", "iframe", "object", "embed", "link", "base", "image"} & set(tags)
    for tag, attributes in page.tags:
        assert not [key for key in attributes if key.startswith("on") or key == "style"], tag
        for key in ("href", "xlink:href", "src", "action", "data"):
            assert not re.match(r"\s*(\w+:|//|/|\.\.)", attributes.get(key) or ""), attributes
    assert any("<script>alert(1)</script>" in text for text in page.text)
    assert printable("".join(page.text))
    (policy,) = [
        a["content"] for _, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy is not None
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert re.fullmatch(r"'sha256-[\w+/=]+'", rules["script-src"])
    assert re.fullmatch(r"'sha256-[\w+/=]+'", rules["style-src"])
    assert len(rules) == 5  # and none of the others lets anything in


ALLOWED_HTML = re.compile(
    r'(</?(details|summary)>|<a id="[\w.-]+">|</a>|<br>|\s|[^<>]*(?=</summary>))*'
)


@pytest.mark.parametrize("path", ["_hidden/README.md", "edited/README.md", "README.md"])
def test_names_stay_text_in_markdown(named: Path, path: str) -> None:
    text = (named / path).read_text(encoding="utf-8")
    assert printable(text)
    tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(text)
    for token in _all(tokens):
        if token.type in ("html_inline", "html_block"):
            assert ALLOWED_HTML.fullmatch(token.content), token.content
        for key in ("href", "src"):
            address = str(token.attrs.get(key, ""))
            assert not re.match(r"\s*(\w+:|//|/)", address), address
            assert not address or address.startswith("#") or (
                (named / path).parent / unquote(address.partition("#")[0])
            ).exists(), address  # fmt: skip
    rows = [token for token in tokens if token.type in ("tr_open", "th_open", "td_open")]
    assert rows
    outside = re.sub(r"(?m)^    .*$", "", re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", text))
    assert "://" not in outside  # nor has it an address that a host makes a link of


def _all(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _all(token.children or [])


@pytest.mark.parametrize("name", REPORTS)
def test_names_stay_text_in_figures(named: Path, name: str) -> None:
    drawn = sorted((named / name / "figures").iterdir())
    assert drawn
    for path in drawn:
        assert re.fullmatch(r"[\w.-]+\.svg", path.name)
        text = path.read_text(encoding="utf-8")
        assert printable(text)
        for element in ET.fromstring(text).iter():
            tag = element.tag.rpartition("}")[2]
            assert tag not in ("script", "foreignObject", "image", "a", "iframe", "animate")
            for key, value in element.attrib.items():
                assert not key.startswith("on")
                assert not key.endswith("href") or value.startswith("#"), value


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("what", ["verdicts", "failures", "errors"])
@pytest.mark.parametrize("language", ["markdown", "latex", "csv"])
def test_names_stay_text_in_tables(named: Path, name: str, what: str, language: str) -> None:
    done = fpstudy("table", named / name, "--what", what, "--format", language)
    assert done.exit_code == 0, done.output
    assert printable(done.stdout)
    if language == "latex":
        assert check_latex(done.stdout)
        assert "\\input{" not in done.stdout.replace("\\textbackslash", "")
    elif language == "csv":
        rows = list(csv.reader(io.StringIO(done.stdout)))
        assert len({len(row) for row in rows}) == 1
        assert not [cell for row in rows for cell in row if CELLS_OF_CODE.match(cell)]
    else:
        tokens = MarkdownIt("commonmark", {"html": True}).enable("table").parse(done.stdout)
        assert not [t for t in _all(tokens) if t.type in ("html_inline", "html_block", "image")]
        assert not [t for t in _all(tokens) if t.type == "link_open"]


@pytest.mark.parametrize("name", REPORTS)
def test_names_stay_text_in_the_summary(named: Path, name: str) -> None:
    with (named / name / "summary.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert len({len(row) for row in rows}) == 1
    if name == "_hidden":  # a file's name is behind "file:"
        assert not [cell for row in rows for cell in row if CELLS_OF_CODE.match(cell)]


@pytest.mark.parametrize("arguments", [["0"], ["0", "--json"], ["--only", "problem=softmax"], []])
def test_names_stay_text_in_the_terminal(named: Path, arguments: list[str]) -> None:
    for source in (named / "_hidden", named / "edited", named.parent / "study.toml"):
        done = fpstudy("show", source, *arguments)
        assert done.exit_code in (0, 2), done.output
        assert printable(done.stdout + done.stderr)


# --- writing stays in the folder ----------------------------------------------------------------

OWN = ("README.md", "index.html", "summary.csv", "record.parquet", "manifest.json", LOCK)
LINKED = (*OWN, "figures", "chunks", ".new", ".complete", "figures/error_softmax.svg")
SMALL = OF_CODE.replace(', "mine:softmax"', "")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small report with figures, beside its study."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "study.toml").write_text(SMALL)
    done = fpstudy("run", folder / "study.toml", "--out", folder / "out")
    assert done.exit_code == 0, done.output
    return folder


@pytest.mark.parametrize("name", LINKED)
@pytest.mark.parametrize("command", ["run --fresh", "run", "report"])
def test_nothing_is_written_through_a_link(
    small: Path, tmp_path: Path, name: str, command: str
) -> None:
    out, outside = tmp_path / "out", tmp_path / "outside"
    shutil.copytree(small / "out", out)
    kept = _outside(outside, out / name)
    before = {path: path.read_bytes() for path in outside.rglob("*") if path.is_file()}
    link = out / name
    if link.is_dir():
        shutil.rmtree(link)
    link.unlink(missing_ok=True)
    link.symlink_to(kept)
    words, *options = command.split()
    study = [small / "study.toml", "--out"] if words == "run" else []
    done = fpstudy(words, *study, out, *options)
    assert done.exit_code == 0 or (done.exit_code in (2, 74) and printable(done.stderr)), (
        done.output
    )
    assert type(done.exception) in (type(None), SystemExit)
    assert {path: path.read_bytes() for path in outside.rglob("*") if path.is_file()} == before
    if done.exit_code == 0 and name in (OWN[:5] if "--fresh" in options else OWN[:3]):
        assert not link.is_symlink()


def _outside(outside: Path, path: Path) -> Path:
    """What a link in the place of the path leads to: a file, or a folder of such names as ours."""
    outside.mkdir()
    if path.name in OWN or path.suffix == ".svg":
        shutil.copy(path, outside / "file") if path.is_file() else (outside / "file").touch()
        return outside / "file"
    for name in (*OWN, "error_softmax.svg", "mine.svg", "a.chunk", "a.json", "a.partial"):
        (outside / name).write_text("somebody's")
    return outside


@pytest.mark.parametrize("name", ["../../evil", "/evil", "..", ".", "a/b", "C:\\x", "a\\u0000b"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "inside").mkdir()
    study = tmp_path / "inside" / "study.toml"
    study.write_text(SMALL.replace('"of_code"', f'"{name}"'))
    before = sorted(tmp_path.rglob("*"))
    assert fpstudy("run", study).exit_code == 2
    assert sorted(tmp_path.rglob("*")) == before


# --- files of a report that somebody else wrote -------------------------------------------------

DEEP = b"[" * 100_000
LONG = b"9" * 5_000
FILES = {  # name, content: of manifest.json, record.parquet and summary.csv each
    "nothing": b"", "words": b"hello", "deep": DEEP, "deep tables": b'{"a":' * 50_000,
    "zeros": bytes(10_000), "number": b"1", "list": b"[]", "digits": b'{"seed": ' + LONG + b"}",
    "latin": b'{"name": "\xe9"}', "nan": b'{"seed": NaN}', "null": b"null",
    "pickle": b"cposix\nsystem\n(S'true'\ntR.", "magic": b"PAR1" + bytes(100) + b"PAR1",
    "footer": b"PAR1" + b"\xff" * 100 + b"\xff\xff\xff\x7fPAR1", "lines": b"a,b\n" * 1_000,
    "quote": b'"' + b"x" * 100_000,
}  # fmt: skip
REBUILD = "report {out} --no-figures"
READERS = ("table {out}", "show {out} 0", REBUILD)  # the last one writes summary.csv anew


@pytest.mark.parametrize("content", FILES)
@pytest.mark.parametrize("name", ["manifest.json", "record.parquet", "summary.csv"])
def test_a_file_that_is_none_of_a_report_s_is_refused(
    small: Path, tmp_path: Path, name: str, content: str
) -> None:
    out = tmp_path / "out"
    shutil.copytree(small / "out", out)
    (out / name).write_bytes(FILES[content])
    for line in READERS:
        refused(line.format(out=out), but_for=_not_read(name, line))


def _not_read(name: str, line: str) -> bool:
    """Whether a command leaves the file alone, as `report` does the summary, which it writes."""
    return name == ("summary.csv" if line.startswith("report") else "record.parquet")


def refused(line: str, but_for: bool = False) -> None:
    """The command ends with a message and exit code 2; or well, where it does not read the file."""
    done = CliRunner().invoke(main, shlex.split(line))
    assert done.exit_code == 2 or (but_for and done.exit_code == 0), (line, done.output)
    assert type(done.exception) in (type(None), SystemExit), line
    assert printable(done.output)
    assert done.exit_code == 0 or done.stderr


VALUES = [UNSEEN, "\ud800", -1, 10**300, 1.5, float("nan"), None, True, [], [[]], {}, {"a": [1]}]
PLACES = [
    "name", "title", "seed", "engine", "proven", "formats", "study", "only", "files", "command",
    "environment", "versions", "cpu", "cpu.model", "simd", "simd.numpy", "simd.numpy.enabled",
    "blas", "libm", "settings", "gpu", "threads", "floating_point", "fingerprints", "cases",
    "cases.run", "truths", "undecided", "violations", "claims", "witness", "witness.checked",
    "witness.disagreements", "jobs", "duration_seconds", "schema", "record_sha256",
]  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_a_manifest_of_other_types_is_refused_or_shown_as_text(
    small: Path, tmp_path: Path, place: str
) -> None:
    """`report` reads all of it, and says what is wrong before it touches a file."""
    out = tmp_path / "out"
    shutil.copytree(small / "out", out)
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    *folders, name = place.split(".")
    for value in [*VALUES, "left out"]:
        changed = json.loads(json.dumps(manifest))
        table = changed
        for folder in folders:
            table = table[folder]
        table[name] = value
        if value == "left out":
            del table[name]
        (out / "manifest.json").write_text(json.dumps(signed(changed)), encoding="utf-8")
        for line in (READERS[0], REBUILD):
            refused(line.format(out=out), but_for=True)


COLUMNS_OF_A_RECORD = {  # column: values that no run gives it
    "case": [-1, 7, 2**62], "n": [0, -1], "samples": [0], "components": [-1], "accurate": [-1],
    "magnitude": [-1.0, float("inf"), float("nan")], "relative_error": [-1.0],
    "dtype": ["float99", ""], "masked": [-1.0], "formula": ["x" * 5_000, "na\rive"],
}  # fmt: skip


def rewritten(report: Path, table: pa.Table) -> None:
    """The report with this record, its digest in the manifest."""
    pq.write_table(table, report / "record.parquet")
    manifests.write(report, read_manifest(report))


@pytest.mark.parametrize("column", COLUMNS_OF_A_RECORD)
def test_a_record_of_other_values_is_refused(small: Path, tmp_path: Path, column: str) -> None:
    out = tmp_path / "out"
    shutil.copytree(small / "out", out)
    table = pq.read_table(out / "record.parquet")
    at, field = table.column_names.index(column), table.schema.field(column)
    for value in COLUMNS_OF_A_RECORD[column]:
        column_of = pa.array([value] * len(table), field.type)
        rewritten(out, table.set_column(at, field, column_of))
        refused(REBUILD.format(out=out))
    for column_of in (pa.nulls(len(table), field.type), pa.array([b"x"] * len(table))):
        rewritten(out, table.set_column(at, pa.field(column, column_of.type), column_of))
        refused(REBUILD.format(out=out))
    rewritten(out, table.drop_columns([column]))
    refused(REBUILD.format(out=out))


def edited(report: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """The report with a changed manifest, its digests right."""
    manifest = read_manifest(report)
    change(manifest)
    manifests.write(report, manifest)


def jagged(points: int) -> dict[str, list[float]]:
    return {"x": [float(k) for k in range(points)], "y": [float(k % 2) for k in range(points)]}


CURVES: dict[str, tuple[dict[str, Any], str]] = {  # of a claim's figure, and what is wrong
    "beyond float64": ({"a": {"x": [-1e308, 1e308], "y": [0.0, 1.0]}}, "claims.0.figure.curves"),
    "jagged": ({"a": jagged(100)}, "claims.0.figure: want growing x"),
    "backwards": ({"a": {"x": [1.0, -1.0], "y": [0.0, 1.0]}}, "claims.0.figure: want growing x"),
    "long": ({"a": jagged(2_000)}, "at most 200 items"),
    "many": ({str(k): jagged(2) for k in range(1_001)}, "at most 1000 items"),
}


def with_figure(report: Path, curves: dict[str, Any]) -> None:
    figure = dict.fromkeys(("title", "caption", "x_label", "y_label"), "t") | {"curves": curves}
    claim = {"says": "s", "verdict": "refuted", "figure": figure}
    edited(report, lambda manifest: manifest.update(claims=[claim]))


@pytest.mark.parametrize("kind", CURVES)
def test_a_figure_that_no_claim_has_is_refused(small: Path, tmp_path: Path, kind: str) -> None:
    """Its drawing would take minutes, or fail."""
    curves, words = CURVES[kind]
    shutil.copytree(small / "out", tmp_path / "out")
    with_figure(tmp_path / "out", curves)
    done = fpstudy("report", tmp_path / "out")
    assert (done.exit_code, words in done.stderr) == (2, True), done.output


WORDS_OF_A_STUDY: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "only": (lambda m: m.update(only={"<x>": ["1"]}), "only: no column '<x>'"),
    "no sweeps": (lambda m: m["study"].update(sweep=None), "study.sweep: want a list of tables"),
    "numbers": (lambda m: m["study"].update(sweep=[3]), "study.sweep: want a list of tables"),
    "file": (lambda m: m["study"]["sweep"][0].update(file=[1]), "want the name of a file"),
    "digits": (lambda m: m.update(truths="D"), "an integer of thousands of digits"),
}


@pytest.mark.parametrize("kind", WORDS_OF_A_STUDY)
def test_what_is_wrong_with_a_study_is_said_in_words(
    small: Path, tmp_path: Path, kind: str
) -> None:
    change, words = WORDS_OF_A_STUDY[kind]
    path = tmp_path / "out" / "manifest.json"
    shutil.copytree(small / "out", tmp_path / "out")
    edited(tmp_path / "out", change)
    path.write_text(path.read_text(encoding="utf-8").replace('"D"', "9" * 5_000), encoding="utf-8")
    done = fpstudy("show", tmp_path / "out", "0")
    assert (done.exit_code, words in done.stderr) == (2, True), done.output


def test_a_case_that_no_machine_holds_is_refused(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(small / "out", out)
    huge = {"n": 2**24, "samples": 500}
    summary = pd.read_csv(out / "summary.csv", keep_default_na=False)
    summary.assign(**huge).to_csv(out / "summary.csv", index=False)
    edited(out, lambda manifest: [s.update(huge, n=[2**24]) for s in manifest["study"]["sweep"]])
    done = fpstudy("show", out, "0")
    assert (done.exit_code, "is too large for this machine" in done.stderr) == (2, True), (
        done.output
    )


@pytest.mark.parametrize("line", READERS[:2])
def test_a_summary_of_very_many_columns_is_refused(small: Path, tmp_path: Path, line: str) -> None:
    shutil.copytree(small / "out", tmp_path / "out")
    text = ",".join(f"c{k}" for k in range(200_000))
    (tmp_path / "out" / "summary.csv").write_text(f"{text}\n", encoding="utf-8")
    done = fpstudy(*line.format(out=tmp_path / "out").split())
    assert (done.exit_code, "its first line has more than" in done.stderr) == (2, True)


def test_a_record_of_a_trillion_rows_is_refused(small: Path, tmp_path: Path) -> None:
    """The rows are equal, and a kilobyte holds them: the footer alone can say how many they are."""
    out = tmp_path / "out"
    shutil.copytree(small / "out", out)
    table = pq.read_table(out / "record.parquet")
    real = record.pq.ParquetFile

    class Endless:
        """As a reader sees the footer of such a file."""

        def __init__(self, path: Path) -> None:
            self.schema_arrow = real(path).schema_arrow
            self.metadata = SimpleNamespace(num_rows=10**12)

    rewritten(out, table)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(record.pq, "ParquetFile", Endless)
        done = fpstudy(*REBUILD.format(out=out).split())
    assert done.exit_code == 2
    assert "1,000,000,000,000 rows, which is too many" in done.stderr


def test_pandas_own_metadata_of_a_record_is_not_looked_at(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(small / "out", out)
    table = pq.read_table(out / "record.parquet")
    index = {"index_columns": ["formula"], "columns": [], "column_indexes": [{"name": UNSEEN}]}
    rewritten(out, table.replace_schema_metadata({b"pandas": json.dumps(index).encode()}))
    done = fpstudy(*REBUILD.format(out=out).split())
    assert done.exit_code == 0, done.output


CELLS = [UNSEEN, "", "-1", "0", "1e400", "nan", "inf", "-inf", "9" * 400, "1.5", "true", "\0", '"']


@pytest.mark.parametrize(
    "column", [*AXES, "components", "relative_error_max", "accurate", "reason"]
)
def test_a_summary_edited_by_hand_is_refused_or_shown(
    small: Path, tmp_path: Path, column: str
) -> None:
    out = tmp_path / "out"
    shutil.copytree(small / "out", out)
    with (out / "summary.csv").open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    for cell in CELLS:
        rows[0][head.index(column)] = cell
        with (out / "summary.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([head, *rows])
        for line in ("table {out}", "table {out} --what errors --format csv", "show {out} 0"):
            refused(line.format(out=out), but_for=True)
