"""Constraints on texts as data: a language, its meaning, English for it, and contradictions.

- `language`: plain dicts to nodes, with errors that name the wrong field.
- `segments`: paragraphs, lines, sentences, words, characters.
- `evaluate`: does a constraint hold, and what is there instead.
- `describe`: an English sentence for a constraint.
- `conflicts`: sets that no text can satisfy.
- `floor`: what makes a reply a text; `checker`: the checker ``constraint_grammar``.
"""

from corgi_gym.rewards.constraints.checker import constraint_grammar, parse_target
from corgi_gym.rewards.constraints.conflicts import check_satisfiable, find_conflict
from corgi_gym.rewards.constraints.describe import describe
from corgi_gym.rewards.constraints.evaluate import holds
from corgi_gym.rewards.constraints.language import ConstraintError, ConstraintSet, parse, to_data
from corgi_gym.rewards.constraints.segments import LEVELS, Passage

__all__ = [
    "LEVELS",
    "ConstraintError",
    "ConstraintSet",
    "Passage",
    "check_satisfiable",
    "constraint_grammar",
    "describe",
    "find_conflict",
    "holds",
    "parse",
    "parse_target",
    "to_data",
]
