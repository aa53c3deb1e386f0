"""A commented study file to start from."""

from importlib.resources import files
from pathlib import Path

from fpstudy.study_file.texts import study_name


def starter(name: str, path: Path) -> str:
    """The text of a study file of that name, to be written to the path.

    Raises ValueError for a name that cannot be a report's folder.
    """
    template = files("fpstudy.study_file").joinpath("starter.toml").read_text(encoding="utf-8")
    return template.format(name=study_name(name), path=path)


def place(name: str) -> Path:
    """Where a new study belongs: into experiments/ if there is such a folder here."""
    folder = Path("experiments")
    return (folder if folder.is_dir() else Path()) / f"{name}.toml"
