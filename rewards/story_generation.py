"""Go on with a story: one to three sentences after a given first one. CORGI's `story_generation`.

Source: CORGI (arXiv 2411.01483) and its released critic: the first sentences of ROCStories; half of
the score for no content word within four tokens of itself, half for a cosine of at least 0.3
between the first sentence and the continuation (SimCSE, sup-bert-base).

What is different here, and why:

- Tokens are words. There, tokens of the model's own tokenizer count that begin with a mark which
  Llama 3 does not write, so that half of the score is free with it.
- ``embedded`` (default) takes the cosine of all-MiniLM-L6-v2 with a threshold of its own
  (`THRESHOLD`); ``paper`` takes SimCSE and 0.3.
- There, copying the first sentence is the best continuation, and any text is a story. Here the
  continuation is well-formed (`corgi_gym.rewards.passage`), takes up two words of the first
  sentence (a person and a thing, say), and is mostly new.
- The repetition rule alone earns 0.2, not 0.5: a fixed text satisfies it.

Not judged: whether events follow from each other.
"""

from __future__ import annotations

import re
from typing import Any, Protocol

from corgi_gym.rewards._wordlists import NAMES
from corgi_gym.rewards.compose import BELOW_ONE
from corgi_gym.rewards.lexicon import CLOSED, is_known, lemmas
from corgi_gym.rewards.passage import content_words, examine_passage
from corgi_gym.rewards.registry import checker
from corgi_gym.rewards.semantic.encoder import cosine
from corgi_gym.rewards.text import listing, quote, words
from corgi_gym.rewards.verdict import Problem, Verdict

MAX_SENTENCES, MAX_WORDS = 3, 60
# The paper's: a content word does not come again within so many tokens.
WINDOW = 4
# Cosine from which on a continuation is about the same story, names left out. On 200 generated
# stories: true continuations 0.33 to 0.8 (1st percentile 0.36), those of other stories with their
# median at 0.18 and 90th percentile at 0.30, fixed texts with the right name ("Anna was very happy.
# She smiled and went home.") with their 95th at 0.30. The tests measure it again.
THRESHOLD = 0.3
# At most this share of the continuation's content words stand in the first sentence, and at most so
# many words in a row: more is a copy.
MAX_COPIED_SHARE, MAX_COPIED_RUN = 0.5, 4
# Content words of the first sentence that are taken up; one where it has fewer than `FEW` itself.
MIN_LINKS, FEW = 2, 4
# The score while something is wrong: no repetition, and as coherent as it is.
REPETITION, COHERENCE = 0.2, 0.4

_RAIN = {"first": "Anna carried her umbrella to the bus stop."}


class Coherence(Protocol):
    """What judges whether two texts belong to one story."""

    threshold: float

    def similarity(self, first: str, continuation: str) -> float:
        """From -1 to 1; a story from `threshold` on."""
        ...


class EncoderCoherence:
    """The embedded judge; see `semantic.encoder`."""

    threshold = THRESHOLD

    def similarity(self, first: str, continuation: str) -> float:
        """The cosine of the two texts' vectors, with "someone" in place of each name.

        A shared name alone lifts a cosine by 0.2, so that any text about Anna would fit.
        """
        return cosine(_anonymous(first), _anonymous(continuation))


_WORD = re.compile(r"[^\W\d_]+")


def _anonymous(text: str) -> str:
    return _WORD.sub(lambda m: "someone" if _is_name(m[0]) else m[0], text)


def _is_name(word: str) -> bool:
    low = word.lower()
    return word[0].isupper() and low not in CLOSED and (low in NAMES or not is_known(low))


