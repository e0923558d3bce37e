"""Function words that carry meaning: what a sentence says between its content words.

"The museum almost designed the engine before the war" has the content words of "The museum designed
the engine after the war". So modals, prepositions, numerals, quantifiers, adverbs, pronouns and
conjunctions are compared one by one. Free are articles, "that", and the auxiliaries of tense; forms
of "be", "which" and "who" may be left out and not added, since they turn who did what to whom.
Intensifiers ("quite") may be dropped. Negations are counted by the checker.
Not seen: tense, and which of two content words an adverb goes with.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from corgi_gym.rewards.lexicon import lemmas, readings, stem
from corgi_gym.rewards.semantic.subjective_lexicon import content_places, find, tokens
from corgi_gym.rewards.text import listing, quote


def _words(text: str) -> list[str]:
    return text.split()


NEGATIONS = frozenset(
    _words("not no never none nobody nothing neither nor without hardly n't cannot")
)
_ARTICLES = frozenset(_words("a an the"))
_FREE = _ARTICLES.union(
    _words(
        "that which who whom am is are was were be been being has have had having do does did 's"
    )
)
# Free to lack, not to come: "the mayor was sold the land", "the mayor who sold the land".
_TURNING = (
    frozenset(_words("am is are was were be been being")),
    frozenset(_words("who whom which")),
)
# May be dropped anywhere, and before an opinion.
_INTENSIFIERS = frozenset(_words("so too quite rather just even really pretty"))
_DEGREES = frozenset(_words("more most less least all much many such as"))
_CONJUNCTIONS = frozenset(_words("and or but yet"))
# Prepositions that belong to the content word after them.
_LINKS = frozenset(
    _words("of in on at by for with from to into after before during since until against between")
)
# A reader needs one word to see what is meant.
_MAX_NAMED = 3


@dataclass(frozen=True, slots=True)
class FunctionWord:
    """A function word, the content word after it (or ""), and whether it goes with an opinion."""

    text: str
    before: str
    droppable: bool


def function_words(sentence: str) -> list[FunctionWord]:
    """The function words outside subjective spans that carry meaning, from left to right.

    Example:
        >>> [(word.text, word.before) for word in function_words("He can go after the sad war.")]
        [('he', 'go'), ('can', 'go'), ('after', 'war')]
        >>> [word.droppable for word in function_words("It was of brilliant and great use to him.")]
        [False, False, True, False, False]
    """
    low, contents = tokens(sentence), set(content_places(sentence))
    opinions = {i for span in find(sentence) for i in range(span.start, span.end)}
    found = []
    for i, word in enumerate(low):
        if i in contents or i in opinions or word in _FREE | NEGATIONS - {"cannot"}:
            continue
        before = next((low[k] for k in range(i + 1, len(low)) if k in contents - opinions), "")
        text = word.removesuffix("not")  # "cannot" is a negation and a modal
        found.append(FunctionWord(text, before, _is_droppable(low, i, contents, opinions)))
    return found


def _is_droppable(low: list[str], i: int, contents: set[int], opinions: set[int]) -> bool:
    """Whether word ``i`` may go together with an opinion, or is one itself.

    "and" beside one, "more" before one, and what leads to one without a content word after it
    ("like an idiot"); but not "two" of "two brilliant museums".
    """
    if low[i] in _INTENSIFIERS:
        return True
    if low[i] in _CONJUNCTIONS:
        return i - 1 in opinions or i + 1 in opinions
    at = i + 1
    while at < len(low) and low[at] in _ARTICLES:
        at += 1
    if at not in opinions or low[i] in _DEGREES:
        return at in opinions
    while at in opinions or (at + 1 in opinions and low[at] in _CONJUNCTIONS):
        at += 1
    return at not in contents


def change_of_function_words(source: str, reply: str, complete: bool) -> str | None:
    """A message about the first function words that differ, or ``None``.

    Args:
        source: The sentence with opinions.
        reply: The sentence without them.
        complete: Whether the reply has all content words; else what went with them may lack too.

    Example:
        >>> change_of_function_words("Sadly, it sank after May.", "It sank before May.", True)
        'You changed "after" to "before". Leave it as it is.'
    """
    old, new = function_words(source), function_words(reply)
    said = Counter(word.text for word in new)
    added = list((said - Counter(word.text for word in old)).elements())
    # those of an opinion go with it: the "is" of "It is a shame that" is not there for another
    apart = {place for span in find(source) for place in range(span.start, span.end)}
    kept = [word for place, word in enumerate(tokens(source)) if place not in apart]
    added += _turned(kept, tokens(reply))
    needed = Counter(word.text for word in old if not word.droppable)
    lost = list((needed - said).elements()) if complete else []
    if added and lost:
        return f"You changed {_named(lost)} to {_named(added)}. Leave it as it is."
    if added:
        return f"You added {_named(added)}. Add nothing."
    if lost:
        return f"You left out {_named(lost)}. Keep it."
    moved = _moved(old, new) if complete else None
    return f"You moved {_named([moved])} to another word. Leave it as it is." if moved else None


def _turned(old: Sequence[str], new: Sequence[str]) -> list[str]:
    """Of each kind of word that turns a sentence round, one that the source has less often."""
    found = []
    for kind in _TURNING:
        there, here = ([word for word in words if word in kind] for words in (old, new))
        if len(here) > len(there):
            found.append(next((Counter(here) - Counter(there)).elements()))
    return found


def _named(several: Sequence[str]) -> str:
    return listing([quote(word, 24) for word in several[:_MAX_NAMED]])


def _moved(old: Sequence[FunctionWord], new: Sequence[FunctionWord]) -> str | None:
    """The first preposition that stands before another content word than in the source."""
    for word in new:
        if word.text not in _LINKS or not word.before:
            continue
        places = [other.before for other in old if other.text == word.text]
        known = set().union(*map(lemmas, places))
        if "" not in places and known.isdisjoint(lemmas(word.before)):
            return word.text
    return None


def change_of_number(facts: Sequence[str], said: Sequence[str]) -> str | None:
    """A message about the first noun that turned from one thing to several or back, or ``None``.

    Example:
        >>> change_of_number(["museum", "opened"], ["museums", "opened"])
        'You changed "museum" to "museums". Leave it as it is.'
    """
    for fact in facts:
        forms = [word for word in said if not lemmas(word).isdisjoint(lemmas(fact))]
        number = _number(fact)
        if forms and number and all(_number(form) not in ("", number) for form in forms):
            return f"You changed {_named([fact])} to {_named(forms[:1])}. Leave it as it is."
    return None


def _number(word: str) -> str:
    """Either "one" or "several" for a noun that is only one of them, else ""."""
    found = readings(stem(word))
    one = not found.isdisjoint(("Ns", "Nm"))
    if one == ("Np" in found):
        return ""
    return "one" if one else "several"
