"""What comes from somebody else is data: a study, a record, a report, a chunk, a file of logits.

One test for each promise. That names stay text is tested with a real parser for each language.
"""

import ast
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import fpstudy as package
from fpstudy.cli import main

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