@checker(
    "story_generation",
    examples=[
        ("The bus was late, and the rain ruined her shoes. Anna waited.", _RAIN, True),
        ("The bus was late, and the rain ruined her shoes.", _RAIN, False),
        ("Anna carried her umbrella to the bus stop.", _RAIN, False),
        ("The chef baked a cake.", _RAIN, False),
        ("Anna fried an egg in the kitchen with some butter.", _RAIN, False),
        ("bus bus bus umbrella stop rain", _RAIN, False),
        ("Anna, bus, umbrella.", _RAIN, False),
    ],
)
def story_generation(reply: str, target: Any) -> Verdict:
    """Judge a continuation of ``target = {"first": sentence}``.

    Example:
        >>> story_generation("The chef baked a cake.", _RAIN).problems[0].message
        'Take up two words of the first sentence, for example "Anna" and "bus".'
    """
    return judge_story(reply, target, EncoderCoherence())


def judge_story(reply: str, target: Any, judge: Coherence) -> Verdict:
    """Judge a continuation with any `Coherence`."""
    first: str = target["first"]
    passage = examine_passage(reply, 1, MAX_SENTENCES, MAX_WORDS)
    if not passage.sentences:
        return Verdict.wrong(0.0, *passage.problems)
    problems = []
    again = repeated_words(first, reply)
    if again:
        text = f"You repeated the words: {listing([quote(word, 24) for word in again[:4]])}."
        problems.append(Problem("repetition", text))
    problems.extend(_links(first, reply))
    rules = not any(p.kind in ("link", "copy") for p in problems)
    problems.extend(passage.problems)
    metrics = {"form": passage.form}
    coherent = 0.0
    if rules and not passage.problems:  # what is no story is not worth the encoder's time
        similarity = judge.similarity(first, reply)
        metrics["similarity"] = similarity
        coherent = min(1.0, max(0.0, similarity / judge.threshold))
        if similarity < judge.threshold:
            text = "Your text does not fit the first sentence. Go on with the same story."
            problems.append(Problem("coherence", text))
    if not problems:
        return Verdict.ok(**metrics)
    score = passage.form * (REPETITION * (rules and not again) + COHERENCE * coherent)
    return Verdict.wrong(min(score, BELOW_ONE), *problems[:3], **metrics)


def repeated_words(first: str, reply: str) -> list[str]:
    """Content words of the reply that stand within the four words before, too.

    Example:
        >>> repeated_words("Anna saw a dog.", "The dog barked, and the dog ran.")
        ['dog']
    """
    before = [word.lower() for word in words(first)]
    low = [*before, *(word.lower() for word in words(reply))]
    found = []
    for i in range(len(before), len(low)):
        if low[i] not in CLOSED and low[i] in low[max(len(before), i - WINDOW) : i]:
            found.append(low[i])
    return list(dict.fromkeys(found))


def _links(first: str, reply: str) -> list[Problem]:
    """Whether the continuation takes up something and is not a copy."""
    given = [word for word in content_words(first) if word.isalpha()]
    known = set().union(*(lemmas(word) for word in given))
    said = content_words(reply)
    shared = [word for word in said if not known.isdisjoint(lemmas(word))]
    taken_up = sum(any(not lemmas(one).isdisjoint(lemmas(w)) for w in shared) for one in set(given))
    least = MIN_LINKS if len(given) >= FEW else min(1, len(given))
    if taken_up < least:
        shown = [quote(word, 24) for word in words(first) if word.lower() in given]
        found = listing([shown[0], *shown[-2:-1]][:least])
        asked = "two words" if least > 1 else "a word"
        text = f"Take up {asked} of the first sentence, for example {found}."
        return [Problem("link", text)]
    old = " ".join(words(first)).lower()
    new = [word.lower() for word in words(reply)]
    runs = zip(*(new[i:] for i in range(MAX_COPIED_RUN + 1)), strict=False)
    if len(set(shared)) > MAX_COPIED_SHARE * len(set(said)) or any(
        f" {' '.join(run)} " in f" {old} " for run in runs
    ):
        text = "You repeat the first sentence. Tell what happens next, mostly in new words."
        return [Problem("copy", text)]
    return []
