"""A short story with 20 to 30 given words: the checker of the `concepts_hard` family.

Source: CommonGen-Hard (Madaan et al., arXiv 2303.17651) as used by CORGI (arXiv 2411.01483): right
if the lemmas of all concepts occur in the first sentence.

What is different here, and why:

- There, a list of the words passes. Here each sentence is judged as in `corgi_gym.rewards.concepts`
  (a grammar, something must happen, the words are used and not listed).
- Twenty words in one sentence make no English sentence, so two to eight sentences are asked for.
  Three sentences of one frame, or two that differ in the given words only, are a list again.
- The score is ``coverage * (0.15 + 0.85 * form)``, as there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from corgi_gym.rewards._wordlists import PREPOSITIONS
from corgi_gym.rewards.compose import BELOW_ONE
from corgi_gym.rewards.concepts import (
    _ABOUT_TASK,
    _FILLERS,
    _TOKEN,
    COVERAGE_BASE,
    MAX_PROBLEMS,
    _listed,
    _uses,
)
from corgi_gym.rewards.lexicon import CLOSED, lemmas
from corgi_gym.rewards.passage import examine_passage
from corgi_gym.rewards.registry import checker
from corgi_gym.rewards.sentence import NO_SENTENCE
from corgi_gym.rewards.text import listing
from corgi_gym.rewards.verdict import Problem, Verdict

MIN_SENTENCES, MAX_SENTENCES = 2, 8
# 30 given words are at most half of a natural text.
MAX_WORDS = 160
# Given words that follow each other through prepositions alone ("the dog with the ball in the park
# near the tree"); five occur in the witnesses, six are a list.
MAX_CHAIN = 5
# Sentences with one frame of small words.
MAX_SAME_FRAME = 2
# Missing words that one message names: enough to work on, and the feedback stays short.
MAX_MISSING = 8

_PAIR = {"concepts": ["dog", "chase", "ball", "cook", "boil", "egg"]}


@checker(
    "concepts_hard",
    examples=[
        ("The dog chased a red ball. A cook boiled the eggs in the kitchen.", _PAIR, True),
        ("The dog chased a ball. The cook slept.", _PAIR, False),
        ("Dog, chase, ball, cook, boil, egg.", _PAIR, False),
        ("I see a dog. I see a chase. I see a ball. A cook boiled an egg.", _PAIR, False),
        ("The dog and the ball and the cook are here. The chase boils an egg.", _PAIR, False),
    ],
)
def concepts_hard(reply: str, target: Any) -> Verdict:
    """Judge a story against ``target = {"concepts": [lemma, ...]}``.

    Example:
        >>> concepts_hard("The dog ran home. A cook boiled the eggs.", _PAIR).problems[0].message
        'Your story is missing: chase and ball.'
    """
    given: list[str] = list(target["concepts"])
    asked = frozenset(given)
    passage = examine_passage(
        reply, MIN_SENTENCES, MAX_SENTENCES, MAX_WORDS, apart=given, events=True
    )
    if not passage.sentences:
        return Verdict.wrong(0.0, *passage.problems)
    tokens = _TOKEN.findall(reply)
    uses = _uses(tokens, given)
    missing = [word for word in given if not uses[word]]
    coverage = 1.0 - len(missing) / len(given)
    problems = []
    if missing:
        more = " and more" if len(missing) > MAX_MISSING else ""
        text = f"Your story is missing: {listing(missing[:MAX_MISSING])}{more}."
        problems.append(Problem("missing", text))
    form = passage.form
    told = [_Sentence(sentence, asked) for sentence in passage.sentences]
    talk = _ABOUT_TASK.difference(given).intersection(token.lower() for token in tokens)
    if talk or any(_listed(one.tokens, one.places) or _chained(one) for one in told):
        problems.append(Problem("list", "Do not list the words: tell what happens."))
        form = min(form, NO_SENTENCE)
    frame = _same_frame(told)
    if frame:
        problems.append(frame)
        form = min(form, NO_SENTENCE)
    problems.extend(passage.problems)
    metrics = {"coverage": coverage, "form": form}
    if not problems:
        return Verdict.ok(**metrics)
    score = coverage * (COVERAGE_BASE + (1.0 - COVERAGE_BASE) * form)
    return Verdict.wrong(min(score, BELOW_ONE), *problems[:MAX_PROBLEMS], **metrics)


class _Sentence:
    """A sentence in small letters, and where its given words stand."""

    def __init__(self, text: str, given: frozenset[str]) -> None:
        self.tokens: list[str] = list(map(str.lower, _TOKEN.findall(text)))
        self.places = [
            i for i, token in enumerate(self.tokens) if not lemmas(token).isdisjoint(given)
        ]


def _chained(sentence: _Sentence) -> bool:
    """Whether more than five given words hang together by prepositions alone."""
    run, linked = 0, True
    places = frozenset(sentence.places)
    for i, token in enumerate(sentence.tokens):
        if i in places:
            run = run + 1 if linked else 1
            linked = False
            if run > MAX_CHAIN:
                return True
        elif token in PREPOSITIONS:
            linked = True
        elif token not in _FILLERS:
            run = 0
    return False


def _same_frame(sentences: Sequence[_Sentence]) -> Problem | None:
    """Report sentences built alike around the given words."""
    frames: Counter[tuple[str, ...]] = Counter()
    skeletons: Counter[tuple[str, ...]] = Counter()
    for sentence in sentences:
        frame = list(sentence.tokens)
        for place in sentence.places:
            frame[place] = "_"
        frames[tuple(frame)] += 1
        skeletons[tuple([t if t in CLOSED else "_" for t in sentence.tokens])] += 1
    if max(skeletons.values()) <= MAX_SAME_FRAME and max(frames.values()) < MAX_SAME_FRAME:
        return None
    text = "Several of your sentences are built alike. Tell one story, in different sentences."
    return Problem("frame", text)
