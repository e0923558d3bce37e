"""A task, a reply, the next message: the multi-turn environments and their task families.

Knows `corgi_gym.rewards` and Gymnasium; knows nothing of policies or trainers.
"""

from corgi_gym.envs.feedback import LEVELS, FeedbackLevel, feedback
from corgi_gym.envs.guided import GuidedEnv
from corgi_gym.envs.spaces import ChatText
from corgi_gym.envs.task import SPLITS, Draft, Split, Task, TaskSource, stable_hash
from corgi_gym.envs.tasks import FAMILIES, SUITES, family_names, load_family, make_sources
from corgi_gym.envs.vector import GuidedVectorEnv

__all__ = [
    "FAMILIES",
    "LEVELS",
    "SPLITS",
    "SUITES",
    "ChatText",
    "Draft",
    "FeedbackLevel",
    "GuidedEnv",
    "GuidedVectorEnv",
    "Split",
    "Task",
    "TaskSource",
    "family_names",
    "feedback",
    "load_family",
    "make_sources",
    "stable_hash",
]
