"""What a formula changes of the process is named and undone, and no other case notices.

Every change is planted in code of the user's own, between two cases of fpstudy's, in each
arithmetic that can be used here.
"""

import builtins
import ctypes
import decimal
import importlib.util
import itertools
import locale
import os
import platform
import subprocess
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import flint
import mpmath
import numpy as np
import pandas as pd
import pytest
from threadpoolctl import ThreadpoolController, threadpool_limits

import fpstudy
from fpstudy.arithmetic import evaluators
from fpstudy.cases import expand
from fpstudy.environment import canary, floating_point
from fpstudy.environment.canary import untouched
from fpstudy.environment.floating_point import STANDARD, UnsteadyError, mode, steady
from fpstudy.environment.threads import one_thread
from fpstudy.measurement import run_tasks
from fpstudy.problems import PROBLEMS, Formula
from fpstudy.study import from_keys
from fpstudy.tasks import tasks
from fpstudy.user_code import Code

# --- the changes --------------------------------------------------------------------------------

ON_LINUX = sys.platform == "linux"
GLIBC_X86 = platform.machine() == "x86_64" and platform.libc_ver()[0] == "glibc"
UP = {"x86_64": 0x800, "aarch64": 0x400000}.get(platform.machine(), 0) if ON_LINUX else 0
MXCSR = 28  # its place in x86-64 glibc's fenv_t
OTHER_LOCALES = ("C.UTF-8", "en_US.UTF-8", "de_DE.UTF-8", "POSIX")


def mxcsr(bits: int) -> None:
    """Set bits of the register that says how SSE computes."""
    c, state = ctypes.CDLL(None), ctypes.create_string_buffer(128)
    c.fegetenv(state)
    register = int.from_bytes(state[MXCSR : MXCSR + 4], "little") ^ bits
    state[MXCSR : MXCSR + 4] = register.to_bytes(4, "little")
    c.fesetenv(state)


def other_locale() -> str | None:
    before = locale.setlocale(locale.LC_NUMERIC)
    try:
        for name in OTHER_LOCALES:
            try:
                if locale.setlocale(locale.LC_NUMERIC, name) != before:
                    return name
            except locale.Error:
                continue
        return None
    finally:
        locale.setlocale(locale.LC_NUMERIC, before)


OTHER = other_locale()


def more_threads(api: str) -> None:
    for pool in ThreadpoolController().lib_controllers:
        if pool.user_api == api:
            pool.set_num_threads(pool.num_threads + 1)


def pools() -> list[int]:
    return [pool.num_threads for pool in ThreadpoolController().lib_controllers]


HAS_BLAS = any(pool.user_api == "blas" for pool in ThreadpoolController().lib_controllers)


def loaded(name: str) -> Any:
    return pytest.importorskip(name)


def process_limits() -> tuple[int, int]:
    import resource

    return resource.getrlimit(resource.RLIMIT_NOFILE)


def fewer_files() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_NOFILE, (64, process_limits()[1]))


def torch_settings() -> tuple[Any, ...]:
    torch = loaded("torch")
    precision = torch.get_float32_matmul_precision()
    backends = (
        torch.backends.cuda.matmul.fp32_precision,
        torch.backends.mkldnn.matmul.fp32_precision,
    )
    algorithms = torch.are_deterministic_algorithms_enabled()
    return torch.get_default_dtype(), precision, *backends, algorithms, torch.is_grad_enabled()


def jax_settings() -> tuple[Any, ...]:
    config = loaded("jax").config
    return config.jax_enable_x64, config.jax_default_matmul_precision, config.jax_debug_nans


def filters() -> tuple[Any, ...]:
    return tuple(warnings.filters), warnings.showwarning


@dataclass(frozen=True)
class Change:
    """Something that code does to the process.

    do:    makes the change
    look:  what it changes, read without fpstudy
    words: what the reason says, a regular expression
    state: the name of the state in fpstudy's list; "" for the processor's
    """

    do: Callable[[], Any]
    look: Callable[[], Any]
    words: str
    state: str = ""
    possible: bool = True
    module: str = ""


