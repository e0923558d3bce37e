"""Is this reply right, and what is wrong with it: checkers, verdicts and session rewards.

Imports numpy and small text libraries only; knows nothing of environments, policies or trainers.
"""

from corgi_gym.rewards.compose import AllOf, Scaled, scale
from corgi_gym.rewards.registry import (
    Example,
    NamedChecker,
    as_verdict,
    check_examples,
    checker,
    checker_names,
    get_checker,
    is_slow,
    judge,
)
from corgi_gym.rewards.session import SessionReward, make_session_reward
from corgi_gym.rewards.verdict import Checker, Problem, Verdict

__all__ = [
    "AllOf",
    "Checker",
    "Example",
    "NamedChecker",
    "Problem",
    "Scaled",
    "SessionReward",
    "Verdict",
    "as_verdict",
    "check_examples",
    "checker",
    "checker_names",
    "get_checker",
    "is_slow",
    "judge",
    "make_session_reward",
    "scale",
]
