"""What it costs to refuse each bad study, through the real command line, one process for each.

python tests/bad_study_costs.py [WORD]     all of them, or those with the word; prints the dearest

Every refusal ends with exit code 2, within LIMIT_SECONDS (of the processor: those on the clock are
as many where nothing else runs) and LIMIT_MEGABYTES, without a traceback or a character that drives
a terminal, and with the folder as it was; the exit code is 1 else.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from test_bad_studies import BASE, HEAD, NO_FILES, SWEEP, bad_studies, edited, neighbours
from test_logit_files import BAD, SPARSE, sparse

LIMIT_SECONDS, LIMIT_MEGABYTES = 1.0, 200
TIMEOUT = 60
HERE = Path(__file__).resolve().parent
COMMANDS = ("run", "plan")
OF_FILE = BASE.partition("n =")[0] + 'distribution = "file"\nfile = "{}"\n'
SCALE = 'scale = "log10", start = -300, stop = 300, num = 100_000'
SHARED = f"[defaults]\nmagnitude = {{{SCALE}}}\n"
SWEEPS = '[[sweep]]\nproblem = "softmax"\ndtype = "float32"\n' * 20
BLOCKS = [f"blocked[block={i}]" for i in range(1, 30_000)]
LONG_CLAIM = (
    '[[claim]]\nsays = "s"\nkind = "computed"\nproblem = "softmax"\nformula = "naive"\n'
    'dtype = ["float16", "bfloat16", "float32", "float64", "float8_e4m3fn", "float8_e5m2"]\n'
    f"expect = 1\nlogits = [{', '.join(['{0}'] * 1_000)}]\n"
)
TRAPS = {  # of which the tests take the cost too: text of a study
    "fine but for one key": edited("samples = 0"),
    "brackets": "a=" + "[" * 3000 + "]" * 3000,
    "open brackets": "a=" + "[" * (2**20 - 8),
    "dotted key": ".".join(["a"] * 20_000) + " = 1",
    "digits": edited(f"samples = {'9' * 5000}"),
    "power": edited("magnitude = ['0x1p999999']"),
    "quotes": '"' * (2**20 - 8),
    "backslashes": 'a="' + "\\" * (2**20 - 8),
    "headers": "\n".join(f"[a.b{i}.c]" for i in range(4_900)),
    "tables": BASE + "[[sweep]]\nn = 1\n" * 2_000,
    "500 bad tables": "[[sweep]]\nx = 1\n" * 499,
    "500 bad claims": BASE + "[[claim]]\nkind = 'exact'\n" * 499,
    "unknown keys": BASE + "".join(f"magnitud{i} = 1\n" for i in range(4_900)),
    "no numbers": edited(f"n = [{'x,' * 49_000}]".replace("x", "'x'")),
    "repeated numbers": edited(f"n = [{'7,' * 49_000}]"),
    "repeated names": edited(f"dtype = [{'x,' * 49_000}]".replace("x", "'float16'")),
    "vectors": edited("distribution = 'explicit'", f"vectors = [{'[1],' * 19_000}]"),
    "scales by [defaults]": BASE.replace("[[sweep]]", SHARED + "[[sweep]]") + "foo = 1\n" + SWEEPS,
    "a long scale": edited(f"magnitude = {{{SCALE}}}", "foo = 1"),
    "own scales": "".join(
        f"[[sweep]]\nmagnitude = {{{SCALE}, include = {i}}}\n" for i in range(1, 499)
    ),
    "cases of long scales": edited(f"magnitude = {{{SCALE}}}", f"offset = {{{SCALE}}}"),
    "formulas by [defaults]": f"[defaults]\nformula = {BLOCKS}\n" + "[[sweep]]\n" * 499,
    "unknown formulas": edited(f"formula = {[f'shifte{i}' for i in range(40_000)]}"),
    "unknown formulas of sweeps": HEAD
    + "".join(f"{SWEEP}formula = {[f'shifte{k}_{i}' for i in range(90)]}\n" for k in range(499)),
    "large numbers of claims": HEAD + LONG_CLAIM.format("1e9999") * 41,
    "small numbers of claims": HEAD + LONG_CLAIM.format("1e-9999") * 41,
    "large hex floats of claims": HEAD + LONG_CLAIM.format("'0x1p999999'") * 41,
    "small hex floats of claims": HEAD + LONG_CLAIM.format("'0x1p-999999'") * 41,
    "a text of digits": edited(f"magnitude = '{'1' * 10**6}x'"),
    "long text": edited(f"formula = '{'x' * 10**6}'"),
    "comment": "#" * (2**20 - 1),
    "larger": "#" * 2**21,
}


@dataclass(frozen=True)
class Cost:
    """One refusal: seconds on the clock and of the processor, megabytes at the peak, and its fault.

    wrong: what is not as it should be; empty where all is
    """

    name: str
    seconds: float
    processor_seconds: float
    megabytes: float
    wrong: str


def refusal(name: str, command: str, folder: Path) -> Cost:
    """The cost of `python -m fpstudy COMMAND study.toml` in the folder."""
    before = sorted(folder.rglob("*"))
    measure = [sys.executable, "-I", "-S", str(HERE / "process_cost.py"), str(TIMEOUT)]
    done = subprocess.run(
        [*measure, sys.executable, "-m", "fpstudy", command, "study.toml"],
        cwd=folder, capture_output=True, check=True, timeout=2 * TIMEOUT,
    )  # fmt: skip
    found = json.loads(done.stdout)
    code, text = found.pop("exit_code"), found.pop("output")
    faults = {
        f"exit code {code}": code != 2,
        "a traceback": "Traceback" in text,
        "no message": not text.startswith("study.toml"),
        "drives a terminal": not all(line.isprintable() for line in text.split("\n")),
        "wrote something": sorted(folder.rglob("*")) != before,
    }
    wrong = ", ".join(fault for fault, is_so in faults.items() if is_so)
    return Cost(f"{command} {name}", **found, wrong=wrong and f"{wrong}: {text[-300:]}")


def of_text(content: str | bytes) -> Callable[[Path], object]:
    """Writes the study."""
    data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    return lambda folder: (folder / "study.toml").write_bytes(data)


def of_file(name: str, make: Callable[[Path], object]) -> Callable[[Path], object]:
    """Writes a study that reads its logits from the file, which `make` makes."""

    def write(folder: Path) -> None:
        make(folder / name)
        (folder / "study.toml").write_text(OF_FILE.format(name))

    return write


def refused() -> dict[str, Callable[[Path], object]]:
    """All that is to be refused: name, and what makes it in a folder."""
    return (
        {f"trap: {name}": of_text(text) for name, text in TRAPS.items()}
        | {f"study {name}": of_text(content) for name, content in bad_studies()}
        | {
            f"file {name}": of_file(name, lambda path, data=data: path.write_bytes(data))
            for name, (data, _) in BAD.items()
        }
        | {f"sparse {name}": of_file(name, sparse) for name in SPARSE}
        | {
            f"no file: {words}": lambda folder, make=make: make(folder / "study.toml")
            for words, make in NO_FILES.items()
        }
    )


def main(word: str = "") -> int:
    """Measure, print the dearest and all that is wrong; the exit code."""
    costs = []
    for name, make in refused().items():
        if word in name:
            with TemporaryDirectory() as folder:
                neighbours(Path(folder))
                make(Path(folder))
                costs += [refusal(name, command, Path(folder)) for command in COMMANDS]
    print(f"{len(costs)} refusals")
    for what, unit in (("seconds", "s"), ("processor_seconds", "s of the processor"),
                       ("megabytes", "MB")):  # fmt: skip
        for cost in sorted(costs, key=lambda one: -getattr(one, what))[:5]:
            print(f"  {getattr(cost, what):8.2f} {unit}  {cost.name[:70]}")
    dear = [
        cost
        for cost in costs
        if cost.processor_seconds > LIMIT_SECONDS or cost.megabytes > LIMIT_MEGABYTES
    ]
    for cost in dear:
        print(f"too dear: {cost.processor_seconds:.2f} s, {cost.megabytes:.0f} MB  {cost.name}")
    wrong = [cost for cost in costs if cost.wrong]
    for cost in wrong:
        print(f"wrong: {cost.name}: {cost.wrong}")
    return 1 if dear or wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
