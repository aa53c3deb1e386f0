"""A good study file is read as it is meant, and its JSON Schema describes it."""

import json
import math
import subprocess
import sys
from pathlib import Path

import mpmath
import numpy as np
import pytest

from fpstudy.arithmetic import EVALUATORS
from fpstudy.cases import expand
from fpstudy.formats import FORMATS
from fpstudy.problems import PROBLEMS
from fpstudy.study import Study, StudyError, Sweep, from_keys, json_schema, load, study_of
from fpstudy.study_file.sweep import cases, logits

SWEEP = {"problem": '"softmax"', "dtype": '"float32"'}


def written(folder: Path, text: str) -> Path:
    path = folder / "study.toml"
    path.write_bytes(text.encode())
    return path


def sweep_of(folder: Path, **keys: str) -> Sweep:
    """The sweep that these keys, as TOML writes them, mean."""
    pairs = "\n".join(f"{key} = {value}" for key, value in (SWEEP | keys).items())
    return load(written(folder, f'schema = 1\nname = "s"\n[[sweep]]\n{pairs}\n')).sweep[0]


def test_the_least_study_has_every_default(tmp_path: Path) -> None:
    study = load(
        written(
            tmp_path,
            'schema = 1\nname = "least"\n[[sweep]]\nproblem = "softmax"\ndtype = "float32"\n',
        )
    )
    assert (study.schema_version, study.name, study.title) == (1, "least", "least")
    assert (study.question, study.seed, study.engine) == ("", 0, "double_double")
    assert study.path == tmp_path / "study.toml"
    assert study.text == (tmp_path / "study.toml").read_text()
    sweep = study.sweep[0]
    assert sweep.model_dump() == {
        "problem": ("softmax",), "formula": ("all",), "dtype": ("float32",),
        "arithmetic": ("numpy",), "accumulation": (), "n": (10,),
        "magnitude": (1.0,), "offset": (0.0,),
        "distribution": ("normal",), "vectors": (), "file": None, "base": (None,),
        "beta": (None,), "target": ("random",), "labels": ("hard",), "reduction": ("none",),
        "batch": 32, "ignored": (0.0,), "ignore_index": -100, "masked": (0.0,), "samples": 16,
        "inputs": "shared", "tolerance": 4.0,
    }  # fmt: skip


def test_a_sweep_takes_what_it_lacks_from_defaults(tmp_path: Path) -> None:
    study = load(
        written(
            tmp_path,
            'schema = 1\nname = "d"\n[defaults]\nsamples = 7\ndtype = "float16"\nn = [2, 3]\n'
            '[[sweep]]\nproblem = "softmax"\n[[sweep]]\nproblem = "logsumexp"\nsamples = 9\n',
        )
    )
    assert [sweep.samples for sweep in study.sweep] == [7, 9]
    assert {sweep.dtype for sweep in study.sweep} == {("float16",)}
    assert {sweep.n for sweep in study.sweep} == {(2, 3)}


READINGS = [  # a key, as it is written, and as it is meant
    ("magnitude", "10", (10.0,)),
    ("magnitude", '[1, 2.5, "0x1.8p3"]', (1.0, 2.5, 12.0)),
    ("magnitude", "[5e-324, 1e-310]", (5e-324, 1e-310)),
    ("magnitude", '["0x1p-1074", "0x1p1019"]', (5e-324, 2.0**1019)),
    ("magnitude", '{scale="log10", start=-2, stop=1, num=4}', (0.01, 0.1, 1.0, 10.0)),
    ("magnitude", '{scale="log10", start=-23, stop=23, num=3}', (1e-23, 1.0, 1e23)),
    ("magnitude", '{scale="log10", start=0, stop=1, num=3}', (1.0, 3.1622776601683795, 10.0)),
    ("magnitude", '{scale="log2", start=-1074, stop=1019, num=2}', (5e-324, 2.0**1019)),
    ("magnitude", '{scale="linear", start=1, stop=2, num=2, include=[1, 7]}', (1.0, 2.0, 7.0)),
    ("offset", '{scale="linear", start=0, stop=1, num=11}', tuple(i / 10 for i in range(11))),
    ("offset", '["-0x1.8p-1", "-0x0p0"]', (-0.75, 0.0)),
    ("offset", "[-3, 0, 1e4]", (-3.0, 0.0, 1e4)),
    ("n", "8", (8,)),
    ("n", f"[1, {2**24}]", (1, 2**24)),
    ("distribution", '["equal", "peaked"]', ("equal", "peaked")),
    ("base", "[2, 0.5]", (2.0, 0.5)),
    ("beta", '[1, inf, "-inf"]', (1.0, math.inf, -math.inf)),
    ("masked", "[0, 0.5, 1]", (0.0, 0.5, 1.0)),
    ("tolerance", "0.5", 0.5),
    ("samples", "1_000", 1000),
    ("inputs", '"per_dtype"', "per_dtype"),
    ("formula", '["naive", "shifted"]', ("naive", "shifted")),
]  # fmt: skip


