"""The environment is part of a result: its id, what differs, one thread, how it rounds."""

import copy
import ctypes
import importlib.util
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from threadpoolctl import threadpool_info, threadpool_limits

import fpstudy
from fpstudy.cases import expand
from fpstudy.cli import main
from fpstudy.environment import differences, environment, environment_id, fingerprints
from fpstudy.environment.floating_point import STANDARD, UnsteadyError, mode, steady
from fpstudy.environment.libraries import SETTINGS
from fpstudy.environment.processor import simd
from fpstudy.environment.threads import counts, one_thread
from fpstudy.environment.uses import packages, used_by
from fpstudy.manifest import signed
from fpstudy.problems import PROBLEMS, Formula
from fpstudy.report.environment import surroundings, unlike
from fpstudy.study import load

TORCH = importlib.util.find_spec("torch") is not None
JAX = importlib.util.find_spec("jax") is not None
SMALL = 'schema = 1\nname = "small"\n[[sweep]]\nproblem = "softmax"\ndtype = "float32"\nn = 3\n'


@pytest.fixture(scope="module")
def here() -> dict[str, Any]:
    return environment()


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(SMALL + 'formula = ["shifted", "naive"]\n')
    return path


# --- the id and what differs --------------------------------------------------------------------


def test_the_id_is_the_same_each_time(here: dict[str, Any]) -> None:
    again = environment()
    assert again["environment"] == here["environment"] == environment_id(here)
    assert re.fullmatch(r"[0-9a-f]{12}", here["environment"])
    assert differences(here, again) == []


def test_the_id_survives_the_manifest(here: dict[str, Any]) -> None:
    read = json.loads(json.dumps(here))
    assert environment_id(read) == here["environment"] and differences(here, read) == []


PLANTED = [
    (("versions", "numpy"), "1.0", r"numpy \S+ -> 1\.0"),
    (("versions", "ml_dtypes"), "0.1", r"ml_dtypes \S+ -> 0\.1"),
    (("versions", "torch"), "2.0", r"torch none -> 2\.0"),
    (("cpu", "model"), "Z80", r"processor .* -> Z80 \(.*\)"),
    (("simd", "numpy", "enabled"), ["SSE2"], r"SIMD of NumPy .* -> SSE2"),
    (("simd", "torch"), "AVX2", r"SIMD of torch none -> AVX2"),
    (("blas", "architecture"), "Prescott", r"BLAS .* -> .* Prescott"),
    (("libm",), "musl 1.2", r"libm .* -> musl 1\.2"),
    (("settings", "GLIBC_TUNABLES"), "x", r"GLIBC_TUNABLES \S+ -> x"),
    (("gpu", "devices"), ["H200"], r"GPU none -> H200"),
    (("gpu", "packages"), {"triton": "3"}, r"triton none -> 3"),
    (("compiler",), "cc 1", r"compiler none -> cc 1"),
    (("threads", "jax"), "not pinned", r"threads of jax none -> not pinned"),
    (("floating_point", "float32"), "up", r"arithmetic of float32 .* -> up"),
    (("fingerprints", "float32 exp"), "0", r"other bits of float32 exp"),
]


@pytest.mark.parametrize(("path", "value", "told"), PLANTED, ids=lambda v: str(v)[:30])
def test_whatever_can_change_bits_changes_the_id_and_is_named(
    here: dict[str, Any], path: tuple[str, ...], value: object, told: str
) -> None:
    other = copy.deepcopy(here)
    at = other
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    assert environment_id(other) != here["environment"]
    (line,) = differences(here, other)
    assert re.fullmatch(told.replace(r"\S+", "(none|\\S+)"), line), line


@pytest.mark.parametrize(
    ("key", "value"),
    [("commit", "0" * 12), ("platform", "another kernel"), ("threads", {"cores": "64"})],
)
def test_what_cannot_change_bits_does_not(here: dict[str, Any], key: str, value: object) -> None:
    other = here | {key: value}
    assert environment_id(other) == here["environment"] and differences(here, other) == []


def test_a_drawing_package_does_not_change_the_id(here: dict[str, Any]) -> None:
    other = here | {"versions": here["versions"] | {"matplotlib": "0", "pandas": "0"}}
    assert environment_id(other) == here["environment"]


