"""Counting words in capital letters as the published IFEval code does.

The published check splits text into sentences with Punkt and these into tokens by the Penn Treebank
rules (R. MacIntyre's sed script, 1995, in NLTK's variant), then counts the tokens that are upper
case. Only what can split a run of letters matters for that count, so the rules are merged here:
marks that stand alone, the straight apostrophe, and the eight contractions.

Two things that follow and that a reader may not expect: "I" counts as a word in capitals, and
"DON'T" as two.
"""

from __future__ import annotations

import re

from corgi_gym.rewards.instructions._punkt import punkt_spans

_OPENING_APOSTROPHE = re.compile(r"(?i)(?<!\w)'(?!(?:re|ve|ll|m|t|s|d|n)\b)(?=\w)")
_ALONE = re.compile("[\u00ab\u201c\u2018\u201e\u2012-\u2015;@#$%&?!]|`+|\\.{2,}|[:,](?!\\d)")
_CLOSING_APOSTROPHE = re.compile(r"(?<=[^'])'(?= )")
# Marks that stand alone only after that: an apostrophe before one of them is no closing one yet.
_ALONE_TOO = re.compile("[\u00bb\u201d\u2019\"*\\[\\](){}<>]|--|''")
# A final full stop with the closing marks after it, when the mark is no part of an ellipsis.
_FINAL_STOP = re.compile("(?<=[^.])\\.(?=[\\])}>\"'\u00bb\u201d\u2019 ]*+\\s*$)")
# A last apostrophe is an ending itself: "IT'S'" at the end of a sentence keeps its 's.
_SHORT_ENDING = re.compile(r"(?<=[^' ])('[sSmMdD]?) ")
_LONG_ENDING = re.compile(r"(?<=[^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) ")
_CONTRACTION = re.compile(
    r"(?i)\b(?:(can)(not)|(d)('ye)|(gim)(me)|(gon)(na)|(got)(ta)|(lem)(me)|(more)('n))\b"
    r"|\b(wan)(na)(?=\s)"
)
_TIS = re.compile(r"(?i)(?<= )('t)(is|was)\b")


def _spaced(match: re.Match[str]) -> str:
    return f" {' '.join(part for part in match.groups() if part)} "


def _capitals(sentence: str) -> int:
    text = _OPENING_APOSTROPHE.sub("' ", sentence)
    text = _FINAL_STOP.sub(" . ", text)
    text = _CLOSING_APOSTROPHE.sub(" ' ", _ALONE.sub(r" \g<0> ", text))
    text = _ALONE_TOO.sub(r" \g<0> ", text)
    text = " " + " ".join(text.split()) + " "
    text = _LONG_ENDING.sub(r" \1 ", _SHORT_ENDING.sub(r" \1 ", text))
    text = _TIS.sub(_spaced, _CONTRACTION.sub(_spaced, text))
    return sum(map(str.isupper, text.split()))


def count_capital_words(text: str) -> int:
    """How many upper-case tokens the text has.

    Example:
        >>> count_capital_words("I SAID: DON'T. It is NASA's CANNOT.")
        7
    """
    if not any(map(str.isupper, text)):
        return 0
    return sum(_capitals(text[a:b]) for a, b in punkt_spans(text))
