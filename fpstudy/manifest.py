"""A report's manifest: how its record was measured, and digests by which damage is noticed."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fpstudy.damage import DamagedError
from fpstudy.environment import differences

FILE, RECORD = "manifest.json", "record.parquet"
SCHEMA_VERSION = 2  # of record, summary and manifest; 2 added the divergences
AGAIN = "run the study again"


def write(folder: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    """Write the manifest of the folder's record; returns it with both digests."""
    manifest = manifest | {"record_sha256": sha256(folder / RECORD)}
    manifest["manifest_sha256"] = _digest(manifest)
    text = json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"
    (folder / FILE).write_text(text, encoding="utf-8", newline="\n")
    return manifest


def read(folder: Path) -> dict[str, Any]:
    """The manifest of a record; raises DamagedError where one of both is not as it was written.

    Manifests of before it had a digest of its own are taken as they are.
    """
    path = folder / FILE
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        schema, intact = manifest["schema"], manifest["record_sha256"] == sha256(folder / RECORD)
        whole = manifest.get("manifest_sha256", "") in ("", _digest(manifest))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedError(f"{path} is damaged ({error}); {AGAIN}") from None
    if schema != SCHEMA_VERSION:
        raise DamagedError(
            f"{folder}: its record has the columns of schema {schema!r}, and this fpstudy reads"
            f" those of {SCHEMA_VERSION}; {AGAIN}"
        )
    if not whole:
        raise DamagedError(f"{path} is not as it was written; {AGAIN}")
    if not intact:
        raise DamagedError(f"{folder / RECORD} is not as it was written; {AGAIN}")
    return manifest


def finished(folder: Path, key: str, notice: Callable[[str], None]) -> dict[str, Any] | None:
    """The manifest of a finished, undamaged run with this key, if the folder has one.

    notice: told of damage
    """
    try:
        manifest = read(folder)
    except FileNotFoundError:
        return None
    except DamagedError as error:
        notice(f"{str(error).removesuffix(f'; {AGAIN}')}: it is measured again")
        return None
    return manifest if manifest.get("key") == key and "manifest_sha256" in manifest else None


def unlike(folder: Path, where: dict[str, Any]) -> list[str]:
    """What to say where the folder's report is of another environment: one line, or none."""
    try:
        old = json.loads((folder / FILE).read_text(encoding="utf-8"))
        told = differences(old, where)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []
    if not told:
        return []
    ids = f"{old.get('environment', 'unknown')} -> {where['environment']}"
    return [
        f"{folder}: its report is of another environment, and its numbers may differ ({ids}):"
        f" {'; '.join(told)}"
    ]


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest(manifest: dict[str, Any]) -> str:
    """Of all that it says but this."""
    rest = {name: value for name, value in manifest.items() if name != "manifest_sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()
