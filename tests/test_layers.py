"""One direction of data: a module imports only from layers above it in this list."""

import ast
from pathlib import Path

import pytest

import fpstudy

ROOT = Path(fpstudy.__file__).parent

LAYERS: tuple[tuple[str, ...], ...] = (
    ("fpstudy", "outcomes", "formats", "damage", "visible", "regular_file", "outages", "reasons"),
    ("interrupts", "whole_file", "streams"),
    ("staging",),
    ("problems",),
    ("dyadic", "inputs", "distributions", "logit_files"),
    ("arithmetic",),
    ("study_file",),
    ("study",),
    ("limits",),
    ("truth",),
    ("rounding", "witness"),
    ("yardstick",),
    ("errors", "divergences"),
    ("bounds", "cases"),
    ("samples",),
    ("decimals", "encoding", "environment", "manifest_fields", "progress"),
    ("record",),
    ("user_code", "report_lock", "manifest"),
    ("calculator", "summary", "measurement"),
    ("callables", "report_folder"),
    ("inspection",),
    ("recorded",),
    ("claims",),
    ("report",),
    ("advice",),
    ("tasks", "chunks"),
    ("room",),
    ("folder_faults",),
    ("execution",),
    ("flow",),
    ("planning", "catalogue", "doctor"),
    ("cli",),
    ("__main__",),
)
RANK = {name: rank for rank, names in enumerate(LAYERS) for name in names}


def layer(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else parts[0]


def imports(path: Path) -> set[str]:
    """Layers that a file imports from, those inside functions included."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("fpstudy"):
            submodules = [alias.name for alias in node.names if alias.name in RANK]
            of_package = node.module == "fpstudy" and submodules
            found.update(submodules if of_package else [layer(str(node.module))])
        elif isinstance(node, ast.Import):
            found.update(layer(a.name) for a in node.names if a.name.startswith("fpstudy"))
    return found


FILES = sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_imports_from_the_layers_above_it(path: Path) -> None:
    own = path.relative_to(ROOT).parts[0].removesuffix(".py")
    assert own in RANK, f"{own} is in no layer"
    upwards = {name for name in imports(path) if name != own and RANK[name] >= RANK[own]}
    assert not upwards


def test_the_test_would_see_an_import_upwards() -> None:
    assert RANK["truth"] > RANK["problems"]
    assert "cases" in imports(ROOT / "samples.py")
    assert "truth" in imports(ROOT / "measurement.py")


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
