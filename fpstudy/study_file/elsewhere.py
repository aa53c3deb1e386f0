"""Keys that people look for in a study file, and where what they want is said instead.

A study says what is measured. How it is carried out, in how many processes, for how long, where to,
is no part of it: that is said on the command line, and the results do not depend on it.
"""

_OPTIONS = {  # an option of `fpstudy run`: keys that mean it
    "--jobs N": ("jobs", "workers", "n_workers", "n_jobs", "processes", "threads", "parallel"),
    "--timeout SECONDS": ("timeout", "timeout_s", "timeout_seconds", "time_limit", "deadline"),
    "--scheduler ADDRESS": ("scheduler", "dask", "cluster"),
    "--out DIR": ("out", "output", "dir", "out_dir", "output_dir", "outdir", "folder"),
    "--only COLUMN=VALUE": ("only",),
    "--fresh": ("fresh", "resume"),
    "--no-figures": ("figures", "plots"),
    "--allow-code MODULE": ("allow_code", "allow-code", "code", "plugins"),
}
_ALL = "--jobs N, --timeout SECONDS, --scheduler ADDRESS, --out DIR"
_SAID = _OPTIONS | {_ALL: ("run", "execution", "runner")}
COMMAND_LINE = {
    key: f"it is said on the command line: fpstudy run {option}"
    for option, keys in _SAID.items()
    for key in keys
}
STUDY_TABLES = {
    "grid": "axes are crossed within a [[sweep]]",
    "axes": "axes are crossed within a [[sweep]]",
    "zip": "axes are crossed; values that go together make a [[sweep]] of their own",
    "formulas": 'they are named in a [[sweep]]: formula = "all"',
    "experiment": "its name and seed stand above the first [table]: name = ..., seed = 0",
    "study": "its name and seed stand above the first [table]: name = ..., seed = 0",
    "truth": 'what computes the exact values is engine = "double_double", above the first [table]',
    "version": "the version of the file's format is schema = 1",
    "include": "a study is one file",
    "extends": "a study is one file",
}