FLUSHED = "float32 rounds to nearest even, subnormal {} flushed to zero"
NUMPY, FILTERS, LOCALE = "how NumPy treats what overflows", "the filters of warnings", "the locale"
PRECISION, THREADS = "the precision of a library", "how many threads compute"
DECIMAL, DIGITS = "the context of the module decimal", "how many digits Python reads"
FOLDER, VARIABLES = "the working directory", "environment variables"
LIMITS, FUNCTIONS = "limits of the process", "functions of NumPy"
ITSELF = "looked at by the canary itself"
TORCH, JAX = "settings of torch", "settings of jax"
numpy_state = lambda: (np.geterr(), np.geterrcall(), np.getbufsize())  # noqa: E731
python_limits = lambda: (sys.getrecursionlimit(), sys.get_int_max_str_digits())  # noqa: E731
decimal_state = lambda: repr(decimal.getcontext()).partition("flags")[0]  # noqa: E731
precisions = lambda: (mpmath.mp.prec, mpmath.iv.prec, flint.ctx.prec)  # noqa: E731
CHANGES = {
    "results flushed": Change(
        lambda: mxcsr(0x8000), mode, FLUSHED.format("results"), possible=GLIBC_X86
    ),
    "operands flushed": Change(
        lambda: mxcsr(0x40), mode, FLUSHED.format("operands"), possible=GLIBC_X86
    ),
    "rounding up": Change(
        lambda: ctypes.CDLL(None).fesetround(UP), mode, "float32 rounds up", possible=bool(UP)
    ),
    "a trap": Change(
        lambda: mxcsr(0x200), mode, "processor's control word is 0x37f 0x1d80, not 0x37f 0x1f80",
        possible=GLIBC_X86,
    ),
    "mp.dps": Change(
        lambda: setattr(mpmath.mp, "dps", 50), precisions, r"\(mp.prec 53 -> 169\)", PRECISION
    ),
    "iv.prec": Change(
        lambda: setattr(mpmath.iv, "prec", 100), precisions, r"\(iv.prec 53 -> 100\)", PRECISION
    ),
    "flint.ctx.prec": Change(
        lambda: setattr(flint.ctx, "prec", 100), precisions, "flint.ctx.prec 53 -> 100", PRECISION
    ),
    "np.seterr": Change(
        lambda: np.seterr(divide="raise"), numpy_state, "divide 'ignore' -> 'raise'", NUMPY
    ),
    "np.seterrcall": Change(
        lambda: np.seterrcall(print), numpy_state, "call None -> builtin_function_or_method", NUMPY
    ),
    "np.setbufsize": Change(
        lambda: np.setbufsize(4096), numpy_state, "buffer 8192 -> 4096", NUMPY
    ),
    "simplefilter": Change(
        lambda: warnings.simplefilter("error", BytesWarning), filters, r"filters \d+ entries ->",
        FILTERS,
    ),
    "filterwarnings": Change(
        lambda: warnings.filterwarnings("ignore", message="planted"), filters, "filters", FILTERS
    ),
    "resetwarnings": Change(warnings.resetwarnings, filters, "-> 0 entries", FILTERS),
    "showwarning": Change(
        lambda: setattr(warnings, "showwarning", print), filters,
        "showwarning function -> builtin_function_or_method", FILTERS,
    ),
    "LC_NUMERIC": Change(
        lambda: locale.setlocale(locale.LC_NUMERIC, OTHER),
        lambda: locale.setlocale(locale.LC_ALL), r"LC_NUMERIC '.*' -> '.*'", LOCALE,
        possible=OTHER is not None,
    ),
    "BLAS threads": Change(
        lambda: more_threads("blas"), pools, r"blas \d+ 1 -> 2", THREADS, possible=HAS_BLAS
    ),
    "torch.set_num_threads": Change(
        lambda: loaded("torch").set_num_threads(2), lambda: loaded("torch").get_num_threads(),
        r"torch \d -> 2", THREADS, module="torch",
    ),
    "decimal precision": Change(
        lambda: setattr(decimal.getcontext(), "prec", 5), decimal_state, "prec 28 -> 5", DECIMAL
    ),
    "decimal trap": Change(
        lambda: decimal.setcontext(decimal.BasicContext), decimal_state, "prec 28 -> 9", DECIMAL
    ),
    "recursion": Change(
        lambda: sys.setrecursionlimit(2345), python_limits, r"recursion limit \(\d+ -> 2345\)",
        ITSELF,
    ),
    "digits": Change(
        lambda: sys.set_int_max_str_digits(0), python_limits, "of an integer 4300 -> 0", DIGITS
    ),
    "np.exp": Change(
        lambda: setattr(np, "exp", np.tanh), lambda: np.exp, r"\(exp ufunc -> ufunc\)", FUNCTIONS
    ),
    "np.cbrt": Change(
        lambda: delattr(np, "cbrt"), lambda: getattr(np, "cbrt", None),
        r"\(cbrt ufunc -> None\)", FUNCTIONS,
    ),
    "oct": Change(
        lambda: setattr(builtins, "oct", hex), lambda: oct, r"names of Python \(oct\)", ITSELF
    ),
    "files": Change(
        fewer_files, process_limits, r"RLIMIT_NOFILE \(\d+, -?\d+\) -> \(64, -?\d+\)", LIMITS,
        possible=ON_LINUX,
    ),
    "os.chdir": Change(lambda: os.chdir("/"), os.getcwd, "folder '.*' -> '/'", FOLDER),
    "XLA_FLAGS": Change(
        lambda: os.environ.update(XLA_FLAGS="--planted"), lambda: dict(os.environ),
        "XLA_FLAGS None -> ", VARIABLES,
    ),
    "default dtype": Change(
        lambda: loaded("torch").set_default_dtype(loaded("torch").float64), torch_settings,
        "default dtype 'torch.float32' -> 'torch.float64'", TORCH, module="torch",
    ),
    "float32 in products": Change(
        lambda: loaded("torch").set_float32_matmul_precision("medium"), torch_settings,
        "float32 in products 'highest' -> 'medium'", TORCH, module="torch",
    ),
    "deterministic": Change(
        lambda: loaded("torch").use_deterministic_algorithms(True), torch_settings,
        "deterministic algorithms False -> True", TORCH, module="torch",
    ),
    "jax_enable_x64": Change(
        lambda: loaded("jax").config.update("jax_enable_x64", True), jax_settings,
        "jax_enable_x64 False -> True", JAX, module="jax",
    ),
    "products in jax": Change(
        lambda: loaded("jax").config.update("jax_default_matmul_precision", "bfloat16"),
        jax_settings, "jax_default_matmul_precision None -> 'bfloat16'", JAX, module="jax",
    ),
}  # fmt: skip
ARITHMETICS = [
    name
    for name in ("numpy", "rounded", "torch", "jax")
    if name in ("numpy", "rounded") or importlib.util.find_spec(name) is not None
]


