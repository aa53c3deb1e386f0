"""The committed logits are the file that their provenance describes."""

import hashlib
import importlib.util
import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from fpstudy.formats import FORMATS
from fpstudy.problems import PROBLEMS
from fpstudy.study import load

EXPERIMENTS = Path(__file__).resolve().parent.parent / "experiments"
LOGITS = EXPERIMENTS / "digits_logits.npy"
PROVENANCE = (EXPERIMENTS / "digits_logits.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def logits() -> np.ndarray:
    return np.load(LOGITS, allow_pickle=False)


def imported(script: Path) -> ModuleType:
    """The script as a module, run up to its main guard."""
    spec = importlib.util.spec_from_file_location(script.stem, script)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    return imported(EXPERIMENTS / "make_digits_logits.py")


def stated(quantity: str) -> str:
    """The value beside a quantity in one of the provenance's tables."""
    (value,) = re.findall(rf"^\| {re.escape(quantity)} \| (.+) \|$", PROVENANCE, re.MULTILINE)
    return value


STATED: list[tuple[str, Callable[[np.ndarray], str]]] = [
    ("SHA-256", lambda x: f"`{hashlib.sha256(LOGITS.read_bytes()).hexdigest()}`"),
    ("bytes", lambda x: str(LOGITS.stat().st_size)),
    ("shape", lambda x: str(x.shape)),
    ("dtype", lambda x: str(x.dtype)),
    ("rows (samples)", lambda x: str(len(x))),
    ("largest logit", lambda x: f"{np.max(x):.6g}"),
    ("smallest logit", lambda x: f"{np.min(x):.6g}"),
]


@pytest.mark.parametrize(("quantity", "measure"), STATED, ids=[name for name, _ in STATED])
def test_provenance_states_what_the_file_holds(quantity, measure, logits):
    assert stated(quantity) == measure(logits)


def test_logits_are_finite_rows_of_ten_float32_under_one_megabyte(logits):
    assert logits.dtype == np.float32
    assert logits.ndim == 2
    assert logits.shape[1] == 10
    assert np.all(np.isfinite(logits))
    assert LOGITS.stat().st_size < 1_000_000


def test_margins_are_those_of_a_trained_net(logits):
    # what the study says: log(65504) = 11.09 is where the exponential overflows float16 (the float8
    # formats overflow earlier), 2**127 where it might overflow bfloat16
    largest = logits.max(axis=-1)
    assert np.mean(largest > np.log(65504)) > 0.5
    assert np.any(largest < np.log(65504))
    assert np.all(largest < 127 * np.log(2))


def test_script_computes_the_statistics_that_are_stated(maker, logits):
    for quantity, value in maker.statistics(logits):
        assert stated(quantity) == value
    assert maker.npy_bytes(logits) == LOGITS.read_bytes()


def test_importing_the_script_writes_nothing(tmp_path):
    script = tmp_path / "make_digits_logits.py"
    script.write_bytes((EXPERIMENTS / "make_digits_logits.py").read_bytes())
    module = imported(script)
    assert module.LOGITS.parent == tmp_path.resolve()  # where it would write
    assert not module.LOGITS.exists()
    assert not module.PROVENANCE.exists()


def test_relu_net_is_affine_then_relu_then_affine(maker):
    x = np.array([[1, -2]], dtype=np.float32)
    W, b = np.eye(2, dtype=np.float32), np.array([0, 1], dtype=np.float32)
    # x + b = (1, -1), relu gives (1, 0), + b gives (1, 1)
    assert maker.affine_relu_logits(x, [W, W], [b, b]).tolist() == [[1.0, 1.0]]


def test_study_reads_the_committed_file():
    study = load(EXPERIMENTS / "real_logits.toml")
    assert {sweep.file for sweep in study.sweep} == {LOGITS}
    assert {sweep.inputs for sweep in study.sweep} == {"per_dtype"}
    assert {name for sweep in study.sweep for name in sweep.problem} == set(PROBLEMS)
    assert {name for sweep in study.sweep for name in sweep.dtype} == set(FORMATS)
