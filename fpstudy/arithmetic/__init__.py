"""The arithmetics, one file each: what carries out a formula.

A study names one by its file, then what varies in it: "numpy", "rounded", "torch", "torch.compile",
"jax.jit", and ":cuda" for a GPU. To add one: write its file with `refusal`, `evaluate` and LIBRARY,
and name it here and in fpstudy/arithmetic/evaluators.py.
"""

EVALUATORS: tuple[str, ...] = (
    "numpy",
    "rounded",
    "torch",
    "torch.compile",
    "torch:cuda",
    "torch.compile:cuda",
    "jax",
    "jax.jit",
    "jax:cuda",
    "jax.jit:cuda",
)

# How `rounded` adds up; each also in a wider format, as "sequential:float32". The others add as
# their kernels do: "native".
ORDERS: tuple[str, ...] = ("sequential", "pairwise", "blocked", "kahan", "neumaier", "exact")


def adds(arithmetic: str, accumulation: str) -> bool:
    """Whether the arithmetic knows the accumulation."""
    return (arithmetic == "rounded") != (accumulation == "native")


def usual(arithmetic: str) -> str:
    """The accumulation of an arithmetic where a study names none."""
    return "sequential" if arithmetic == "rounded" else "native"