def frameworks_kept() -> Callable[[], None]:
    """What gives the settings of torch and jax, where they are loaded, the values of now."""
    calls: list[Callable[[], Any]] = []
    if (torch := sys.modules.get("torch")) is not None:
        kept, precision = torch_settings(), torch.get_float32_matmul_precision()
        calls = [
            partial(torch.set_default_dtype, kept[0]),
            partial(torch.set_float32_matmul_precision, precision),
            partial(torch.use_deterministic_algorithms, kept[-2]),
            partial(torch.set_num_threads, torch.get_num_threads()),
        ]
    if (jax := sys.modules.get("jax")) is not None:
        names = ("jax_enable_x64", "jax_default_matmul_precision")
        calls += [partial(jax.config.update, name, getattr(jax.config, name)) for name in names]
    return lambda: [call() for call in calls] and None


@contextmanager
def all_kept() -> Iterator[None]:
    """Put back what a detector that fails would leave to the tests that follow."""
    c, state = (ctypes.CDLL(None), ctypes.create_string_buffer(128)) if ON_LINUX else (None, None)
    if c is not None:
        c.fegetenv(state)
    precision, folder, variables = precisions(), os.getcwd(), dict(os.environ)
    limits, before = python_limits(), locale.setlocale(locale.LC_ALL)
    frameworks = frameworks_kept()
    context, size, call = decimal.getcontext(), np.getbufsize(), np.geterrcall()
    names = [(of, vars(of).copy()) for of in (builtins, np)]
    with np.errstate(), warnings.catch_warnings(), decimal.localcontext(), threadpool_limits():
        try:
            yield
        finally:
            for of, own in names:
                vars(of).update(own)
            decimal.setcontext(context)
            mpmath.mp.prec, mpmath.iv.prec, flint.ctx.prec = precision
            locale.setlocale(locale.LC_ALL, before)
            sys.setrecursionlimit(limits[0])
            sys.set_int_max_str_digits(limits[1])
            os.chdir(folder)
            os.environ.clear()
            os.environ.update(variables)
            frameworks()
    np.setbufsize(size)
    np.seterrcall(call)
    if c is not None:
        c.fesetenv(state)


