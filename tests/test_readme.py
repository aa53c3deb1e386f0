"""What the README shows is what the commands print, and the study in it is one."""

import re
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

import fpstudy
from fpstudy.cli import main
from fpstudy.study import load

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")


def shown() -> list[tuple[str, str]]:
    """(command, what the README shows of it) for every indented `$ fpstudy ...`."""
    blocks = re.findall(r"(?:^    .*\n)+", README, flags=re.MULTILINE)
    texts = ["\n".join(line[4:] for line in block.splitlines()) for block in blocks]
    pairs = [text.partition("\n") for text in texts if text.startswith("$ fpstudy ")]
    return [(command.removeprefix("$ fpstudy "), output) for command, _, output in pairs]


@pytest.mark.parametrize(("command", "output"), shown())
def test_a_command_prints_what_the_readme_shows(command: str, output: str) -> None:
    result = CliRunner().invoke(main, command.split())
    assert result.exit_code == 0
    beginning, _, rest = output.partition("\n...")
    printed = result.stdout.rstrip("\n")
    assert printed.startswith(f"{beginning}\n") if "\n..." in output else printed == output
    assert rest == ""


def test_the_table_of_the_readme_is_what_its_command_writes() -> None:
    (command,) = re.findall(r"`fpstudy (table [^`]*)`:\n", README)
    result = CliRunner().invoke(main, command.split())
    assert result.exit_code == 0
    lines = [line for line in result.stdout.splitlines() if line.startswith("|")]
    assert len(lines) > 2
    assert "\n".join(lines) in README


def test_there_are_commands_to_check() -> None:
    assert len(shown()) >= 1


def test_the_study_of_the_readme_is_valid(tmp_path: Path) -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", README, flags=re.DOTALL)
    assert tomllib.loads(block)
    path = tmp_path / "study.toml"
    path.write_text(block)
    assert load(path).name == "my_study"


def test_the_value_of_the_readme_is_the_certified_one() -> None:
    (digits,) = re.findall(r"decimal\(40\)\)  # (\S+)", README)
    assert fpstudy.exact("logsumexp", [0.0, -40.0]).decimal(40) == digits


def test_every_link_leads_somewhere() -> None:
    root = Path(__file__).parent.parent
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (root / link).exists()] == []
