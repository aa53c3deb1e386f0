"""What people call number formats and arithmetics elsewhere, and what to write here instead."""

import re

from fpstudy.formats import FORMATS

ENGINES = ("double_double", "arb", "mpmath")  # of the truth

_DTYPES = {  # other names, each with the format that it means
    "half": "float16",
    "fp16": "float16",
    "f16": "float16",
    "f2": "float16",
    "bf16": "bfloat16",
    "brain": "bfloat16",
    "single": "float32",
    "fp32": "float32",
    "f32": "float32",
    "f4": "float32",
    "double": "float64",
    "fp64": "float64",
    "f64": "float64",
    "f8": "float64",
    "e4m3": "float8_e4m3fn",
    "e4m3fn": "float8_e4m3fn",
    "fp8_e4m3": "float8_e4m3fn",
    "float8_e4m3": "float8_e4m3fn",
    "e5m2": "float8_e5m2",
    "fp8_e5m2": "float8_e5m2",
}
_PREFIX = re.compile(r"^(np|numpy|torch|jnp|jax\.numpy|tf|ml_dtypes)\.|^[<>=|](?=[a-z]\d$)")


def dtype_hint(name: str) -> str | None:
    """What to write for a dtype name that is not ours; None when nothing is known of it."""
    plain = _PREFIX.sub("", name.strip()).lower()
    if plain in ("longdouble", "float80", "float96", "float128", "g"):
        return "long double differs by platform (64, 80 or 128 bits)"
    if plain == "float":
        return "write float32 or float64 (it means the one or the other by the library)"
    if plain in ("fp8", "float8"):
        return f"write {' or '.join(known for known in FORMATS if known.startswith('float8'))}"
    meant = plain if plain in FORMATS else _DTYPES.get(plain)
    if meant in FORMATS:
        return f"write {meant}"
    if re.match(r"[<>=|]?[a-zA-Z]\d+(,|$)", name):
        return "NumPy's type codes are not read; write float32 or another format's name"
    return None


def arithmetic_hint(name: str) -> str | None:
    """Why an engine of the truth is no arithmetic of formulas."""
    if name in ENGINES:
        return f'it carries the truth, not formulas; choose it by engine = "{name}"'
    return None
