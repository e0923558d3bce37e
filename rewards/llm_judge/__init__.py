"""A language model as a checker: a rubric, a fence around the reply, and a strict answer.

(Not `corgi_gym.rewards.judge`: that is the function through which environments call checkers.)
"""

from corgi_gym.rewards.llm_judge.judge import Complete, Judge
from corgi_gym.rewards.llm_judge.probes import ProbeReport, ProbeResult, probe_judge, probes
from corgi_gym.rewards.llm_judge.prompt import Message
from corgi_gym.rewards.llm_judge.rubric import Criterion, Rubric

__all__ = [
    "Complete",
    "Criterion",
    "Judge",
    "Message",
    "ProbeReport",
    "ProbeResult",
    "Rubric",
    "probe_judge",
    "probes",
]