@pytest.fixture(autouse=True)
def kept() -> Iterator[None]:
    with all_kept():
        yield


@pytest.fixture(params=CHANGES)
def change(request: pytest.FixtureRequest) -> Change:
    found = CHANGES[request.param]
    if found.module:
        loaded(found.module)
    if not found.possible:
        pytest.skip("this change cannot be planted here")
    return found


# --- a study with a planted formula -------------------------------------------------------------

serial = itertools.count()


def measured(arithmetic: str, *formulas: Callable[..., Any] | str) -> pd.DataFrame:
    """The rows of a study of these formulas in this order, fpstudy's by name, others as code."""
    module = types.ModuleType(f"planted_{next(serial)}")
    names = []
    for k, formula in enumerate(formulas):
        if callable(formula):
            setattr(module, f"formula_{k}", formula)
            names.append(f"{module.__name__}:formula_{k}")
        else:
            names.append(formula)
    sweep = {
        "problem": "softmax", "arithmetic": arithmetic, "dtype": ["float32", "float64"],
        "n": [3, 40], "samples": 4, "formula": names,
    }  # fmt: skip
    study = from_keys({"name": "planted", "sweep": [sweep]})
    sys.modules[module.__name__] = module
    try:
        return run_tasks(tasks(study, expand(study), Code((module.__name__,)))).rows.to_pandas()
    finally:
        del sys.modules[module.__name__]


def shifted(xp: Any, x: Any) -> Any:
    e = xp.exp(x - xp.max(x, axis=-1, keepdims=True))
    return e / xp.sum(e, axis=-1, keepdims=True)


def of(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    found = rows[rows["formula"].str.contains(name)].drop(columns=["case", "formula"])
    assert len(found)
    return found.reset_index(drop=True)


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, pd.DataFrame]:
    return {name: measured(name, "naive", "shifted", shifted) for name in ARITHMETICS}


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
def test_a_change_is_named_and_undone_and_no_other_case_notices(
    arithmetic: str, change: Change, undisturbed: dict[str, pd.DataFrame]
) -> None:
    def changing(xp: Any, x: Any) -> Any:
        y = shifted(xp, x)
        change.do()
        return y

    def plain(xp: Any, x: Any) -> Any:
        return shifted(xp, x)

    before = change.look()
    rows = measured(arithmetic, "naive", changing, "shifted", plain)
    assert change.look() == before
    planted = of(rows, "formula_1")
    assert (planted["crashed"] == planted["components"]).all()
    reason = rf"^UnsteadyError: .*planted_\d+:formula_1 in {arithmetic}.*{change.words}"
    assert planted["reason"].str.match(reason).all(), planted["reason"][0]
    others = undisturbed[arithmetic]
    pd.testing.assert_frame_equal(of(rows, "^naive"), of(others, "^naive"), check_exact=True)
    pd.testing.assert_frame_equal(of(rows, "^shifted"), of(others, "^shifted"), check_exact=True)
    pd.testing.assert_frame_equal(of(rows, "formula_3"), of(others, "formula_2"), check_exact=True)


