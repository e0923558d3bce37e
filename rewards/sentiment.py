"""A short product review that reads like a given number of stars: CORGI's `sentiment` task.

Source: CORGI (arXiv 2411.01483) and its released critic: an Amazon product title, a target of 1 to
5 stars; right if ``LiYuan/amazon-review-sentiment-analysis`` gives the review that class. The stars
must not be mentioned.

What is different here, and why:

- ``embedded`` (default) reads the class with a lexicon (`semantic.sentiment_lexicon`), ``paper``
  with the paper's model.
- There, any text of the right tone passes ("great great great"). Here the review is one to four
  well-formed sentences (`corgi_gym.rewards.passage`) that name the product.
- Mentioning stars, points or a rating fails (there the prompt forbids it and nobody looks).
- A reply that breaks no rule and reads as another class earns a little, the less the further off.
"""

from __future__ import annotations

import re
from typing import Any, Protocol

from corgi_gym.rewards.lexicon import lemmas, readings, stem
from corgi_gym.rewards.passage import examine_passage
from corgi_gym.rewards.registry import checker
from corgi_gym.rewards.semantic.sentiment_lexicon import read_stars
from corgi_gym.rewards.text import listing, quote, words
from corgi_gym.rewards.verdict import Problem, Verdict

# "short" in the prompt: a few sentences.
MAX_SENTENCES, MAX_WORDS = 4, 60
# What a well-formed review of the product earns by its distance from the class asked for.
PARTIAL = {1: 0.3, 2: 0.2, 3: 0.1, 4: 0.0}
# Of a reply that breaks a rule and reads as asked: its form times this.
BROKEN = 0.2
# Things of one kind that a review names side by side; more is a list of guesses at the product.
# An item of such a list has at most so many words ("the old brass lamp").
MAX_LISTED, MAX_ITEM_WORDS = 2, 4
# Of what stands before the list, the words that can be its first item ("I love | this old lamp").
MAX_HEAD_WORDS = 3

CLASSES = {
    1: "very bad: angry or fully disappointed",
    2: "bad: more negative than positive",
    3: "average or mixed: neither good nor bad",
    4: "good: content, without strong praise",
    5: "very good: enthusiastic",
}
# Stars (no "rock star"), ratings, and points or scores that are counted (no "weak point").
_COUNT = r"(?:\d+|zero|one|two|three|four|five|six|seven|eight|nine|ten|full|top|all|perfect)"
_RATING = re.compile(
    r"\b(?:(?<!rock )(?<!pop )(?<!film )(?<!movie )stars?|ratings?|rated?|rates"
    rf"|{_COUNT}[ -](?:points?|scores?)|scores? (?:of |a |an )?{_COUNT}|out of (?:five|ten|5|10)"
    r"|[0-5] ?/ ?(?:5|10)"
    r"|(?:one|two|three|four|five)-star)\b|[\u2605\u2606\u2b50]",
    re.IGNORECASE,
)
_JOINTS = re.compile(r",|\b(?:and|or)\b")
_NOUN = frozenset(("Ns", "Nm", "Np"))
_ARTICLES = frozenset(("a", "an", "the", "this", "my", "your", "our"))
_LAMP = {"product": "Brass table lamp", "names": ["lamp"], "stars": 5}


class Reader(Protocol):
    """What judges the tone of a review."""

    def read(self, text: str) -> tuple[int, bool]:
        """The class from 1 to 5, and whether there is any opinion in the text."""
        ...


class LexiconReader:
    """The embedded reader; see `semantic.sentiment_lexicon`."""

    def read(self, text: str) -> tuple[int, bool]:
        """The class from 1 to 5, and whether there is any opinion in the text."""
        reading = read_stars(text)
        return reading.stars, reading.opinions > 0


@checker(
    "sentiment",
    examples=[
        ("I love this lamp, and its light is beautiful.", _LAMP, True),
        ("The lamp is okay.", _LAMP, False),
        ("The lamp is terrible.", _LAMP, False),
        ("great great great", _LAMP, False),
        ("This is an excellent product.", _LAMP, False),
        ("This lamp earns 5 stars.", _LAMP, False),
        ("The lamp is okay.", {**_LAMP, "stars": 3}, True),
        ("The cable of the lamp broke, and I want my money back.", {**_LAMP, "stars": 1}, True),
    ],
)
def sentiment(reply: str, target: Any) -> Verdict:
    """Judge a review against ``{"product": title, "names": [lemma, ...], "stars": 1..5}``.

    Example:
        >>> sentiment("The lamp is okay.", _LAMP).problems[0].message
        'Your review reads as 3 of 5. Write one that reads as 5 of 5 (very good: enthusiastic).'
    """
    return judge_review(reply, target, LexiconReader())


def judge_review(reply: str, target: Any, reader: Reader) -> Verdict:
    """Judge a review with any `Reader`."""
    names: list[str] = list(target["names"])
    asked: int = target["stars"]
    passage = examine_passage(reply, 1, MAX_SENTENCES, MAX_WORDS, often=names)
    if not passage.sentences:
        return Verdict.wrong(0.0, *passage.problems)
    problems = [problem for problem in (_rating(reply), _unnamed(reply, names)) if problem]
    named = not any(problem.kind == "product" for problem in problems)
    crowd = _crowd(reply, names)
    if crowd:
        problems.append(crowd)
    problems.extend(passage.problems)
    stars, opinion = reader.read(reply)
    if not opinion:
        text = "I find no opinion in your review. Say how good or bad the product is."
        problems.append(Problem("sentiment", text))
    elif stars != asked:
        text = (
            f"Your review reads as {stars} of 5. "
            f"Write one that reads as {asked} of 5 ({CLASSES[asked]})."
        )
        problems.append(Problem("sentiment", text))
    metrics = {"stars": float(stars), "form": passage.form}
    if not problems:
        return Verdict.ok(**metrics)
    if len(problems) == 1 and problems[0].kind == "sentiment":
        score = PARTIAL[abs(stars - asked)] if opinion else 0.0
    else:
        score = BROKEN * passage.form * (named and opinion and stars == asked)
    return Verdict.wrong(score, *problems, **metrics)


def _rating(reply: str) -> Problem | None:
    found = _RATING.search(reply)
    if not found:
        return None
    text = f"Do not write {quote(found[0], 24)}: let your words show how good the product is."
    return Problem("rating", text, found.span())


def _unnamed(reply: str, names: list[str]) -> Problem | None:
    if any(not lemmas(word).isdisjoint(names) for word in words(reply)):
        return None
    return Problem("product", f"Name the product: write {listing(names, 'or')} in your review.")


def _crowd(reply: str, names: list[str]) -> Problem | None:
    """Report "the lamp, the chair and the bag": a review names one product.

    What the product is good for may be a list ("my desk, my bed and my kitchen").
    """
    run: list[list[str]] = []
    for thing in filter(None, map(words, _JOINTS.split(reply.lower()))):
        kinds = readings(stem(thing[-1]))
        noun = "ADJ" not in kinds and bool(kinds & _NOUN)
        item = noun and len(thing) <= MAX_ITEM_WORDS
        if item or thing[0] in _ARTICLES:  # "... and the bag are here"
            run = [*run, thing[:MAX_ITEM_WORDS]]
        named = any(not lemmas(word).isdisjoint(names) for thing in run for word in thing)
        if len(run) > MAX_LISTED and named:
            return Problem("list", "Name one product, and not a list of things.")
        if not item:  # it may end with the first thing of another list
            run = [thing[-MAX_HEAD_WORDS:]] if noun else []
    return None
