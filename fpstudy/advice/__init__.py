"""Which dtype, accumulation and formula meet a tolerance on given logits, with the evidence.

A question (question.py) names the problem, the logits and the limits; its candidates (candidate.py)
are tried against the proven truth (trial.py); the advice (advice.py) is the cheapest that meets all
limits without a failure, told in words (words.py).
"""

from fpstudy.advice.advice import Advice, advise

__all__ = ["Advice", "advise"]
