"""The command line refuses a bad study: a message, exit code 2, nothing written, and cheaply."""

from pathlib import Path

import pytest
from bad_study_costs import COMMANDS, LIMIT_MEGABYTES, LIMIT_SECONDS, TRAPS, refusal, refused
from click.testing import CliRunner
from test_bad_studies import neighbours

from fpstudy.cli import main

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
def test_a_refusal_is_cheap(folder: Path, name: str) -> None:
    """Seconds are the processor's: those on the clock depend on what else runs here."""
    REFUSED[name](folder)
    cost = refusal(name, "run", folder)
    assert cost.wrong == ""
    assert cost.processor_seconds < LIMIT_SECONDS
    assert cost.megabytes < LIMIT_MEGABYTES


def test_a_study_that_is_not_refused_would_be_seen(folder: Path) -> None:
    (folder / "study.toml").write_text(TRAPS["fine but for one key"].replace("= 0", "= 1"))
    assert refusal("good", "plan", folder).wrong.startswith("exit code 0, no message")