def test_a_manifest_without_an_environment_is_said_to_have_none(here: dict[str, Any]) -> None:
    assert differences({"versions": {"numpy": "2"}}, here) == ["not recorded which"]


def test_a_framework_counts_only_where_it_is_used(here: dict[str, Any]) -> None:
    assert {"torch", "jax", "scipy"}.isdisjoint(here["versions"])
    used = environment(("numpy", "scipy"))
    assert "scipy" in used["versions"] and used["environment"] != here["environment"]
    assert packages(("torch.compile:cuda", "jax.jit", "numpy")) == {"torch", "jax", "numpy"}


def test_used_by_names_the_arithmetics_and_scipy_for_its_functions(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fpstudy.environment import uses

    cases = expand(load(study))
    assert used_by(cases) == ("numpy",)
    monkeypatch.setitem(uses.LIBRARY, "softmax", {"library": PROBLEMS["softmax"].formulas["naive"]})
    assert used_by([replace(cases[0], formula="library")]) == ("numpy", "scipy")
    assert used_by([replace(cases[0], formula="library", arithmetic="torch")]) == ("torch",)


def test_the_frameworks_are_not_imported_unless_used() -> None:
    text = (
        "import sys; from fpstudy.environment import environment; environment();"
        "print({'torch', 'jax', 'scipy'} & set(sys.modules))"
    )
    assert _python(text) == "set()"


# --- the same function with other bits ----------------------------------------------------------


def _python(text: str, **variables: str) -> str:
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", text],
        env=os.environ | variables, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return run.stdout.strip()


@pytest.fixture(scope="module")
def elsewhere() -> dict[str, Any]:
    """The environment without the vector instructions that NumPy may leave unused."""
    dispatched = simd()["numpy"]["enabled"]
    text = "import json; from fpstudy.environment import environment as e; print(json.dumps(e()))"
    names = " ".join(set(dispatched) - set(_baseline()))
    if not names:
        pytest.skip("NumPy dispatches to nothing above its baseline on this processor")
    found: dict[str, Any] = json.loads(_python(text, NPY_DISABLE_CPU_FEATURES=names))
    return found


def _baseline() -> list[str]:
    from numpy._core import _multiarray_umath

    return list(_multiarray_umath.__cpu_baseline__)


def test_without_vector_instructions_the_environment_is_another(
    here: dict[str, Any], elsewhere: dict[str, Any]
) -> None:
    assert elsewhere["simd"]["numpy"]["enabled"] == _baseline()
    assert elsewhere["settings"]["NPY_DISABLE_CPU_FEATURES"]
    assert elsewhere["environment"] != here["environment"]
    told = "; ".join(differences(here, elsewhere))
    assert "SIMD of NumPy" in told and "NPY_DISABLE_CPU_FEATURES" in told


def test_float32_exp_has_other_bits_without_vector_instructions(
    here: dict[str, Any], elsewhere: dict[str, Any]
) -> None:
    if elsewhere["fingerprints"]["float32 exp"] == here["fingerprints"]["float32 exp"]:
        pytest.skip("NumPy's float32 exp has one kernel on this processor")
    text = (
        "import numpy as np; x = np.arange(-8192, 8192, dtype='f') / 1024;"
        "print(np.exp(x).tobytes().hex())"
    )
    names = elsewhere["settings"]["NPY_DISABLE_CPU_FEATURES"]
    a, b = (
        np.frombuffer(bytes.fromhex(t), "f")
        for t in (_python(text), _python(text, NPY_DISABLE_CPU_FEATURES=names))
    )
    assert (a != b).any()
    assert (
        np.abs(a.view("i") - b.view("i")).max() <= 4
    )  # a different rounding, not another function
    assert "float32 exp" in differences(here, elsewhere)[-1]


def test_fingerprints_are_of_the_functions_that_numpy_has_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    honest = fingerprints.taken()
    assert fingerprints.taken() == honest and len(honest) == 20
    exp = np.exp

    def off_in_float32(x: Any) -> Any:
        return np.nextafter(exp(x), np.float32(2)) if x.dtype == np.float32 else exp(x)

    monkeypatch.setitem(fingerprints.FUNCTIONS, "exp", off_in_float32)
    assert {name for name, digest in fingerprints.taken().items() if digest != honest[name]} == {
        "float32 exp"
    }


# --- runs ---------------------------------------------------------------------------------------


def test_every_row_has_the_id_of_the_manifest(study: Path, tmp_path: Path) -> None:
    done = fpstudy.run(study, tmp_path / "out", jobs=1)
    assert set(done.record["environment"]) == {done.manifest["environment"]}
    assert done.manifest["environment"] == environment_id(done.manifest)
    assert done.manifest["threads"].get("openblas", "1") == "1"


def _planted(folder: Path, numpy: str) -> None:
    """Make the folder's report one of another NumPy."""
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["versions"]["numpy"] = numpy
    manifest["environment"] = environment_id(manifest)
    manifest["key"] = "another"
    (folder / "manifest.json").write_text(json.dumps(signed(manifest)))


def test_a_run_over_a_report_of_another_environment_says_what_differs(
    study: Path, tmp_path: Path
) -> None:
    folder, said = tmp_path / "out", []
    before = fpstudy.run(study, folder, jobs=1, notice=said.append)
    fpstudy.run(study, folder, jobs=1, fresh=True, notice=said.append)
    assert said == []
    _planted(folder, "1.0")
    fpstudy.run(study, folder, jobs=1, notice=said.append)
    (line,) = said
    assert f"numpy 1.0 -> {np.__version__}" in line and before.manifest["environment"] in line
    fpstudy.run(study, folder, jobs=1, notice=said.append)
    assert len(said) == 1
    _planted(folder, "1.0")
    with pytest.warns(UserWarning, match=r"another environment.*numpy 1\.0 -> ") as caught:
        fpstudy.run(study, folder, jobs=1)
    assert caught[0].filename == __file__


def test_the_command_says_it_on_stderr(study: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    fpstudy.run(study, folder, jobs=1)
    _planted(folder, "1.0")
    result = CliRunner().invoke(main, ["run", str(study), "--out", str(folder)])
    assert result.exit_code == 0
    assert "numpy 1.0 -> " in result.stderr and "numpy 1.0" not in result.stdout


def test_a_report_shows_the_environment(study: Path, tmp_path: Path) -> None:
    done = fpstudy.run(study, tmp_path / "out", jobs=1)
    text = (done.directory / "README.md").read_text()
    section = text[text.index("## Environment") :]
    for name in ("environment", "processor", "SIMD in use", "BLAS", "libm", "threads"):
        assert re.search(rf"(?m)^\| {name} \| [^–|]+ \|$", section), name
    assert f"| environment | {done.manifest['environment']} |" in section
    assert f"| rounding and subnormals | {STANDARD} (float32, float64) |" in section
    html = (done.directory / "index.html").read_text()
    assert done.manifest["environment"] in html and STANDARD in html


def test_an_old_manifest_shows_what_it_has() -> None:
    lines = dict(surroundings({"cpu": {"model": "Z80", "features": []}}))
    assert lines["processor"] == "Z80" and lines["SIMD in use"] == lines["threads"] == ""


def test_what_a_gpu_run_used_is_shown(here: dict[str, Any]) -> None:
    gpu = {"devices": ["H200, 575"], "packages": {"triton": "3"}}
    used = here | {"gpu": gpu, "compiler": "cc 1", "settings": {"XLA_FLAGS": "--a"}}
    lines = dict(surroundings(used | {"threads": {"cores": "8", "torch": "1", "jax": "1"}}))
    assert lines["GPU"] == "H200, 575; triton 3" and lines["compiler"] == "cc 1"
    assert lines["threads"] == "1 for torch and jax, of 8 cores"
    assert lines["settings that choose kernels"] == "XLA_FLAGS=--a"


def test_the_index_says_which_reports_are_of_unlike_environments(here: dict[str, Any]) -> None:
    other = here | {"libm": "musl 1.2"}
    other["environment"] = environment_id(other)
    assert unlike([("a", here), ("b", here)]) == []
    rows = unlike([("a", here), ("b", other), ("c", here), ("old", {})])
    assert rows[0] == ("a, c", here["environment"])
    assert rows[1][0] == "b" and rows[1][1].endswith("-> musl 1.2")
    assert rows[2] == ("old", "not recorded")


# --- one thread ---------------------------------------------------------------------------------


def test_threads_are_pinned_and_put_back() -> None:
    with threadpool_limits(limits=2):
        before = [pool["num_threads"] for pool in threadpool_info()]
        with one_thread():
            assert {pool["num_threads"] for pool in threadpool_info()} <= {1}
            assert set(counts().values()) <= {"1", str(os.cpu_count())}
        assert [pool["num_threads"] for pool in threadpool_info()] == before


def test_a_formula_is_computed_with_one_thread(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def watching(xp: Any, x: Any, *, axis: int = -1) -> Any:
        seen.extend(pool["num_threads"] for pool in threadpool_info())
        return softmax.formulas["shifted"].text(xp, x, axis=axis)

    softmax = PROBLEMS["softmax"]
    formulas = softmax.formulas | {"naive": Formula(watching)}
    monkeypatch.setitem(PROBLEMS, "softmax", replace(softmax, formulas=formulas))
    with threadpool_limits(limits=2):
        fpstudy.run(study, tmp_path / "out", jobs=1)
    if not seen:
        pytest.skip("threadpoolctl knows none of the libraries loaded here")
    assert set(seen) == {1}


@pytest.mark.skipif(not TORCH, reason="torch is not installed")
def test_torch_has_one_thread_and_then_its_own_again() -> None:
    torch = pytest.importorskip("torch")
    torch.set_num_threads(2)
    with one_thread(("torch.compile",)):
        assert torch.get_num_threads() == 1 and counts(("torch",))["torch"] == "1"
    assert torch.get_num_threads() == 2
    assert simd(("torch",))["torch"] == torch.backends.cpu.get_cpu_capability()


@pytest.mark.skipif(not JAX, reason="jax is not installed")
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are counted in /proc")
@pytest.mark.parametrize(("first", "told"), [(False, "1"), (True, "not pinned")])
def test_jax_has_one_thread_where_it_has_not_computed_before(first: bool, told: str) -> None:
    text = f"""
import os, warnings
from pathlib import Path
del os.environ["PJRT_NPROC"]  # the tests' own
import jax.numpy as jnp
from fpstudy.environment.threads import NOT_PINNED, counts, one_thread
if {first}:
    jnp.ones(3)
with warnings.catch_warnings(record=True, action="always") as caught, one_thread(("jax.jit",)):
    jnp.ones(3)
    names = [(task / "comm").read_text().strip() for task in Path("/proc/self/task").iterdir()]
    warned = sum(str(warning.message) == NOT_PINNED for warning in caught)
    print(counts(("jax",))["jax"], sum("XLAEigen" in name for name in names), warned, sep=",")
"""
    said, pool, warned = _python(text).split(",")
    cores = len(os.sched_getaffinity(0))
    assert said == told and int(pool) == (cores if first else 1) and int(warned) == first


# --- how numbers are rounded --------------------------------------------------------------------

# fenv.h of the C libraries on Linux
ROUNDING = {
    "x86_64": {"down": 0x400, "up": 0x800, "toward zero": 0xC00},
    "aarch64": {"up": 0x400000, "down": 0x800000, "toward zero": 0xC00000},
}.get(platform.machine() if sys.platform == "linux" else "", {})
MXCSR = 28  # its place in x86-64 glibc's fenv_t
FLUSH = {0x8000: "results", 0x40: "operands", 0x8040: "results and operands"}


@contextmanager
def state_kept() -> Iterator[ctypes.CDLL]:
    c, saved = ctypes.CDLL(None), ctypes.create_string_buffer(128)
    assert c.fegetenv(saved) == 0
    try:
        yield c
    finally:
        c.fesetenv(saved)


def _flush(c: ctypes.CDLL, bits: int) -> None:
    state = ctypes.create_string_buffer(128)
    c.fegetenv(state)
    register = int.from_bytes(state[MXCSR : MXCSR + 4], "little") | bits
    state[MXCSR : MXCSR + 4] = register.to_bytes(4, "little")
    c.fesetenv(state)


flushes = pytest.mark.skipif(
    platform.machine() != "x86_64" or platform.libc_ver()[0] != "glibc",
    reason="flush-to-zero is planted in the fenv_t of x86-64 glibc only",
)


def test_this_process_computes_by_the_standard() -> None:
    assert mode() == {"float32": STANDARD, "float64": STANDARD}


@pytest.mark.parametrize("direction", ["down", "up", "toward zero"])
def test_a_planted_rounding_direction_is_seen(direction: str) -> None:
    if not ROUNDING:
        pytest.skip("the constants of fesetround are known for Linux on x86-64 and AArch64 only")
    with state_kept() as c:
        assert c.fesetround(ROUNDING[direction]) == 0
        seen = mode()
    assert set(seen.values()) == {f"{direction}, subnormals kept"}
    assert set(mode().values()) == {STANDARD}


@flushes
@pytest.mark.parametrize("bits", FLUSH)
def test_a_planted_flush_to_zero_is_seen(bits: int) -> None:
    with state_kept() as c:
        _flush(c, bits)
        seen = mode()
    assert set(seen.values()) == {f"to nearest even, subnormal {FLUSH[bits]} flushed to zero"}


@pytest.mark.skipif(not TORCH, reason="torch is not installed")
def test_torch_flushing_subnormals_is_seen_and_undone() -> None:
    torch = pytest.importorskip("torch")
    if not torch.set_flush_denormal(False):
        pytest.skip("torch cannot flush subnormals on this processor")
    try:
        with (
            pytest.raises(UnsteadyError, match=r"after torch: .* flushed to zero"),
            steady("torch"),
        ):
            torch.set_flush_denormal(True)
        assert set(mode().values()) == {STANDARD}
    finally:
        torch.set_flush_denormal(False)


@flushes
def test_a_changed_state_is_said_and_put_back() -> None:
    def fail(c: ctypes.CDLL) -> None:
        _flush(c, 0x8040)
        raise ZeroDivisionError

    with state_kept() as c:
        with pytest.raises(UnsteadyError, match="after it: float32 rounds"), steady("it"):
            _flush(c, 0x8040)
        assert set(mode().values()) == {STANDARD}
        with pytest.raises(ZeroDivisionError), steady("it"):
            fail(c)
        assert set(mode().values()) == {STANDARD}
        _flush(c, 0x8000)
        entered = []
        with pytest.raises(UnsteadyError, match="before it"), steady("it"):
            entered.append(1)
        assert entered == []


@flushes
def test_a_formula_that_changes_the_state_has_no_result_and_the_others_have(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flushing(xp: Any, x: Any, *, axis: int = -1) -> Any:
        _flush(ctypes.CDLL(None), 0x8000)
        return softmax.formulas["shifted"].text(xp, x, axis=axis)

    softmax = PROBLEMS["softmax"]
    formulas = {"naive": Formula(flushing), "shifted": softmax.formulas["shifted"]}
    monkeypatch.setitem(PROBLEMS, "softmax", replace(softmax, formulas=formulas))
    with state_kept():
        done = fpstudy.run(study, tmp_path / "out", jobs=1)
        assert set(mode().values()) == {STANDARD}
    by_formula = done.summary.set_index("formula")
    assert by_formula.loc["naive", "crashed"] == by_formula.loc["naive", "components"]
    assert "UnsteadyError: after naive in numpy" in by_formula.loc["naive", "reason"]
    assert by_formula.loc["shifted", "crashed"] == 0
    assert done.manifest["cases"]["crashed"] == 1


@flushes
def test_a_run_in_a_process_that_flushes_is_refused(study: Path, tmp_path: Path) -> None:
    with state_kept() as c:
        _flush(c, 0x8040)
        result = CliRunner().invoke(main, ["run", str(study), "--out", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert "check failed: before the run: float32 rounds" in result.stderr
    assert not (tmp_path / "out" / "record.parquet").exists()


def test_settings_are_recorded_where_they_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XLA_FLAGS", "--none")
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    assert environment()["settings"].items() >= {("OPENBLAS_CORETYPE", "Haswell")}
    assert "XLA_FLAGS" not in environment()["settings"]
    assert set(SETTINGS) == {"numpy", "torch", "jax"}
