"""The terms on which chunks are carried out: how long a formula may take, and what to say."""

from collections.abc import Callable
from dataclasses import dataclass

from fpstudy.cases import Case

Notice = Callable[[str], None]  # something that a user should know before it happens

# The slowest of fpstudy's own formulas, a compensated sum in object arithmetic, takes about 10
# microseconds a number on a machine that does nothing else.
SECONDS, SECONDS_A_NUMBER = 60.0, 5e-5
COMPILER_SECONDS = 600.0  # what torch.compile and jax.jit may take to compile one


@dataclass(frozen=True)
class Terms:
    """What holds for all chunks of a run.

    environment: the id that their rows carry
    timeout:     seconds that the formula of a case may take; by default as `patience` says
    """

    environment: str
    timeout: float | None = None

    def patience(self, case: Case) -> float:
        """Seconds after which a case's formula counts as hung.

        By default a minute, more for long vectors and for what is compiled first.
        """
        if self.timeout is not None:
            return self.timeout
        draw = case.demand.draw
        numbers = draw.samples * draw.rows * draw.n
        compiled = case.arithmetic.startswith(("torch.compile", "jax.jit"))
        return SECONDS + SECONDS_A_NUMBER * numbers + (COMPILER_SECONDS if compiled else 0.0)