def test_points_of_a_scale_are_correctly_rounded_powers(tmp_path: Path) -> None:
    scale = '{scale="log10", start=-300, stop=300, num=6_001}'
    points = sweep_of(tmp_path, magnitude=scale).magnitude
    with mpmath.workdps(50):
        assert points == tuple(
            float(mpmath.mpf(10) ** (mpmath.mpf(k) / 10)) for k in range(-3_000, 3_001)
        )
    assert points[3_230] == 1e23  # a tie


@pytest.mark.parametrize(("key", "text", "meant"), READINGS)
def test_values_are_read_as_they_are_meant(
    tmp_path: Path, key: str, text: str, meant: object
) -> None:
    assert getattr(sweep_of(tmp_path, **{key: text}), key) == meant


def test_the_sign_of_zero_is_kept(tmp_path: Path) -> None:
    assert [math.copysign(1, x) for x in sweep_of(tmp_path, offset="[0.0, -0.0]").offset] == [1, -1]


def test_explicit_vectors_hold_infinities(tmp_path: Path) -> None:
    keys = {"distribution": '"explicit"', "vectors": '[[1000, 0], ["-inf", inf, "0x1p-3"]]'}
    sweep = sweep_of(tmp_path, **keys)
    assert sweep.vectors == ((1000.0, 0.0), (-math.inf, math.inf, 0.125))


def test_labels_are_kinds_or_vectors(tmp_path: Path) -> None:
    keys = {"problem": '"cross_entropy"', "n": "2", "labels": '["hard", [0.5, 0.5]]'}
    assert sweep_of(tmp_path, **keys).labels == ("hard", (0.5, 0.5))
    assert sweep_of(tmp_path, **keys | {"labels": '"soft"'}).labels == ("soft",)


def test_targets_are_drawn_or_indices(tmp_path: Path) -> None:
    keys = {"problem": '"cross_entropy"', "n": "[4, 8]", "target": '["argmax", 3]'}
    assert sweep_of(tmp_path, **keys).target == ("argmax", 3)


def test_batches_with_ignored_rows(tmp_path: Path) -> None:
    keys = {"problem": '"cross_entropy"', "reduction": '["mean", "sum"]', "ignored": "[0, 0.5]"}
    sweep = sweep_of(tmp_path, **keys, batch="8", ignore_index="-1")
    assert (sweep.reduction, sweep.batch) == (("mean", "sum"), 8)
    assert (sweep.ignored, sweep.ignore_index) == ((0.0, 0.5), -1)


@pytest.mark.parametrize("ending", ["npy", "npz", "csv"])
def test_a_file_is_found_beside_the_study(tmp_path: Path, ending: str) -> None:
    (tmp_path / "data").mkdir()
    logits = tmp_path / "data" / f"logits.{ending}"
    if ending == "csv":
        logits.write_text("1,2\n")
    else:
        (np.save if ending == "npy" else np.savez)(logits, np.ones((1, 2)))
    keys = {"distribution": '"file"', "file": f'"data/logits.{ending}"'}
    assert sweep_of(tmp_path, **keys).file == logits.resolve()


