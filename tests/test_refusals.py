"""The command line refuses a bad study: a message, exit code 2, nothing written, and cheaply."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from bad_study_costs import (
    COMMANDS,
    LIMIT_MEGABYTES,
    LIMIT_SECONDS,
    TRAPS,
    of_text,
    refusal,
    refused,
)  # fmt: skip
from click.testing import CliRunner
from test_bad_studies import BASE, edited, neighbours

from fpstudy.cli import main
from fpstudy.cli.studies import run
from fpstudy.study_file.elsewhere import COMMAND_LINE

REFUSED = refused()
COSTLY = [name for name in REFUSED if name.startswith(("trap: ", "sparse ", "no file: "))]
COSTLY += ["file endless.csv", "file bomb.npz", "file deep.npy"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "studies").mkdir()
    monkeypatch.chdir(tmp_path / "studies")
    return neighbours(tmp_path / "studies")


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_is_a_message_and_nothing_else(folder: Path, name: str) -> None:
    REFUSED[name](folder)
    before = sorted(folder.rglob("*"))
    for command in COMMANDS:
        result = CliRunner().invoke(main, [command, "study.toml"])
        assert (result.exit_code, result.stdout) == (2, "")
        assert type(result.exception) is SystemExit
        lines = result.stderr.removesuffix("\n").split("\n")
        assert all(line.startswith("study.toml") and line.isprintable() for line in lines)
        assert len(lines) <= 101
        assert all(len(line) < 1_000 for line in lines)
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize("name", COSTLY)
def test_a_refusal_is_cheap(folder: Path, name: str, tmp_path: Path) -> None:
    """Within the limit, or thrice what the plainest refusal takes here now, where that is more.

    Seconds are the processor's: those on the clock depend on what else runs here.
    """
    REFUSED[name](folder)
    cost = refusal(name, "run", folder)
    assert cost.wrong == ""
    assert cost.megabytes < LIMIT_MEGABYTES
    if cost.processor_seconds > LIMIT_SECONDS:
        of_text("schema = 1\n")(tmp_path)
        plain = refusal("plain", "run", tmp_path)
        assert plain.wrong == ""
        assert cost.processor_seconds < 3 * plain.processor_seconds


def test_keys_that_belong_elsewhere_name_options_that_there_are() -> None:
    options = {o for option in run.params for o in (*option.opts, *option.secondary_opts)}
    named = {word for where in COMMAND_LINE.values() for word in re.findall(r"--[a-z-]+", where)}
    assert named <= options
    assert {"--jobs", "--timeout", "--scheduler", "--out"} <= named


@pytest.mark.parametrize("command", COMMANDS)
def test_a_refusal_imports_nothing_that_only_a_run_needs(folder: Path, command: str) -> None:
    (folder / "study.toml").write_text(TRAPS["fine but for one key"])
    script = (
        "import sys\nfrom fpstudy.cli import main\n"
        f"try: main([{command!r}, 'study.toml'])\nexcept SystemExit as e: print(e.code, end=' ')\n"
        "heavy = {'pandas', 'matplotlib', 'flint', 'mpmath', 'pyarrow', 'rich', 'pebble', 'dask'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "2 []\n", done.stderr


def test_a_study_that_is_not_refused_would_be_seen(folder: Path) -> None:
    (folder / "study.toml").write_text(TRAPS["fine but for one key"].replace("= 0", "= 1"))
    assert refusal("good", "plan", folder).wrong.startswith("exit code 0, no message")


LOSS = ("problem = 'cross_entropy'", "formula = 'all'", "n = 2")
GOOD: dict[str, str | bytes] = {  # a checker that refuses everything fails here
    "base": BASE,
    "windows": BASE.replace("\n", "\r\n"),
    "byte-order mark": b"\xef\xbb\xbf" + BASE.encode(),
    "name of another script": edited(
        "name = 'größe-日本'", "seed = 1\ntitle = 'Größe 日本 \u05d0'"
    ),
    "name like a number": edited("name = '1e5'"),
    "name like nothing": edited("name = 'nan'"),
    "least": "schema=1\nname='a'\n[[sweep]]\nproblem='softmax'\ndtype='float32'",
    "subnormal magnitudes": edited("magnitude = [5e-324, 1e-310]", "dtype = 'float64'"),
    "largest magnitudes": edited("magnitude = 1.1e307", "dtype = 'float64'")
    + "[[sweep]]\nproblem = 'logsumexp'\ndtype = 'float64'\nmagnitude = 1.7976931348623157e308\n"
    "distribution = ['uniform', 'equal', 'two_point', 'peaked']\n",
    "nothing fits": edited("magnitude = 1e300", "dtype = 'float16'"),
    "all masked": edited("masked = 1"),
    "beta": edited("beta = [0, inf, -inf, 5e-324]"),
    "bases": edited("base = [1, 1e-320, 1e308]"),
    "labels": edited(*LOSS, "labels = [[0, 0], [1e308, 5e307], [5e-324, 1]]"),
    "infinite vectors": BASE.partition("n =")[0]
    + "distribution = 'explicit'\n"
    "vectors = [[inf, inf], [-inf, -inf], [0.0], [-0.0], [1e308, -1e308]]",
    "names of formats": "schema=1\nname='f'\n[[sweep]]\nproblem='softmax'\narithmetic='rounded'\n"
    "dtype=['nan', 'None', 'null', 'inf', 'all', 'half']\n"
    + "".join(
        f"[[format]]\nname='{name}'\nprecision=5\nemax=7\n"
        for name in ("nan", "None", "null", "inf", "all", "half")
    ),
    "edges of formats": "schema=1\nname='f'\n[[sweep]]\nproblem='softmax'\narithmetic='rounded'\n"
    "dtype=['a', 'b', 'c']\n[[format]]\nname='a'\nprecision=2\nemax=1\nemin=0\n"
    "[[format]]\nname='b'\nprecision=53\nemax=1023\nemin=-1022\nsaturate=true\n"
    "[[format]]\nname='c'\nprecision=25\nemax=1023\ninfinity=false\nsubnormals=false\n",
    "a block longer than the vector": edited("formula = 'blocked[block=999999999]'"),
    "an index of the vector is ignored": edited(
        *LOSS, "reduction = 'mean'", "ignored = 0.5", "ignore_index = 1"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_a_good_study_runs_to_the_end(folder: Path, name: str) -> None:
    of_text(GOOD[name])(folder)
    result = CliRunner().invoke(main, ["run", "study.toml", "--no-figures", "--out", "out"])
    assert result.exit_code == 0, result.output
    assert (folder / "out" / "index.html").is_file()
    for command in (["report", "out", "--no-figures"], ["table", "out"], ["show", "out", "0"]):
        result = CliRunner().invoke(main, command)
        assert result.exit_code == 0, result.output
