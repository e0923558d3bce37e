"""BERT's uncased tokenizer, as far as the packaged sentence encoder needs it.

Clean, lower-case, strip accents, split at spaces and punctuation, then the longest known pieces
from left to right (WordPiece). The tests compare it with the `tokenizers` library.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

# A longer word is unknown as a whole (the original's bound).
MAX_WORD_CHARS = 100


def _is_punctuation(character: str) -> bool:
    code = ord(character)
    ascii_symbol = 33 <= code <= 47 or 58 <= code <= 64 or 91 <= code <= 96 or 123 <= code <= 126
    return ascii_symbol or unicodedata.category(character).startswith("P")


def _is_ideograph(character: str) -> bool:
    code = ord(character)
    return 0x4E00 <= code <= 0x9FFF or 0x3400 <= code <= 0x4DBF or 0xF900 <= code <= 0xFAFF


def split_words(text: str) -> list[str]:
    """Lower-case words and single punctuation marks.

    Example:
        >>> split_words("Crème brûlée, isn't it?")
        ['creme', 'brulee', ',', 'isn', "'", 't', 'it', '?']
    """
    pieces: list[str] = []
    for character in unicodedata.normalize("NFD", text.lower()):
        category = unicodedata.category(character)
        if character.isspace():
            pieces.append(" ")
        elif category == "Mn" or category.startswith("C") or character == "\ufffd":
            continue
        elif _is_punctuation(character) or _is_ideograph(character):
            pieces.append(f" {character} ")
        else:
            pieces.append(character)
    return "".join(pieces).split()


def token_ids(text: str, vocabulary: Mapping[str, int], limit: int) -> list[int]:
    """``[CLS] pieces [SEP]``, at most ``limit`` ids in all.

    Example:
        >>> table = {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "play": 3, "##ing": 4}
        >>> token_ids("Playing chess", table, limit=8)
        [1, 3, 4, 0, 2]
    """
    ids = [vocabulary["[CLS]"]]
    for word in split_words(text)[:limit]:  # a word has a piece at least
        ids += _pieces(word, vocabulary)
    return [*ids[: limit - 1], vocabulary["[SEP]"]]


def _pieces(word: str, vocabulary: Mapping[str, int]) -> list[int]:
    unknown = [vocabulary["[UNK]"]]
    if len(word) > MAX_WORD_CHARS:
        return unknown
    ids, start = [], 0
    while start < len(word):
        mark = "##" if start else ""
        for end in range(len(word), start, -1):
            found = vocabulary.get(mark + word[start:end])
            if found is not None:
                ids.append(found)
                start = end
                break
        else:
            return unknown
    return ids
