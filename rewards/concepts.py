"""One sentence with all given words: the checker of the `concepts` family.

Source: CommonGen-lite and CommonGen-Hard as used by CORGI (arXiv 2411.01483, section 4, and its
released ``critiques.py``): the share of concepts covered by lemma, the share with the right part of
speech, and a language model's yes or no on common sense, averaged.

What is different here, and why:

* The judge of common sense (a 1.1B model) is replaced by a grammar (`corgi_gym.rewards.sentence`):
  reproducible, fast, and able to say what is wrong. The hard variant had no check of form at all,
  so a list of the words passed.
* Part of speech is not compared: a word counts in any form ("a walk", "walking").
* Coverage and form are multiplied, not averaged: ``coverage * (0.15 + 0.85 * form)``. What is no
  sentence has a form of at most 0.15, so stuffing all words earns less than 0.28, while a good
  sentence that lacks one of n words earns ``1 - 1/n``, at least 0.5. A fixed reply that ignores the
  words earns nothing.
* One frame of prepositions ("The fire with the roast near the father ... slept.") fits every third
  set of words, so it is a list: all given words, a verb among them, as nouns with no verb between.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from corgi_gym.rewards._wordlists import EVERYDAY_VERBS, PREPOSITIONS
from corgi_gym.rewards.compose import BELOW_ONE
from corgi_gym.rewards.lexicon import lemmas, readings
from corgi_gym.rewards.registry import checker
from corgi_gym.rewards.sentence import COST, LEAST, MAX_CHARS, NO_SENTENCE, examine
from corgi_gym.rewards.text import listing
from corgi_gym.rewards.verdict import Problem, Verdict

# Share of the score that coverage earns alone; the rest is multiplied by the form. Small, because
# with 0.4 a 135M model in training settled on lists of all the words and never found a sentence.
COVERAGE_BASE = 0.15
# With a larger share of given words, what is no good sentence is a list with glue.
MAX_GIVEN_SHARE = 0.75
# A small model reads the feedback: the missing words, and at most two more problems.
MAX_PROBLEMS = 3
# Given words that are joined by commas and these words alone are listed, not used; so many are too
# many. Two are not ("a hat and a scarf").
LISTED = 3
_FILLERS = frozenset(["a", "an", "the", "my", "his", "her", "their", "our", "some", "then"])
_JOINTS = frozenset((",", "and", "or"))
# Prepositions that are no verbs ("the girls like the dog") and stand before none ("to walk"), and
# what strings nouns together.
_BEFORE_NOUN = PREPOSITIONS - {"like", "to"}
_LINKS = _BEFORE_NOUN | {"to", "and", "or"}
# Words before a noun that are no subjects themselves ("that walks", "two walk").
_DETERMINERS = _FILLERS - {"then"} | {"any", "every", "another", "no", "this", "your", "its"}
_VERBS = frozenset(("VB", "VBP", "VBZ", "VBD", "VBN", "VBG"))
_NOUNS = frozenset(("Ns", "Nm", "Np"))

_TOKEN = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*['\u2019]?|[,;/&]")
# A reply about the task instead of a scene ("This is a sentence about a dog").
_ABOUT_TASK = frozenset(
    ["sentence", "sentences", "word", "words", "scene", "scenes", "concept", "concepts", "prompt"]
)
_DOG = {"concepts": ["dog", "chase", "ball"]}


@checker(
    "concepts",
    examples=[
        ("The dog chased a red ball across the park.", _DOG, True),
        ("Two dogs are chasing their ball in the garden.", _DOG, True),
        ("The dog chased a stick across the park.", _DOG, False),
        ("dog, chase, ball", _DOG, False),
        ("Dog chase ball.", _DOG, False),
        ("The dog and the ball and the chase are here.", _DOG, False),
        ("The dog chased the dog ball.", _DOG, False),
        ("The dog with the ball near the chase slept.", _DOG, False),
        (
            "Music cloud's cloud and star's ash smoke to the forest, ash smoke.",
            {"concepts": ["music", "cloud", "star", "ash", "smoke", "forest"]},
            False,
        ),
    ],
)
def concepts(reply: str, target: Any) -> Verdict:
    """Judge one sentence against ``target = {"concepts": [lemma, ...]}``.

    Example:
        >>> concepts("The dog ran across the park.", _DOG).problems[0].message
        'Your sentence is missing: chase and ball.'
    """
    given: list[str] = list(target["concepts"])
    if len(reply.strip()) > MAX_CHARS:
        return Verdict.wrong(0.0, *examine(reply).problems)
    tokens = _TOKEN.findall(reply)
    uses = _uses(tokens, given)
    missing = [word for word in given if not uses[word]]
    coverage = 1.0 - len(missing) / len(given)
    report = examine(reply, given, events=True)
    talk = _ABOUT_TASK.difference(given).intersection(token.lower() for token in tokens)
    places = sorted({place for found in uses.values() for place in found})
    strung = not missing and _strung(tokens, places, given)
    formed = not report.problems and len(given) <= LISTED
    listed = bool(talk) or strung or _listed(tokens, places, formed)
    again = [word for word in given if len(uses[word]) > 1]
    problems = []
    if missing:
        problems.append(Problem("missing", f"Your sentence is missing: {listing(missing)}."))
    if listed:
        problems.append(Problem("list", "Do not list the words: tell what happens."))
    if again:
        problems.append(Problem("repeated", f"Use only once: {listing(again)}."))
    form = report.form
    if listed:
        form = min(form, NO_SENTENCE)
    if again and form > LEAST:
        form = max(LEAST, form - COST)
    known = {problem.kind for problem in problems}
    problems.extend(problem for problem in report.problems if problem.kind not in known)
    metrics = {"coverage": coverage, "form": form}
    if not problems:
        return Verdict.ok(**metrics)
    score = coverage * (COVERAGE_BASE + (1.0 - COVERAGE_BASE) * form)
    return Verdict.wrong(min(score, BELOW_ONE), *problems[:MAX_PROBLEMS], **metrics)


def _uses(tokens: Sequence[str], given: Sequence[str]) -> dict[str, list[int]]:
    """For each given word, where its forms stand."""
    places: dict[str, list[int]] = {word: [] for word in given}
    asked = frozenset(given)
    for i, token in enumerate(tokens):
        for word in asked & lemmas(token):
            places[word].append(i)
    return places


def _listed(tokens: Sequence[str], places: Sequence[int], formed: bool = False) -> bool:
    """Whether the given words, which stand at ``places``, are shown instead of used.

    A sentence for three words that is ``formed`` well may have little else ("Dogs chase balls.").
    """
    if not formed and len(places) > MAX_GIVEN_SHARE * sum(t[0].isalnum() for t in tokens):
        return True
    run = 1
    for before, after in pairwise(places):
        between = {token.lower() for token in tokens[before + 1 : after]}
        joined = between & _JOINTS and between <= _JOINTS | _FILLERS
        run = run + 1 if joined else 1
        if run >= LISTED:
            return True
    return False


def _strung(tokens: Sequence[str], places: Sequence[int], given: Sequence[str]) -> bool:
    """Whether three given words or more, a verb among them, are all nouns on one string.

    A sentence that uses the verb as a verb, or has one of its own between them, is none.
    """
    if len(places) < LISTED or EVERYDAY_VERBS.isdisjoint(given):
        return False
    low = [token.lower() for token in tokens]
    if any(_LINKS.isdisjoint(low[a + 1 : b]) for a, b in pairwise(places)):
        return False
    return not any(_may_be_verb(low, i, places) for i in range(places[0], places[-1] + 1))


def _may_be_verb(low: Sequence[str], i: int, places: Sequence[int]) -> bool:
    """Whether word ``i`` can be a verb, or another word that makes a clause ("who", "'s")."""
    if low[i] in _LINKS | _DETERMINERS:
        return False
    kinds = readings(low[i])
    if kinds.isdisjoint(_VERBS):
        return not kinds
    before = i - 1
    while before >= 0 and before not in places and readings(low[before], strict=True) == {"ADJ"}:
        before -= 1
    if before >= 0 and low[before] in _DETERMINERS:
        return False  # "the roast", "the big roast"
    named = i > 0 and low[i - 1] in _BEFORE_NOUN and not kinds.isdisjoint(_NOUNS)
    return "VBG" in kinds or not named  # "with roasts"
