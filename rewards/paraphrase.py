"""Ask a question in another form without changing what it asks: CORGI's `paraphrase` task.

Source: CORGI (arXiv 2411.01483) and its released critic: question pairs of QQP-Pos (AESOP); half of
the score if ``AMHR/adversarial-paraphrasing-detector`` calls the reply a paraphrase, half if its
CoreNLP parse, cut at height 3, has tree-edit distance 0 to that of the other question.

What is different here, and why:

- The form is asked for by the first word ("How", "What", "Is", ...), in place of a parse tree:
  the first word decides the upper levels of a question's parse, a person can read it, and no parser
  needs to run. Coarser: two questions with "What" can have different trees.
- ``embedded`` (default) compares meaning by the packaged sentence encoder and rules for what
  encoders do not see: words to keep, added numbers and names, negation, opposites. ``paper`` asks
  the paper's detector in place of the encoder; the rules stay.
- There, copying the question is a perfect paraphrase. Here it earns nothing, nor does the question
  with another word at its front.
- The form alone earns 0.2, not 0.5.

Not judged: restrictions in other words than names and numbers ("in winter"), beyond what the
encoder sees. Another name of the same thing counts as added ("America" for "the USA").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Protocol

from corgi_gym.rewards.lexicon import CLOSED, lemmas, stem
from corgi_gym.rewards.prose import prose_problem
from corgi_gym.rewards.prose import tokens as prose_tokens
from corgi_gym.rewards.registry import checker
from corgi_gym.rewards.semantic.encoder import cosine
from corgi_gym.rewards.sentence import examine
from corgi_gym.rewards.text import listing, quote, words
from corgi_gym.rewards.verdict import Problem, Verdict


def _words(text: str) -> list[str]:
    return text.split()


# Longer than any question of the data; everyday questions have 6 to 15 words.
MAX_WORDS, MAX_CHARS = 30, 300
# Cosine from which on two questions with the same kept words ask the same. On the generator's
# questions paraphrases have 0.87 and more, others about the same things 0.77 and less; "How old is
# the bridge?" and "How tall is the bridge?" in one city have 0.85: no threshold
# parts these.
THRESHOLD = 0.8
# What the two halves earn alone.
FORM, MEANING = 0.2, 0.5

# First words that a question can be asked to have, and what counts as each.
FORMS = {word: (word,) for word in ["how", "what", "which", "who", "where", "when", "why"]} | {
    "is": ("is", "are", "was", "were"),
    "do": ("do", "does", "did"),
    "can": ("can", "could"),
    "should": ("should",),
    "would": ("would", "will"),
}
_OPPOSITES = (
    ("best", "worst"), ("good", "bad"), ("cheap", "expensive"), ("cheapest", "expensive"),
    ("open", "close"), ("start", "stop"), ("start", "end"), ("begin", "end"),
    ("increase", "decrease"), ("gain", "lose"), ("learn", "forget"), ("safe", "dangerous"),
    ("before", "after"), ("with", "without"), ("more", "less"), ("most", "least"),
    ("big", "small"), ("fast", "slow"), ("hot", "cold"), ("old", "new"), ("early", "late"),
    ("healthy", "unhealthy"), ("possible", "impossible"), ("always", "never"), ("up", "down"),
    ("remove", "add"), ("love", "hate"), ("easy", "difficult"), ("near", "far"),
    ("help", "bad"), ("help", "hurt"), ("help", "cause"), ("good", "cause"),
    ("become", "avoid"), ("build", "destroy"), ("help", "harm"), ("legal", "illegal"),
)  # fmt: skip
_NEGATIONS = frozenset(_words("not no never none nobody nothing neither nor without n't"))
# "What's" starts with "What", and is "what is".
_SHORTENED = re.compile(r"('s|'re|'d|'ll|n't)$")
_FULL = {"'s": " is", "'re": " are", "'d": " would", "'ll": " will"}
# "With no" says "without".
_WITH_NO = re.compile(r"\bwith no\b", re.IGNORECASE)
_ARTICLES = frozenset(_words("a an the"))
# Numbers as words and as digits; "one" is a pronoun too ("Which one is best?").
_DIGITS = {
    word: str(number)
    for number, word in enumerate(
        _words("two three four five six seven eight nine ten eleven twelve"), start=2
    )
}
_NUMBER_WORDS = frozenset(
    (*_DIGITS, *_words("twenty thirty forty fifty sixty seventy eighty ninety hundred thousand"),
     *_words("million billion dozen half"))
)  # fmt: skip
_PART = re.compile(r"[-\u2010\u2011'\u2019]")
_CAR = {
    "question": "How much does a ticket to Rome cost?",
    "form": "what",
    "keep": ["ticket", "rome"],
}


class Meaning(Protocol):
    """What judges whether two questions ask the same."""

    def same(self, one: str, other: str) -> bool:
        """Whether they are paraphrases."""
        ...


class EncoderMeaning:
    """The embedded judge; see `semantic.encoder`."""

    def same(self, one: str, other: str) -> bool:
        """Whether the cosine of their vectors reaches `THRESHOLD`."""
        return cosine(one, other) >= THRESHOLD


@checker(
    "paraphrase",
    examples=[
        ("What is the price of a ticket to Rome?", _CAR, True),
        ("How much does a ticket to Rome cost?", _CAR, False),
        ("What how much does a ticket to Rome cost?", _CAR, False),
        ("What much does a ticket to Rome cost?", _CAR, False),
        ("What is the price of a ticket to Paris?", _CAR, False),
        ("What is the price of a ticket to Rome in 1950?", _CAR, False),
        ("What is the color of the ticket to Rome?", _CAR, False),
        ("What is not the price of a ticket to Rome?", _CAR, False),
        ("What ticket Rome?", _CAR, False),
        ("How expensive is a ticket to Rome?", _CAR, False),
    ],
)
def paraphrase(reply: str, target: Any) -> Verdict:
    """Judge a question against ``{"question": source, "form": first word, "keep": [lemma, ...]}``.

    Example:
        >>> paraphrase("How expensive is a ticket to Rome?", _CAR).problems[0].message
        'Your question starts with "How". Start it with "What".'
    """
    return judge_paraphrase(reply, target, EncoderMeaning())


def judge_paraphrase(reply: str, target: Any, meaning: Meaning) -> Verdict:
    """Judge a question with any `Meaning`."""
    source, form = target["question"], target["form"]
    reply = reply.strip()
    said = words(reply)
    if not said or len(said) > MAX_WORDS or len(reply) > MAX_CHARS:
        text = f"Write one question of at most {MAX_WORDS} words."
        return Verdict.wrong(0.0, Problem("length", text))
    question = _question(reply, source, bool(target.get("grammar")))
    if question:
        return Verdict.wrong(0.0, question)
    problems = []
    first = _SHORTENED.sub("", _straight(said[0].lower()))
    if first not in FORMS[form]:
        shown = listing([quote(word.capitalize(), 12) for word in FORMS[form]], "or")
        text = f"Your question starts with {quote(said[0], 12)}. Start it with {shown}."
        problems.append(Problem("form", text))
    formed = not problems
    faults = _faults(reply, source, target["keep"])
    if not faults and (_bare(reply, target["keep"]) or not meaning.same(source, reply)):
        text = "Your question does not ask the same. Keep the meaning of the question."
        faults.append(Problem("meaning", text))
    problems.extend(faults)
    if not problems:
        return Verdict.ok()
    copied = any(problem.kind == "copy" for problem in faults)
    score = 0.0 if copied else FORM * formed + MEANING * (not faults)
    return Verdict.wrong(score, *problems[:3])


def _question(reply: str, source: str, grammar: bool) -> Problem | None:
    """What keeps the reply from being one well-formed question.

    The grammar judges where the task says so, or where it also accepts the source; elsewhere the
    floor of `prose_problem` does.
    """
    if "\n" in reply or reply.count("?") != 1 or not reply.endswith("?"):
        return Problem("question", "Write exactly one question that ends with a question mark.")
    found = next((p for p in _examine(reply) if p.kind != "repeated"), None)
    if found is None or grammar or not _examine(source):
        return found
    return prose_problem(reply, prose_tokens(reply))


@lru_cache(maxsize=1 << 10)
def _examine(question: str) -> tuple[Problem, ...]:
    """What the sentence check says about a question.

    The grammar knows "Where does", "There is" and "It is", and not "When does",
    "Is there" and "Is it".
    """
    text = re.sub(r"^When\b", "Where", question)
    turned = re.match(r"^(Is|Are|Was|Were) (there|it) (.*)\?$", text)
    if turned:
        text = f"{turned[2].capitalize()} {turned[1].lower()} {turned[3]}."
    return examine(text).problems


def _faults(reply: str, source: str, keep: Sequence[str]) -> list[Problem]:
    """Where the meaning must differ, or the words do not."""
    if _copied(_full_words(reply), _full_words(source)):
        text = "You copied the question. Ask the same in other words."
        return [Problem("copy", text)]
    problems = []
    forms = set().union(*(lemmas(word) for word in words(_WITH_NO.sub("without", reply))))
    missing = [kept for kept in keep if not any(_is_form(word, kept) for word in words(reply))]
    added = _added(reply, source)
    if missing:
        problems.append(Problem("keep", f"Your question must keep: {listing(missing[:5])}."))
    elif added:
        named = listing([quote(word, 24) for word in added[:5]])
        text = f"You added {named}. Ask exactly what the question asks."
        problems.append(Problem("added", text))
    if _negations(reply) != _negations(source):
        text = "Your question turns the meaning around. Do not add or drop a negation."
        problems.append(Problem("negation", text))
    old = set().union(*(lemmas(word) for word in words(_WITH_NO.sub("without", source))))
    for pair in _OPPOSITES:
        for one, other in (pair, pair[::-1]):
            if one in old and other in forms and other not in old:
                text = f"{quote(other, 24)} is the opposite of what the question asks."
                return [*problems, Problem("opposite", text)]
    return problems


def _is_form(word: str, kept: str) -> bool:
    """Whether ``word`` is a form of a kept word; a function word ("even") is only its own."""
    if stem(word) == kept or kept in lemmas(word):
        return True
    return word.lower() not in CLOSED and not lemmas(word).isdisjoint(lemmas(kept))


def _added(reply: str, source: str) -> list[str]:
    """Names and numbers of the reply that the source does not have.

    Example:
        >>> _added("How far is Rome by car in May 2000?", "What is the distance to rome?")
        ['May', '2000']
        >>> _added("Which 2 cities do I see?", "What are the two cities that I see?")
        []
    """
    old = {_DIGITS.get(part, part) for part in _parts(source.lower())}
    return [
        part
        for i, part in enumerate(_parts(reply))
        if _is_name_or_number(part, i) and _DIGITS.get(part.lower(), part.lower()) not in old
    ]


def _parts(text: str) -> list[str]:
    """Words, cut at hyphens and apostrophes ("Rome's" is "Rome" and "s")."""
    return [part for word in words(text) for part in _PART.split(word)]


def _is_name_or_number(part: str, i: int) -> bool:
    if part.lower() in _NUMBER_WORDS or any(character.isdigit() for character in part):
        return True
    return i > 0 and part[:1].isupper() and part != "I"


def _bare(reply: str, keep: Sequence[str]) -> bool:
    """Whether the kept words stand side by side and nothing is said of them ("Is soup cough?").

    An encoder reads two nouns as what usually connects them, and the grammar may take one of them
    for a verb.
    """
    rest = (word for word in words(reply)[1:] if word.lower() not in _ARTICLES)
    return all(any(_is_form(word, kept) for kept in keep) for word in rest)


def _negations(text: str) -> int:
    low = text.lower().replace("\u2019", "'")
    return sum(word in _NEGATIONS or word.endswith("n't") for word in words(low))


def _straight(text: str) -> str:
    return text.replace("\u2019", "'")


def _full_words(text: str) -> list[str]:
    """The words in small letters, each "What's" as "what is".

    Example:
        >>> _full_words("What's new?")
        ['what', 'is', 'new']
    """
    found = (_straight(word) for word in words(text.lower()))
    full = " ".join(_SHORTENED.sub(lambda m: _FULL.get(m[0], m[0]), word) for word in found)
    return full.split()


def _copied(new: list[str], old: list[str]) -> bool:
    """Whether the question stands in the reply, whole or with another first word."""
    if new[1:] == old[1:]:
        return True
    shown = f" {' '.join(new)} "
    return f" {' '.join(old)} " in shown


def shared_content(one: str, other: str) -> list[str]:
    """The content words that two questions share, in the order of the first.

    Each as it stands in both, or its shortest lemma where the forms differ.

    Example:
        >>> shared_content("How can I learn chess?", "What is the best way to learn chess?")
        ['learn', 'chess']
        >>> shared_content("Where do cats sleep in the evening?", "Is a cat asleep in the evening?")
        ['cat', 'evening']
    """
    second = set().union(*(lemmas(word) for word in words(other)))
    found = []
    for word in words(one):
        common = lemmas(word) & second
        if word.lower() not in CLOSED and common:
            shortest = min(common, key=lambda lemma: (len(lemma), lemma))
            found.append(stem(word) if stem(word) in common else shortest)
    return list(dict.fromkeys(found))
