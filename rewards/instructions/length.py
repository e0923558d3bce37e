"""How long: words, sentences, paragraphs.

Fixed in strict mode:

- ``number_words``: "don't" and "well-known" are one word each (published: runs of letters, so two);
- ``number_sentences``: list numbers, abbreviations, quoted words inside a sentence and pieces
  without a letter are no sentences, and the end of a list item or block ends one (published: Punkt,
  which counts "1." and misses lists);
- ``number_paragraphs``: a divider is a line of its own, every paragraph holds words, and no two are
  equal (published: ``***`` anywhere, also inside ``****``);
- ``nth_paragraph_first_word``: counts the paragraphs that hold text (published: counts them without
  the empty ones and then looks up the n-th with them), and markup before the word is skipped.
"""

from __future__ import annotations

import re
import unicodedata

from corgi_gym.rewards.constraints.segments import fold
from corgi_gym.rewards.instructions._punkt import count_sentences
from corgi_gym.rewards.instructions.kind import Kind, holds, one_word, relation, whole
from corgi_gym.rewards.instructions.reply import Reply
from corgi_gym.rewards.text import plural, quote, words

_ASCII_WORD = re.compile(r"\w+", re.ASCII)
# Circled letters, which Unicode calls alphabetic and Python does not.
_CIRCLED = ((0x24B6, 0x24E9), (0x1F130, 0x1F149), (0x1F150, 0x1F169), (0x1F170, 0x1F189))
_DIVIDER = re.compile(r"\s?\*\*\*\s?")
_DIVIDER_LINE = re.compile(r"^[ \t]*\*\*\*[ \t]*$", re.MULTILINE)
_STOPS_WORD = re.compile(r"[.,?!'\"]")


def _count(found: int, noun: str, asked: int, relation: str) -> str | None:
    if holds(found, asked, relation):
        return None
    return f"You wrote {plural(found, noun)}. Write {relation} {plural(asked, noun)}."


def number_words(reply: Reply, num_words: int, relation: str) -> str | None:
    """How many words."""
    return _count(len(reply.words), "word", num_words, relation)


class _WordCharacters(dict[int, str]):
    """For `str.translate`: "a" for what a word can hold in the published code's tokenizer.

    That is Unicode's definition (UTS 18: letters, marks, decimal digits, connectors, joiners), as
    in NLTK 3.10, which left Python's ``re``; the two differ in scripts with combining vowels.
    """

    def __missing__(self, code: int) -> str:
        kind = unicodedata.category(chr(code))
        held = (
            kind in ("Mn", "Mc", "Me", "Pc")
            or code in (0x200C, 0x200D)
            or any(low <= code <= high for low, high in _CIRCLED)
            or (chr(code).isalnum() and kind != "No")
        )
        return self.setdefault(code, "a" if held else " ")


_WORD_CHARACTERS = _WordCharacters()


def number_words_reference(reply: Reply, num_words: int, relation: str) -> str | None:
    """How many runs of letters, digits and underscores."""
    if reply.text.isascii():
        found = len(_ASCII_WORD.findall(reply.text))
    else:
        found = len(reply.text.translate(_WORD_CHARACTERS).split())
    return _count(found, "word", num_words, relation)


def number_sentences(reply: Reply, num_sentences: int, relation: str) -> str | None:
    """How many sentences."""
    return _count(len(reply.sentences), "sentence", num_sentences, relation)


def number_sentences_reference(reply: Reply, num_sentences: int, relation: str) -> str | None:
    """How many sentences Punkt finds."""
    return _count(count_sentences(reply.text), "sentence", num_sentences, relation)