ENCODINGS = {
    "lf": lambda text: text.encode(),
    "crlf": lambda text: text.replace("\n", "\r\n").encode(),
    "byte-order mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_encodings_of_text_editors(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "study.toml"
    text = '#:schema ./study.json\nschema = 1\nname = "größe-日本"\n[[sweep]]\n' + "\n".join(
        f"{key} = {value}" for key, value in SWEEP.items()
    )
    path.write_bytes(ENCODINGS[encoding](text))
    assert load(path).name == "größe-日本"


NAMES = ["demo", "größe-日本", "हिन्दी", "v1.2_final draft", "nan", "None", "null", "1e5", "_hidden"]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_every_language(tmp_path: Path, name: str) -> None:
    text = f'schema = 1\nname = "{name}"\n[[sweep]]\nproblem = "softmax"\ndtype = "float32"\n'
    assert load(written(tmp_path, text)).name == name


def test_every_problem_format_and_arithmetic_is_known(tmp_path: Path) -> None:
    for name, problem in PROBLEMS.items():
        sweep = sweep_of(
            tmp_path, problem=f'"{name}"', formula=json.dumps(list(problem.formulas)),
            dtype=json.dumps(list(FORMATS)), arithmetic=json.dumps(list(EVALUATORS)),
        )  # fmt: skip
        assert sweep.formula == tuple(problem.formulas)
        assert (sweep.dtype, sweep.arithmetic) == (tuple(FORMATS), EVALUATORS)


def test_a_formula_that_only_some_problems_have_is_fine(tmp_path: Path) -> None:
    sweep = sweep_of(tmp_path, problem='["softmax", "logsumexp"]', formula='["shifted", "power"]')
    assert sweep.formula == ("shifted", "power")


def test_studies_are_frozen_and_can_be_written_in_python() -> None:
    study = Study(schema=1, name="s", sweep=[{"problem": "softmax", "dtype": ["float16"], "n": 4}])
    assert study.sweep[0].n == (4,)
    with pytest.raises(ValueError, match="frozen"):
        study.seed = 2
    with pytest.raises(ValueError, match="sweep: missing"):
        Study(schema=1, name="s")
    with pytest.raises(ValueError, match=r"dtype\[1\]: 'half' is not a dtype.*write float16"):
        Sweep(problem="softmax", dtype=["half"])


SIZES: list[tuple[dict[str, str], int, int]] = [  # keys of a sweep, its cases and its logits
    ({"formula": '"naive"', "n": "[2, 3]", "samples": "4"}, 2, 20),
    ({"formula": '["naive", "power"]', "n": "[2, 3]", "samples": "4"}, 4, 40),
    ({"dtype": '["float16", "float64"]', "samples": "1", "offset": "[0, 1]"}, 20, 200),
    ({"formula": '"power"', "base": "[2, 3]", "masked": "[0, 0.5]", "samples": "1"}, 4, 40),
    ({"base": "[2, 3]", "samples": "1"}, 6, 60),
    ({"beta": "3", "samples": "1"}, 2, 20),
    ({"formula": '"naive"', "distribution": '"explicit"', "vectors": "[[1, 2], [1]]"}, 2, 48),
    ({"formula": '"naive"', "distribution": '["peaked", "explicit"]', "vectors": "[[1]]"}, 2, 176),
    ({"problem": '"cross_entropy"', "formula": '"shifted"', "target": '["random", 1]',
      "labels": '["hard", "smoothed"]', "reduction": '["mean", "sum"]', "batch": "8",
      "samples": "2"}, 8, 1280),
    ({"problem": '"cross_entropy"', "formula": '"shifted"', "reduction": '"mean"', "batch": "8",
      "ignored": "[0, 0.5]", "samples": "2"}, 2, 320),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "count", "numbers"), SIZES)
def test_the_size_is_counted_as_the_grid_is_built(
    tmp_path: Path, keys: dict[str, str], count: int, numbers: int
) -> None:
    sweep = sweep_of(tmp_path, **keys)
    assert (cases(sweep), logits(sweep)) == (count, numbers)
    assert len(expand(load(tmp_path / "study.toml"))) == count


def test_every_experiment_is_a_study() -> None:
    experiments = Path(__file__).parent.parent / "experiments"
    for path in sorted(experiments.glob("*.toml")):
        assert load(path).name


