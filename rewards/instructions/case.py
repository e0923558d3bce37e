"""Letter case, commas, quotation marks around everything.

Fixed in strict mode:

- ``english_capital``, ``english_lowercase``: no letter of the other case at all, and the text is
  English by its words (published: an unseeded language guess, and a text without letters passes);
- ``capital_word_frequency``: words of two letters or more, so "I" and "A" do not count (published:
  Treebank tokens, so they do, and "DON'T" counts twice);
- ``no_comma``: every character that Unicode calls a comma counts;
- ``quotation``: typographic double quotes are accepted, there must be words inside, and what the
  first mark opens ends with the reply (published: a quote mark at each end is enough).
"""

from __future__ import annotations

import re

from corgi_gym.rewards.instructions._langdetect import NoLanguage, detect
from corgi_gym.rewards.instructions._languages import identify
from corgi_gym.rewards.instructions._treebank import count_capital_words
from corgi_gym.rewards.instructions.kind import Kind, holds, relation, whole
from corgi_gym.rewards.instructions.reply import Reply
from corgi_gym.rewards.text import plural, quote, words

# Fewer letters are too few to tell English from anything else, so only the case is checked.
_ENGLISH_LETTERS = 40
# Every character that Unicode calls a comma, and the low quotation mark that looks like one.
_COMMA = re.compile(
    "[,\u201a\u055d\u060c\u07f8\u1363\u1802\u1808\u2e32\u2e34\u2e41\u2e49\u2e4c\u3001\ua4fe\ua60d\ua6f5"
    "\ufe10\ufe11\ufe50\ufe51\uff0c\uff64\U0001144d\U0001145a\U00016e97\U0001da87]"
)
# Letters of a word that a message quotes, before and after the one that is wrong.
_AROUND = 40
_MARK = re.compile('["\u201c\u201d\u201e\u00ab\u00bb]')
_ONLY_OPENS, _ONLY_CLOSES = "\u201e\u00ab", "\u201d\u00bb"
# What can stand right before a mark that opens a quotation, besides a space.
_BEFORE_OPENING = '([{<*_~/:=|>-\u2013\u2014"'
_OPENING, _CLOSING = '"\u201c\u201e\u00ab', '"\u201d\u201c\u00bb'


def _english(text: str) -> bool:
    return len(text) < _ENGLISH_LETTERS or identify(text) in ("en", None)


def _word_at(text: str, place: int) -> str:
    """The word around a place, of a very long one the part around it."""
    before, after = text[max(0, place - _AROUND) : place], text[place : place + _AROUND]
    start = len(before)
    while start and (before[start - 1].isalnum() or before[start - 1] == "_"):
        start -= 1
    end = next((i for i, c in enumerate(after) if not (c.isalnum() or c == "_")), len(after))
    return before[start:] + after[:end]


def english_capital(reply: Reply) -> str | None:
    """English, every letter a capital."""
    lower = next((i for i, c in enumerate(reply.text) if c.islower()), None)
    if lower is not None:
        shown = quote(_word_at(reply.text, lower))
        return f"{shown} has a lower-case letter. Write every letter as a capital."
    if not any(map(str.isupper, reply.text)) or not _english(reply.text):
        return "The reply is not in English. Write in English, in capital letters."
    return None


def english_lowercase(reply: Reply) -> str | None:
    """English, no capital letter."""
    found = next((i for i, c in enumerate(reply.text) if c.isupper() or c.istitle()), None)
    if found is not None:
        shown = (reply.text[found:].split() or [""])[0]
        return f"{quote(shown)} has a capital letter. Write without any capital letter."
    if not any(map(str.islower, reply.text)) or not _english(reply.text):
        return "The reply is not in English. Write in English, in lower-case letters."
    return None


def _case_reference(text: str, right_case: bool, asked: str) -> str | None:
    if not right_case:
        return f"Not every letter of the reply is {asked}. Write all letters in {asked}."
    try:
        language = detect(text)
    except NoLanguage:
        return None
    return None if language == "en" else f"The reply reads as {language!r}, not as English."


