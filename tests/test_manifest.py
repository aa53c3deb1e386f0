"""A manifest and its record: no flipped bit and no lost end of one gives a number."""

from pathlib import Path

import numpy as np
import pytest

from fpstudy import manifest
from fpstudy.damage import DamagedError

FLIPS = 1_000
SAID = {
    "schema": manifest.SCHEMA_VERSION, "name": "gr\u00f6\u00dfe", "key": "k", "truths": 1234,
    "cases": {"total": 12, "crashed": 0}, "duration_seconds": 0.1, "violations": [], "witness": {},
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / manifest.RECORD).write_bytes(bytes(range(256)))
    manifest.write(tmp_path, SAID)
    return tmp_path


def test_what_is_written_is_read(folder: Path) -> None:
    found = manifest.read(folder)
    assert {name: found[name] for name in SAID} == SAID
    said: list[str] = []
    assert manifest.finished(folder, "k", said.append) == found
    assert manifest.finished(folder, "another", said.append) is None
    assert said == []


@pytest.mark.parametrize("name", [manifest.FILE, manifest.RECORD])
def test_no_flipped_bit_gives_another_number(folder: Path, name: str) -> None:
    path, rng = folder / name, np.random.default_rng(0)
    whole = path.read_bytes()
    noticed = 0
    for _ in range(FLIPS):
        damaged = bytearray(whole)
        damaged[int(rng.integers(len(whole)))] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        try:
            found = manifest.read(folder)
        except DamagedError:
            noticed += 1
        else:  # a blank that became another, or the name of the digest itself
            assert {key: found.get(key) for key in SAID} == SAID
    assert noticed > 0.9 * FLIPS


def test_no_lost_end_gives_a_number(folder: Path) -> None:
    path = folder / manifest.FILE
    whole = path.read_bytes()
    for length in range(len(whole) - 2):  # without its last line end it says the same
        path.write_bytes(whole[:length])
        said: list[str] = []
        assert manifest.finished(folder, "k", said.append) is None
        assert len(said) == 1
        with pytest.raises(DamagedError, match=r"damaged|as it was written"):
            manifest.read(folder)
