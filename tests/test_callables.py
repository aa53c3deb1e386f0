"""Callables and code of the user's own: scored, recorded, and run only when allowed."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import fpstudy
from fpstudy.cli import main
from fpstudy.user_code import Code, CodeError, load


def shifted(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True))


def test_a_callable_scores_as_the_formula_that_it_is() -> None:
    found = fpstudy.measure(shifted, "softmax", dtype="float16", n=[4, 30], magnitude=[1, 10])
    assert found["formula"].tolist() == ["shifted"] * 4
    assert (found["samples"] == 16).all()
    again = fpstudy.measure(
        lambda xp, x: shifted(x), "softmax", dtype="float16", n=[4, 30], magnitude=[1, 10]
    )
    np.testing.assert_array_equal(found["ulp_error_max"], again["ulp_error_max"])
    assert 0 < found["ulp_error_max"].max() < 30


def test_given_logits_and_labels_reach_the_callable() -> None:
    seen = []

    def loss(x: np.ndarray, q: np.ndarray) -> np.ndarray:
        seen.append((x.copy(), q.copy()))
        return -np.log((shifted(x) * q).sum(axis=-1))

    rows = [[1000, 0], [1, 2.5]]
    found = fpstudy.measure(loss, "cross_entropy", dtype="float16", logits=rows, target=1)
    (x, q), *_ = seen
    assert x.dtype == q.dtype == np.float16
    assert x.tolist() == rows
    assert q.tolist() == [[0, 1], [0, 1]]
    assert found["spurious_overflow"].tolist() == [1]  # -log 0 where the loss is 1000
    assert found["distribution"].tolist() == ["given"]


def test_parameters_reach_the_callable() -> None:
    def tempered(x: np.ndarray, beta: np.ndarray) -> np.ndarray:
        return shifted(beta * x)

    found = fpstudy.measure(tempered, "softmax", beta=3.0, samples=4)
    assert found["beta"].tolist() == [3.0]
    assert found["ulp_error_max"].max() < 30


@pytest.mark.parametrize(
    ("function", "outcome", "reason"),
    [
        (lambda x: 1 / 0, "crashed", "ZeroDivisionError"),
        (lambda x: x.astype(np.float64), "bad_output", "returned float64, not float32"),
        (lambda x: x[:, :1], "bad_output", "returned"),
        (lambda x: "text", "bad_output", "returned"),
    ],
)
def test_a_faulty_callable_is_an_outcome(function, outcome: str, reason: str) -> None:
    found = fpstudy.measure(function, "softmax")
    assert found[outcome].tolist() == found["components"].tolist() == [160]
    assert reason in found["reason"][0]
    assert np.isinf(found["relative_error_median"][0])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"problem": "sofmax"}, "did you mean softmax?"),
        ({"problem": "softmax", "dtype": "half"}, "write float16"),
        ({"problem": "softmax", "n": 0}, "n"),
        ({"problem": "softmax", "logits": [[1.0, np.nan]]}, "logits: NaN at row 0, column 1"),
        ({"problem": "softmax", "logits": [[1e6]], "dtype": "float16"}, "beyond the largest"),
    ],
)
def test_wrong_arguments_are_refused(arguments: dict, words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("?", r"\?")):
        fpstudy.measure(shifted, **arguments)


CODE = """
import numpy as np
def mine(x, **parameters):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
number = 3
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    (tmp_path / "formulas_of_mine.py").write_text(CODE)
    path = tmp_path / "s.toml"
    path.write_text(
        'schema = 1\nname = "s"\n[[sweep]]\nproblem = "softmax"\ndtype = "float32"\nn = 5\n'
        'formula = ["shifted", "formulas_of_mine:mine"]\n'
    )
    return path


def fpstudy_run(*arguments: str | Path):
    return CliRunner().invoke(main, ["run", *map(str, arguments)])


def test_code_of_a_study_runs_only_when_allowed(study: Path, tmp_path: Path) -> None:
    refused = fpstudy_run(study, "--out", tmp_path / "out")
    assert refused.exit_code == 2
    assert "allow it by --allow-code formulas_of_mine" in refused.stderr
    assert not (tmp_path / "out").exists()
    allowed = fpstudy_run(study, "--out", tmp_path / "out", "--allow-code", "formulas_of_mine")
    assert allowed.exit_code == 0, allowed.output
    rows = (tmp_path / "out" / "summary.csv").read_text().splitlines()
    assert sum("formulas_of_mine:mine" in row for row in rows) == 1


def test_a_plan_and_the_schema_import_no_code(study: Path, tmp_path: Path) -> None:
    (tmp_path / "formulas_of_mine.py").write_text("raise SystemExit('imported')\n")
    planned = CliRunner().invoke(main, ["plan", str(study)])
    assert planned.exit_code == 0, planned.output
    assert "2 cases" in planned.stdout


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("formulas_of_mine:missing", "has no missing"),
        ("formulas_of_mine:number", "number is int, not a function"),
        ("no_such_module_here:f", "importing no_such_module_here failed: ModuleNotFoundError"),
        ("broken_module_of_mine:f", "importing broken_module_of_mine failed: ZeroDivisionError"),
    ],
)
def test_code_that_cannot_be_used_is_said(study: Path, name: str, words: str) -> None:
    (study.parent / "broken_module_of_mine.py").write_text("1 / 0\n")
    code = Code((name.partition(":")[0],), study.parent)
    with pytest.raises(CodeError, match=words):
        load(name, code)


@pytest.mark.parametrize("name", ["a:b:c", "..mine:f", "mine:", ":f", "mine:f()", "m:__class__"])
def test_what_is_no_name_of_code_is_refused_by_the_study(study: Path, name: str) -> None:
    study.write_text(study.read_text().replace("formulas_of_mine:mine", name))
    result = fpstudy_run(study)
    assert result.exit_code == 2
    assert "sweep[1].formula[2]" in result.stderr
