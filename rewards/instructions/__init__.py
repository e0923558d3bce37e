"""Verifiable instructions: the 25 kinds of IFEval, 25 of our own, one checker.

A theme is a file (keywords, length, case, formats, edges, own_*): plain functions that say what is
wrong, and a table of its kinds. `registry.KINDS` is the table of all. A new kind is one function
and one row.
"""

from corgi_gym.rewards.instructions.checker import MODES, instruction_following, read_target
from corgi_gym.rewards.instructions.conflicts import conflicts
from corgi_gym.rewards.instructions.registry import KINDS, kind_names

__all__ = ["KINDS", "MODES", "conflicts", "instruction_following", "kind_names", "read_target"]