def test_json_schema_describes_every_key() -> None:
    schema = json_schema()
    tables = [schema, *schema["$defs"].values()]
    assert all(key["description"] for table in tables for key in table["properties"].values())
    assert set(schema["required"]) == {"schema", "name"}
    assert schema["properties"]["schema"]["const"] == 1
    sweep = schema["$defs"]["Sweep"]
    assert set(sweep["properties"]) == set(Sweep.model_fields)
    assert "required" not in sweep  # problem and dtype may stand in [defaults]
    assert sweep["properties"]["dtype"]["anyOf"][0]["anyOf"][0]["enum"] == list(FORMATS)
    assert "scale" in sweep["properties"]["magnitude"]["anyOf"][-1]["properties"]
    json.dumps(schema, allow_nan=False)


def test_reading_a_study_loads_no_plotting_and_no_tables() -> None:
    code = "import sys, fpstudy.study; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    assert not {"pandas", "matplotlib"} & set(modules.decode().split())


@pytest.mark.parametrize(
    ("defaults", "sweep"),
    [
        ("target = 'argmax'\nlabels = 'soft'", "problem = 'softmax'"),
        ("reduction = 'mean'\nbatch = 4\nignored = 0.5", "problem = 'logsumexp'"),
        ("batch = 4", "problem = 'cross_entropy'"),
        ("n = 3\nmagnitude = 2", "problem = 'softmax'\ndistribution = 'explicit'\nvectors = [[1]]"),
        ("vectors = [[1, 2]]", "problem = 'softmax'"),
        ("beta = 2", "problem = ['softmax', 'logsumexp']"),
    ],
)
def test_a_sweep_leaves_alone_the_defaults_that_mean_nothing_to_it(
    tmp_path: Path, defaults: str, sweep: str
) -> None:
    path = tmp_path / "study.toml"
    path.write_text(
        f"schema = 1\nname = 'd'\n[defaults]\n{defaults}\n[[sweep]]\ndtype = 'float32'\n{sweep}\n"
    )
    keys = {line.partition(" =")[0] for line in defaults.splitlines()}
    assert not keys & load(path).sweep[0].model_fields_set


def test_keys_of_a_program_are_those_of_a_file(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.ones((2, 3)))
    lines = [
        'schema = 1', 'name = "s"', '[[sweep]]', 'problem = "softmax"', 'dtype = ["float32"]',
        'n = [8, 9]', 'magnitude = [0.5, 2.0]', 'samples = 3', '[[sweep]]', 'problem = "softmax"',
        'dtype = "float16"', 'distribution = "file"', 'file = "x.npy"',
    ]  # fmt: skip
    of_file = load(written(tmp_path, "\n".join(lines)))
    sweeps = (
        {
            "problem": "softmax", "dtype": ("float32",), "n": range(8, 10),
            "magnitude": np.array([0.5, 2.0]), "samples": np.int64(3),
        },
        {
            "problem": "softmax", "dtype": "float16", "distribution": "file",
            "file": tmp_path / "x.npy",
        },
    )  # fmt: skip
    of_keys = study_of({"name": "s", "sweep": sweeps})
    assert study_of(of_keys) is of_keys and study_of(of_file.path) == of_file
    assert of_keys.path is None and of_keys.text == ""
    assert of_keys == of_file.model_copy(update={"path": None, "text": ""})


def test_a_mistake_in_the_defaults_of_keys_is_told_once() -> None:
    sweeps = [{"problem": "softmax"}, {"problem": "logsumexp"}]
    with pytest.raises(StudyError, match=r"\Adefaults\.dtype: 'flot16' is not a dtype[^\n]*\Z"):
        from_keys({"name": "s", "defaults": {"dtype": "flot16"}, "sweep": sweeps})


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    """A report keeps the name alone, with one digest."""
    for folder in ("aa", "bb"):
        (tmp_path / folder).mkdir()
        np.save(tmp_path / folder / "x.npy", np.ones((2, 3)))
    sweep = {"problem": "softmax", "dtype": "float16", "distribution": "file"}

    def sweeps(*files: str) -> dict[str, object]:
        return {"name": "s", "sweep": [sweep | {"file": file} for file in files]}

    assert len(from_keys(sweeps("aa/x.npy", "bb/../aa/x.npy"), tmp_path).sweep) == 2
    with pytest.raises(StudyError, match=r"sweep\[2\]\.file: .*/aa/x\.npy and .*/bb/x\.npy\Z"):
        from_keys(sweeps("aa/x.npy", "bb/x.npy"), tmp_path)
