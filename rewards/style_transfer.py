"""Say it neutrally: take opinion out of a sentence and keep its facts. CORGI's `style_transfer`.

Source: CORGI (arXiv 2411.01483) and its released critic: a sentence of the Wiki Neutrality Corpus
(Pryzant et al., arXiv 1911.09709), right if ``cffl/bert-base-styleclassification`` says NEUTRAL.

What is different here, and why:

- ``embedded`` (default) looks for subjective language with a lexicon
  (`semantic.subjective_lexicon`); ``paper`` asks the paper's classifier about what is left.
- There, any neutral sentence passes, about whatever it is. Here the facts must be kept: each
  content word of the source outside its subjective parts, in their order (one part may move to the
  front or the end), nothing new, nothing negated; the function words that carry meaning
  (`semantic.function_words`), and one thing or several, as in the source; a statement stays one.
- The score is the share of facts kept times the share of subjective language removed, times 0.7,
  while anything is wrong: copying the source earns nothing, and so does another sentence.

Not judged: who did what to whom beyond the order of the words, tense, and bias by choice of facts.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Protocol

from corgi_gym.rewards.lexicon import lemmas
from corgi_gym.rewards.prose import prose_problem
from corgi_gym.rewards.prose import tokens as prose_tokens
from corgi_gym.rewards.registry import checker
from corgi_gym.rewards.semantic.function_words import (
    NEGATIONS,
    change_of_function_words,
    change_of_number,
)
from corgi_gym.rewards.semantic.subjective_lexicon import (
    NEUTRAL_VERBS,
    content_places,
    find,
    neutral_content,
    tokens,
)
from corgi_gym.rewards.sentence import examine
from corgi_gym.rewards.text import listing, quote
from corgi_gym.rewards.verdict import Problem, Verdict

# The most that a reply with a problem earns.
MOST = 0.7
# Of the score, what an ill-formed sentence or one with new words keeps.
SPOILED = 0.5
# Longer than any source; nobody rewrites a sentence to more than a few hundred characters.
MAX_CHARS = 700
# A small model reads the feedback.
MAX_NAMED = 5
_MAYOR = {"source": "Sadly, the brilliant mayor of Rome opened the awful library in May."}


class Stylist(Protocol):
    """What judges whether a sentence is neutral."""

    def subjective(self, text: str) -> list[str]:
        """The subjective parts, or one line that says that there are some; empty: neutral."""
        ...


class LexiconStylist:
    """The embedded judge; see `semantic.subjective_lexicon`."""

    def subjective(self, text: str) -> list[str]:
        """The subjective words and phrases."""
        return [span.text for span in find(text)]


@checker(
    "style_transfer",
    examples=[
        ("The mayor of Rome opened the library in May.", _MAYOR, True),
        ("In May, the mayor of Rome opened the library.", _MAYOR, True),
        (_MAYOR["source"], _MAYOR, False),
        ("The mayor of Rome opened the awful library in May.", _MAYOR, False),
        ("The mayor opened the library.", _MAYOR, False),
        ("The mayor of Rome opened the library.", _MAYOR, False),
        ("The library opened the mayor of Rome in May.", _MAYOR, False),
        ("The mayor of Rome did not open the library in May.", _MAYOR, False),
        ("The mayor of Rome almost opened the library in May.", _MAYOR, False),
        ("The mayor of Rome opened the library before May.", _MAYOR, False),
        ("Did the mayor of Rome open the library in May?", _MAYOR, False),
        ("Mayor Rome opened library May.", _MAYOR, False),
        ("The sky is blue.", _MAYOR, False),
    ],
)
def style_transfer(reply: str, target: Any) -> Verdict:
    """Judge a neutral version of ``target = {"source": sentence}``.

    Example:
        >>> style_transfer("The mayor opened the awful library in May.", _MAYOR).problems[0].message
        'This is still subjective: "awful". Leave it out or say it neutrally.'
    """
    return judge_neutral(reply, target, LexiconStylist())


def judge_neutral(reply: str, target: Any, stylist: Stylist) -> Verdict:
    """Judge a neutral version with any `Stylist`."""
    source: str = target["source"]
    if len(reply) > MAX_CHARS:
        text = f"Your reply has {len(reply)} characters. Write one sentence."
        return Verdict.wrong(0.0, Problem("length", text))
    facts, said = neutral_content(source), _content(reply)
    left, before = stylist.subjective(reply), max(1, len(find(source)))
    missing = [word for word in facts if not _has(said, word)]
    allowed = [*facts, *_replacements(source)]
    new = [word for word in said if not _has(allowed, word) and word not in left]
    new = [word for word in new if not any(word in part.split() for part in left)]
    problems = []
    if left:
        named = listing([quote(part, 40) for part in left[:MAX_NAMED]])
        text = f"This is still subjective: {named}. Leave it out or say it neutrally."
        problems.append(Problem("subjective", text))
    if missing:
        text = f"Keep the facts: your sentence lacks {listing(missing[:MAX_NAMED])}."
        problems.append(Problem("facts", text))
    if new:
        named = listing([quote(word, 24) for word in new[:MAX_NAMED]])
        problems.append(Problem("new", f"Add nothing: the sentence does not say {named}."))
    if not missing and not _in_order(facts, [word for word in said if _has(facts, word)]):
        problems.append(Problem("order", "Keep the facts in their order, each of them once."))
    if _negations(reply) != _negations(source):
        problems.append(Problem("negation", "Your sentence says the opposite of the facts."))
    changed = change_of_function_words(source, reply, complete=not missing)
    changed = changed or change_of_number(facts, said)
    if changed:
        problems.append(Problem("changed", changed))
    if "?" in reply and "?" not in source:
        text = "You made a question of the statement. Write it as a statement."
        problems.append(Problem("question", text))
    problems.extend(_form(reply, target))
    if not problems:
        return Verdict.ok()
    kept = 1.0 - len(missing) / len(facts) if facts else 0.0
    removed = max(0.0, 1.0 - len(left) / before)
    spoiled = sum(problem.kind not in ("subjective", "facts") for problem in problems)
    return Verdict.wrong(MOST * kept * removed * SPOILED**spoiled, *problems[:3])


def _content(reply: str) -> list[str]:
    low = tokens(reply)
    return [low[i] for i in content_places(reply) if low[i] != "!"]


def _has(several: Sequence[str], word: str) -> bool:
    """Whether some form of ``word`` is there."""
    return any(word == other or not lemmas(word).isdisjoint(lemmas(other)) for other in several)


def _replacements(source: str) -> list[str]:
    """Neutral verbs for the loaded ones in the source."""
    return [
        verb
        for span in find(source)
        for lemma in sorted(lemmas(span.text))
        for verb in NEUTRAL_VERBS.get(lemma, ())
    ]


def _in_order(facts: list[str], said: list[str]) -> bool:
    """Whether ``said`` is ``facts``, or ``facts`` with one part moved to the other end."""
    if len(said) != len(facts):
        return False
    return any(
        all(_has([one], other) for one, other in zip(facts[cut:] + facts[:cut], said, strict=True))
        for cut in range(len(facts))
    )


def _negations(text: str) -> int:
    """Negations outside subjective phrases ("believe it or not", "without a doubt")."""
    covered = {i for span in find(text) for i in range(span.start, span.end)}
    low = enumerate(tokens(text))
    return sum(i not in covered and (word in NEGATIONS or word.endswith("n't")) for i, word in low)


def _form(reply: str, target: Any) -> list[Problem]:
    """What is wrong with the sentence itself.

    The grammar judges where the task says so (``"grammar": True``) or where it also accepts the
    source; elsewhere (long encyclopedic sentences) the floor of `prose_problem` does.
    """
    problems = [p for p in examine(reply).problems if p.kind != "repeated"]
    if not problems or target.get("grammar") or _parses(target["source"]):
        return problems[:1]
    found = prose_tokens(reply)
    floor = prose_problem(reply, found) if found else Problem("length", "Write one sentence.")
    if floor is None and not reply.rstrip("\"'\u201d\u2019) \n").endswith("."):
        floor = Problem("ending", "End the sentence with one full stop.")
    return [floor] if floor else []


@lru_cache(maxsize=1 << 10)
def _parses(source: str) -> bool:
    return all(problem.kind == "repeated" for problem in examine(source).problems)