def number_paragraphs(reply: Reply, num_paragraphs: int) -> str | None:
    """Paragraphs between lines of ``***``; one before the first and after the last may be empty."""
    parts = _DIVIDER_LINE.split(reply.text)
    asked = f"Write {plural(num_paragraphs, 'paragraph')}, divided by lines of ***."
    if any(not words(part) for part in parts[1:-1]):
        return f"There is no text between two of the dividers ***. {asked}"
    held = [" ".join(part.split()).lower() for part in parts if words(part)]
    if len(held) != num_paragraphs:
        return f"You wrote {plural(len(held), 'paragraph')}. {asked}"
    if len(set(held)) < len(held):
        return f"Two of the paragraphs are the same. {asked}"
    return None


def number_paragraphs_reference(reply: Reply, num_paragraphs: int) -> str | None:
    """Paragraphs between ``***`` wherever it stands."""
    parts = [bool(part.strip()) for part in _DIVIDER.split(reply.text)]
    asked = f"Write {plural(num_paragraphs, 'paragraph')}, divided by ***."
    if not all(parts[1:-1]):
        return f"There is no text between two of the dividers ***. {asked}"
    found = sum(parts)
    return None if found == num_paragraphs else f"You wrote {plural(found, 'paragraph')}. {asked}"


def nth_paragraph_first_word(
    reply: Reply, num_paragraphs: int, nth_paragraph: int, first_word: str
) -> str | None:
    """Paragraphs between blank lines, and the first word of one."""
    found = len(reply.paragraphs)
    if found != num_paragraphs:
        return (
            f"You wrote {plural(found, 'paragraph')}. "
            f"Write {num_paragraphs}, with a blank line between two."
        )
    if nth_paragraph > num_paragraphs:
        return f"A reply of {plural(found, 'paragraph')} has no paragraph {nth_paragraph}."
    start = words(reply.paragraphs[nth_paragraph - 1])[:1]
    if [fold(w) for w in start] == [fold(first_word)]:
        return None
    return _first_word(nth_paragraph, start[0] if start else "", first_word)


def _first_word(nth: int, found: str, asked: str) -> str:
    return f"Paragraph {nth} starts with {quote(found)}. Start it with the word {quote(asked)}."


def nth_paragraph_first_word_reference(
    reply: Reply, num_paragraphs: int, nth_paragraph: int, first_word: str
) -> str | None:
    """Pieces between two line breaks; the n-th is looked up among all, empty ones too."""
    pieces = reply.text.split("\n\n")
    found = sum(1 for piece in pieces if piece.strip())
    if nth_paragraph > found:
        return f"You wrote {plural(found, 'paragraph')}. Write {num_paragraphs}."
    piece = pieces[nth_paragraph - 1].strip()
    if not piece:
        return f"Paragraph {nth_paragraph} is empty. Start it with {quote(first_word)}."
    word = piece.split()[0].lstrip("'").lstrip('"')
    word = _STOPS_WORD.split(word, maxsplit=1)[0].lower()
    if found != num_paragraphs:
        return f"You wrote {plural(found, 'paragraph')}. Write {num_paragraphs}."
    return None if word == first_word.lower() else _first_word(nth_paragraph, word, first_word)


KINDS = (
    Kind(
        "length_constraints:number_words",
        number_words,
        number_words_reference,
        {"num_words": whole(), "relation": relation},
        "less than, or at least, so many words",
    ),
    Kind(
        "length_constraints:number_sentences",
        number_sentences,
        number_sentences_reference,
        {"num_sentences": whole(), "relation": relation},
        "less than, or at least, so many sentences",
    ),
    Kind(
        "length_constraints:number_paragraphs",
        number_paragraphs,
        number_paragraphs_reference,
        {"num_paragraphs": whole(1)},
        "exactly so many paragraphs, divided by ***",
    ),
    Kind(
        "length_constraints:nth_paragraph_first_word",
        nth_paragraph_first_word,
        nth_paragraph_first_word_reference,
        {"num_paragraphs": whole(1), "nth_paragraph": whole(1), "first_word": one_word},
        "exactly so many paragraphs with blank lines between, the n-th starting with a word",
    ),
)
