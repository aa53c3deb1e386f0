"""The arithmetics, one file each: what carries out a formula."""

EVALUATORS: tuple[str, ...] = ("numpy",)