def english_capital_reference(reply: Reply) -> str | None:
    """Upper case and, as langdetect guesses with seed 0, English."""
    return _case_reference(reply.text, reply.text.isupper(), "upper case")


def english_lowercase_reference(reply: Reply) -> str | None:
    """Lower case and, as langdetect guesses with seed 0, English."""
    return _case_reference(reply.text, reply.text.islower(), "lower case")


def _capital_words(found: int, frequency: int, relation: str) -> str | None:
    if holds(found, frequency, relation):
        return None
    asked = f"{relation} {frequency}"
    return f"{plural(found, 'word')} in all capital letters. Write {asked} of them."


def capital_word_frequency(
    reply: Reply, capital_frequency: int, capital_relation: str
) -> str | None:
    """How many words of two letters or more are all capitals."""
    letters = ("".join(filter(str.isalpha, word)) for word in reply.words)
    found = sum(1 for word in letters if len(word) > 1 and word.isupper())
    return _capital_words(found, capital_frequency, capital_relation)


def capital_word_frequency_reference(
    reply: Reply, capital_frequency: int, capital_relation: str
) -> str | None:
    """How many Treebank tokens are upper case."""
    found = count_capital_words(reply.text)
    return _capital_words(found, capital_frequency, capital_relation)


def no_comma(reply: Reply) -> str | None:
    """No comma of any script."""
    found = len(_COMMA.findall(reply.text))
    return f"You used {plural(found, 'comma')}. Use no commas." if found else None


def no_comma_reference(reply: Reply) -> str | None:
    """No ASCII comma."""
    found = reply.text.count(",")
    return f"You used {plural(found, 'comma')}. Use no commas." if found else None


_QUOTES = "Put the whole reply between double quotation marks."


def _first_quotation(text: str) -> str | None:
    """What the first mark of ``text`` quotes if that ends before the text does.

    Quotations inside the outer one are fine: a mark that stands before a word opens one more.
    """
    depth = 0
    for found in _MARK.finditer(text):
        place = found.start()
        depth += 1 if not place or _opens(text, place) else -1
        if depth <= 0:
            return text[: place + 1] if place + 1 < len(text) else None
    return None


def _opens(text: str, place: int) -> bool:
    """Whether the mark there opens a quotation."""
    mark = text[place]
    if mark in _ONLY_OPENS or (mark == text[0] == "\u201c"):
        return True
    if mark in _ONLY_CLOSES or (mark == "\u201c" and text[0] == "\u201e"):
        return False
    before, after = text[place - 1 : place], text[place + 1 : place + 2]
    return bool(after.strip()) and (not before.strip() or before in _BEFORE_OPENING)


def quotation(reply: Reply) -> str | None:
    """Double quotes around everything, words inside."""
    text = reply.text.strip()
    if len(text) < 2 or text[0] not in _OPENING or text[-1] not in _CLOSING:
        return f"The reply does not start and end with a double quotation mark. {_QUOTES}"
    first = _first_quotation(text)
    if first is not None:
        return f"Only {quote(first)} stands between the first quotation marks. {_QUOTES}"
    return None if words(text) else f"There are no words between the quotation marks. {_QUOTES}"


def quotation_reference(reply: Reply) -> str | None:
    """The first and the last character are straight double quotes."""
    text = reply.text.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        return None
    return f"The reply does not start and end with a double quotation mark. {_QUOTES}"


KINDS = (
    Kind(
        "change_case:english_capital",
        english_capital,
        english_capital_reference,
        {},
        "English in capital letters only",
    ),
    Kind(
        "change_case:english_lowercase",
        english_lowercase,
        english_lowercase_reference,
        {},
        "English in lower-case letters only",
    ),
    Kind(
        "change_case:capital_word_frequency",
        capital_word_frequency,
        capital_word_frequency_reference,
        {"capital_frequency": whole(), "capital_relation": relation},
        "less than, or at least, so many words in all capitals",
    ),
    Kind("punctuation:no_comma", no_comma, no_comma_reference, {}, "no comma"),
    Kind(
        "startend:quotation",
        quotation,
        quotation_reference,
        {},
        "double quotation marks around the whole reply",
    ),
)
