"""The problems, one short file each. To add one: write its file and name it in PROBLEMS."""

from fpstudy.problems.cross_entropy import CROSS_ENTROPY
from fpstudy.problems.cross_entropy_gradient import CROSS_ENTROPY_GRADIENT
from fpstudy.problems.log_softmax import LOG_SOFTMAX
from fpstudy.problems.logsumexp import LOGSUMEXP
from fpstudy.problems.problem import Formula, Problem, named
from fpstudy.problems.softmax import SOFTMAX

PROBLEMS: dict[str, Problem] = {
    problem.name: problem
    for problem in (SOFTMAX, LOG_SOFTMAX, LOGSUMEXP, CROSS_ENTROPY, CROSS_ENTROPY_GRADIENT)
}

__all__ = ["PROBLEMS", "Formula", "Problem", "named"]
