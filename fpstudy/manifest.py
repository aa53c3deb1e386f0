"""A report's manifest: how its record was measured, and digests by which damage is noticed."""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fpstudy.damage import DamagedError
from fpstudy.environment import differences
from fpstudy.manifest_fields import AGAIN, FILE, read_manifest

RECORD, SUMMARY = "record.parquet", "summary.csv"
DIGESTS = {RECORD: "record_sha256", SUMMARY: "summary_sha256"}
OF_A_RUN = (
    "schema", "record_sha256", "manifest_sha256", "name", "cases", "witness", "violations",
)  # fmt: skip
SCHEMA_VERSION = 2  # of record, summary and manifest; 2 added the divergences


def write(folder: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    """Write the manifest; returns it with digests of itself, and of the files that are there."""
    there = [name for name in DIGESTS if (folder / name).exists()]
    manifest = signed(manifest | {DIGESTS[name]: sha256(folder / name) for name in there})
    text = json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"
    (folder / FILE).write_text(text, encoding="utf-8", newline="\n")
    return manifest


def signed(manifest: dict[str, Any]) -> dict[str, Any]:
    """The manifest with the digest of all that it says."""
    return manifest | {"manifest_sha256": _digest(manifest)}


def read(folder: Path) -> dict[str, Any]:
    """The manifest of a record; raises DamagedError where one of both is not as it was written."""
    path, manifest = folder / FILE, read_manifest(folder)
    if missing := [name for name in OF_A_RUN if name not in manifest]:
        raise DamagedError(f"{path} is damaged (it has no {missing[0]}); {AGAIN}")
    if manifest["schema"] != SCHEMA_VERSION:
        raise DamagedError(
            f"{folder}: its record has the columns of schema {repr(manifest['schema'])[:20]}, and"
            f" this fpstudy reads those of {SCHEMA_VERSION}; {AGAIN}"
        )
    check_signature(path, manifest)
    check_digest(folder / RECORD, manifest["record_sha256"])
    return manifest


def check_signature(path: Path, manifest: Mapping[str, Any]) -> None:
    """Raises DamagedError where the manifest at this path is not as it was written."""
    if manifest.get("manifest_sha256") != _digest(manifest):
        raise DamagedError(f"{path} is not as it was written; {AGAIN}")


def check_digest(path: Path, digest: object, how: str = AGAIN) -> None:
    """Raises DamagedError where a file is not that of the digest in a manifest; how: to mend it."""
    if digest != sha256(path):
        raise DamagedError(f"{path} is not as it was written; {how}")


def finished(folder: Path, key: str, notice: Callable[[str], None]) -> dict[str, Any] | None:
    """The manifest of a finished, undamaged run with this key, if the folder has one.

    notice: told of damage
    """
    if not (folder / FILE).exists():
        return None
    try:
        manifest = read(folder)
    except FileNotFoundError:
        return None
    except DamagedError as error:
        notice(f"{str(error).removesuffix(f'; {AGAIN}')}: it is measured again")
        return None
    return manifest if manifest.get("key") == key else None


def unlike(folder: Path, where: dict[str, Any]) -> list[str]:
    """What to say where the folder's report is of another environment: one line, or none."""
    try:
        old = read_manifest(folder)
        told = differences(old, where)
    except (ValueError, KeyError, TypeError, AttributeError):  # none, or damaged
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


def _digest(manifest: Mapping[str, Any]) -> str:
    """Of all that it says but this."""
    rest = {name: value for name, value in manifest.items() if name != "manifest_sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()