def test_what_is_changed_before_is_no_fault(change: Change) -> None:
    if not change.state:
        pytest.skip("the processor has to compute by the standard: see test_environment.py")
    with one_thread():
        change.do()
        before = change.look()
        with untouched("nothing"):
            pass
        assert change.look() == before
        found = fpstudy.measure(lambda xp, x: shifted(xp, x), "softmax", samples=2)
    assert found["crashed"].tolist() == [0]


def test_a_change_is_undone_where_the_formula_raises(change: Change) -> None:
    def raising() -> None:
        change.do()
        raise ZeroDivisionError("of its own")

    with one_thread():
        before = change.look()
        with pytest.raises(ZeroDivisionError, match="of its own"), untouched("it"):
            raising()
        assert change.look() == before


def test_without_its_detector_a_change_goes_unseen(
    change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each detector is needed: the tests above would fail without it."""
    if change.state == ITSELF:
        monkeypatch.setattr(sys, "getrecursionlimit", lambda: 5000)
        monkeypatch.setattr(canary, "_NAMES", {})
    elif change.state:
        left = tuple(state for state in canary.STATES if state.name != change.state)
        assert len(left) == len(canary.STATES) - 1
        monkeypatch.setattr(canary, "STATES", left)
    else:
        monkeypatch.setattr(floating_point, "_demand", lambda when, control: None)
        monkeypatch.setattr(floating_point, "_control", lambda state: ())
    with one_thread(), all_kept(), untouched("it"):
        change.do()


@pytest.fixture(autouse=True)
def precisions_of_a_new_process() -> Iterator[None]:
    """Those that other tests of this process may have left otherwise."""
    before = mpmath.mp.prec, mpmath.iv.prec, flint.ctx.prec
    mpmath.mp.prec = mpmath.iv.prec = flint.ctx.prec = 53
    yield
    mpmath.mp.prec, mpmath.iv.prec, flint.ctx.prec = before


def test_several_changes_are_all_named() -> None:
    def change_all() -> None:
        mpmath.mp.prec = 100
        decimal.getcontext().prec = 7
        if UP:
            ctypes.CDLL(None).fesetround(UP)

    with one_thread(), pytest.raises(UnsteadyError, match="changed") as caught, untouched("it"):
        change_all()
    words = str(caught.value)
    assert "it changed the precision of a library (mp.prec 53 -> 100); it changed" in words
    assert "prec 28 -> 7" in words
    assert not UP or words.startswith("after it: float32 rounds up")
    assert set(mode().values()) == {STANDARD}


@pytest.mark.parametrize("arithmetic", ARITHMETICS)
def test_a_formula_that_leaves_no_room_to_look_crashes_alone(arithmetic: str) -> None:
    def lowering(xp: Any, x: Any) -> Any:
        y, limit = shifted(xp, x), 1
        while True:
            with suppress(RecursionError):
                sys.setrecursionlimit(limit)
                return y
            limit += 1

    before = sys.getrecursionlimit()
    rows = measured(arithmetic, "naive", lowering, "shifted")
    assert sys.getrecursionlimit() == before
    lowered = of(rows, "formula_1")
    assert (lowered["crashed"] == lowered["components"]).all()
    assert lowered["reason"].str.contains("changed the recursion limit|RecursionError").all()
    assert (of(rows, "^shifted")["crashed"] == 0).all()


@pytest.mark.parametrize("name", ["len", "isinstance", "next", "type", "map", "zip", "sum"])
def test_python_without_one_of_its_names_is_mended_before_anything_else(name: str) -> None:
    def breaking(xp: Any, x: Any) -> Any:
        y = shifted(xp, x)
        setattr(builtins, name, None)
        return y

    rows = measured("numpy", "naive", breaking, "shifted")
    broken = of(rows, "formula_1")
    assert (broken["crashed"] == broken["components"]).all()
    assert (of(rows, "^shifted")["crashed"] == 0).all()


def test_what_cannot_be_put_back_is_said(tmp_path: Path) -> None:
    def leave_for_good() -> None:
        os.chdir("/")
        gone.rmdir()

    gone = tmp_path / "gone"
    gone.mkdir()
    os.chdir(gone)
    words = r"folder '.*\.\.\. -> '/'\), which cannot be put back: FileNotFoundError"
    with one_thread(), pytest.raises(UnsteadyError, match=words), untouched("it"):
        leave_for_good()


def test_objects_of_the_formulas_own_are_not_asked() -> None:
    class Refusing:
        def __call__(self, *_: object) -> None: ...

        def __eq__(self, other: object) -> bool:
            raise RuntimeError("no")

        __repr__ = __str__ = __eq__  # type: ignore[assignment]
        __hash__ = None  # type: ignore[assignment]

    with (
        one_thread(),
        pytest.raises(UnsteadyError, match=r"\(call None -> Refusing\)$"),
        untouched("it"),
    ):
        np.seterrcall(Refusing())
    assert np.geterrcall() is None


# --- warnings -----------------------------------------------------------------------------------


def test_catching_warnings_within_is_no_change() -> None:
    before = filters()
    with one_thread(), untouched("it"), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.warn("planted", UserWarning, stacklevel=1)
    assert [str(one.message) for one in caught] == ["planted"]
    assert filters() == before


def test_a_warning_is_decided_anew_after_filters_are_put_back() -> None:
    def warn() -> None:
        warnings.warn_explicit("planted", UserWarning, "planted.py", 1, registry=registry)

    def ignore() -> None:
        warnings.simplefilter("ignore")
        warn()

    registry: dict[Any, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        with one_thread(), pytest.raises(UnsteadyError, match="filters"), untouched("it"):
            ignore()
        with pytest.warns(UserWarning, match="planted"):
            warn()


def test_filters_that_come_with_an_import_are_undone_but_nobodys_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "filtering_module.py").write_text(
        "import warnings\nwarnings.filterwarnings('ignore', message='planted')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    before = filters()

    def importing(xp: Any, x: Any) -> Any:
        importlib.import_module("filtering_module")
        return shifted(xp, x)

    try:
        assert fpstudy.measure(importing, "softmax", samples=2)["crashed"].tolist() == [0]
    finally:
        del sys.modules["filtering_module"]
    assert filters() == before


# --- where it looks -----------------------------------------------------------------------------


def test_the_librarys_kernels_are_watched_and_fpstudys_texts_by_the_processor_alone() -> None:
    ours = PROBLEMS["softmax"].formulas["shifted"]
    assert ours.ours and ours.chosen({"compute": "float64"}).ours
    planted = Formula(shifted)
    assert not planted.ours and not planted.chosen({"compute": "float64"}).ours
    for arithmetic in ARITHMETICS:
        own = evaluators.formulas("softmax", arithmetic).get("library")
        assert own is None or not own.ours


def test_a_planted_formula_of_the_problem_is_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    def changing(xp: Any, x: Any, *, axis: int = -1) -> Any:
        mpmath.mp.prec = 99
        return softmax.formulas["shifted"].text(xp, x, axis=axis)

    softmax = PROBLEMS["softmax"]
    formulas = softmax.formulas | {"naive": Formula(changing)}
    monkeypatch.setitem(PROBLEMS, "softmax", replace(softmax, formulas=formulas))
    rows = measured("numpy", "naive", "shifted")
    assert of(rows, "naive")["reason"].str.contains("mp.prec 53 -> 99").all()
    assert (of(rows, "shifted")["crashed"] == 0).all()


def test_looking_loads_no_library() -> None:
    code = (
        "import sys; from fpstudy.environment.canary import untouched\n"
        "with untouched('it'): pass\n"
        "print({'torch', 'jax', 'mpmath', 'scipy'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


def test_a_control_word_is_probed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    if floating_point._control(floating_point._saved_state()) == ():
        pytest.skip("the layout of fenv_t is not known here")
    probes = []
    probe = floating_point._as_standard
    monkeypatch.setattr(floating_point, "_known", set())
    monkeypatch.setattr(floating_point, "_as_standard", lambda: probes.append(1) or probe())
    for _ in range(3):
        with steady("it"):
            pass
    assert len(probes) == 1
    monkeypatch.setattr(floating_point, "_WORDS", None)  # as on a machine that is not known
    with steady("it"):
        pass
    assert len(probes) == 3
