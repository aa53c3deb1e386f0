"""The environment as a reader wants it: one line each, of old manifests what they have."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fpstudy.environment import differences


def surroundings(manifest: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Names and values: the id first, then what it was made from; "" where nothing is recorded."""
    yield "environment", str(manifest.get("environment", ""))
    cpu = manifest.get("cpu", {})
    yield "processor", " ".join(str(cpu[key]) for key in ("model", "machine") if key in cpu)
    yield "SIMD in use", _simd(manifest.get("simd", {}))
    yield "BLAS", " ".join(manifest.get("blas", {}).values())
    yield "libm", str(manifest.get("libm", ""))
    yield "threads", _threads(manifest.get("threads", {}))
    yield "rounding and subnormals", _alike(manifest.get("floating_point", {}))
    settings = manifest.get("settings")
    if settings is not None:
        told = ", ".join(f"{name}={value}" for name, value in settings.items())
        yield "settings that choose kernels", told or "none"
    gpu = manifest.get("gpu") or {}
    if gpu:
        packages = (f"{name} {version}" for name, version in gpu.get("packages", {}).items())
        yield "GPU", "; ".join([*gpu.get("devices", []), ", ".join(packages)])
    if manifest.get("compiler"):
        yield "compiler", str(manifest["compiler"])
    for other, how in manifest.get("other_environments", {}).items():
        yield f"some rows are of environment {other}", "; ".join(how)


def _simd(simd: Mapping[str, Any]) -> str:
    """What NumPy may use, what its exp does use, and torch's capability."""
    if "numpy" not in simd:
        return ""
    exp = {
        target: None
        for name, target in simd["numpy"]["kernels"].items()
        if name in ("float32 exp", "float64 exp")
    }
    told = f"NumPy {' '.join(simd['numpy']['enabled'])}"
    told += f", its exp {' and '.join(exp)}" if exp else ""
    return told + (f"; torch {simd['torch']}" if "torch" in simd else "")


def _threads(threads: Mapping[str, str]) -> str:
    """How many while a formula is computed, as "1 for openblas and torch, of 8 cores"."""
    if not threads:
        return ""
    pools = {name: count for name, count in threads.items() if name != "cores"}
    told = [
        f"{count} for {' and '.join(name for name in pools if pools[name] == count)}"
        for count in dict.fromkeys(pools.values())
    ]
    return f"{', '.join([*told, 'of']) if told else '1 of'} {threads.get('cores')} cores"


def _alike(modes: Mapping[str, str]) -> str:
    """The formats of each mode: "to nearest even, subnormals kept (float32, float64)"."""
    return "; ".join(
        f"{how} ({', '.join(name for name in modes if modes[name] == how)})"
        for how in dict.fromkeys(modes.values())
    )


def unlike(manifests: Sequence[tuple[str, Mapping[str, Any]]]) -> list[tuple[str, str]]:
    """Reports by environment, and how each differs from the first: empty where all are alike.

    manifests: names of reports with their manifests; one without an id is of an unknown environment
    """
    groups: dict[str, list[str]] = {}
    of: dict[str, Mapping[str, Any]] = {}
    for name, manifest in manifests:
        key = str(manifest.get("environment") or "not recorded")
        groups.setdefault(key, []).append(name)
        of.setdefault(key, manifest)
    known = [key for key in groups if key != "not recorded"]
    if len(groups) < 2:
        return []
    rows = []
    for key, names in groups.items():
        how = "; ".join(differences(of[known[0]], of[key])) if key in known[1:] else ""
        rows.append((", ".join(names), f"{key}: {how}" if how else key))
    return rows
