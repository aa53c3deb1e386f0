"""Where results come from: all that they depend on beside the study, and how two origins differ."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import fpstudy
from fpstudy import whole_file
from fpstudy.environment import differences, environment
from fpstudy.execution.imports import checked
from fpstudy.regular_file import read_json
from fpstudy.user_code import Code


@dataclass(frozen=True)
class Needs:
    """What the cases of a run need: what carries them out, and formulas of the user's own.

    uses:     as `environment.uses.used_by` finds them
    formulas: "module:function", each once
    code:     what was allowed
    """

    uses: tuple[str, ...]
    formulas: tuple[str, ...]
    code: Code


@dataclass(frozen=True)
class Origin:
    """An environment with its packages, and digests of fpstudy's sources and the user's own."""

    where: dict[str, Any]
    sources: str
    code: str

    @property
    def digest(self) -> str:
        """Of all that results depend on: equal where they have the same origin."""
        parts = [self.where["environment"], self.where["versions"], self.sources, self.code]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def unlike(self, other: "Origin") -> list[str]:
        """By name what differs, from here to the other; empty where nothing does."""
        old, new = self.where["versions"], other.where["versions"]
        told = [
            f"{name} {old.get(name, 'none')} -> {new.get(name, 'none')}"
            for name in {**old, **new}
            if old.get(name) != new.get(name)
        ]
        told += [line for line in differences(self.where, other.where) if line not in told]
        told += ["fpstudy's own sources"] if self.sources != other.sources else []
        return told + (["the sources of the formulas"] if self.code != other.code else [])


def here(needs: Needs) -> Origin:
    """The origin of what is measured on this machine.

    Raises CodeError where a module of the user's own is not allowed or cannot be imported.
    """
    own = checked(needs.formulas, needs.code)
    sources = sorted(Path(fpstudy.__file__).parent.rglob("*.py"))
    return Origin(environment(needs.uses), _digest(sources), _digest(own))


NOTE = "origin.json"
MAX_NOTE = 2**22  # bytes: of an environment some thousand


def changed(folder: Path, origin: Origin, rest: dict[str, Any]) -> list[str]:
    """What of all that results depend on is not as when the folder's chunks were measured.

    rest: by name, what they depend on besides the origin
    Empty where it holds none; it is noted down for the next time.
    """
    path = folder / NOTE
    now = {"origin": asdict(origin), "rest": rest}
    told: list[str] = []
    try:
        old = read_json(path, MAX_NOTE)
        told = Origin(**old["origin"]).unlike(origin)
        told += [name for name, value in rest.items() if old["rest"].get(name) != value]
    except FileNotFoundError:
        pass
    except (ValueError, KeyError, TypeError, AttributeError):
        told = [f"{path} is damaged"]
    folder.mkdir(parents=True, exist_ok=True)
    whole_file.write(path, json.dumps(now).encode())
    return told


def _digest(files: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()
