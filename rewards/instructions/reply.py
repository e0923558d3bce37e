"""One reply, and the views of it that the checks of a set share, each worked out once."""

from __future__ import annotations

import re
from functools import cached_property

from corgi_gym.rewards.dictionary import FUNCTION_WORDS, is_word
from corgi_gym.rewards.text import words

_LIST_MARK = re.compile(r"^[ \t>#]{0,40}(?:[-*+\u2022](?=[ \t])|\d{1,4}[.)](?=[ \t]))?[ \t]*")
_STOP_MARKS = ".!?\u2026\u3002\u0964\u06d4\uff01\uff1f"
_STOPS = f"[{_STOP_MARKS}]"
_QUESTION_MARKS = frozenset("?\uff1f")
# starts only at the first of several marks, and gives nothing back: linear on any text. The look
# back comes second, because a search for a mark is quick
_END = re.compile(rf"{_STOPS}(?<!{_STOPS}{_STOPS}){_STOPS}*+[\"'\u201d\u2019)\]*_]*+(?=\s|$)")
# After such marks and a closing quote or bracket, the sentence around the quoted words can go on.
_SPOKEN, _QUOTED = frozenset("!?\uff01\uff1f"), frozenset("\"'\u201d\u2019)]")
_CLOSING = "\"'\u201d\u2019)]*_ "
_VISIBLE = re.compile(r"\S")
_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*")
# Words after which a full stop ends no sentence: before a name or an example, before a number, and
# where the next word has no capital, as it can end one too.
_TITLES = frozenset(
    ("mr", "mrs", "ms", "dr", "prof", "st", "vs", "capt", "gen", "fig", "e.g", "i.e")
)
_NUMBERED = frozenset(("no",))
_SHORTENED = frozenset(("etc", "jr", "sr", "a.m", "p.m", "u.s", "u.k", "inc", "ltd", "approx"))
_LAST_WORD = re.compile(r"([\w.]+)\.$")
_NEXT_WORD = re.compile(r"[\s\"'\u201c\u2018(\[*_]*+(\w+)(\.?)")
# Who says what stands in quotation marks, after them: a name, or "I", and a verb of saying.
_SAID = re.compile(
    r"\s*+([A-Z][\w'-]*+)(?: [A-Z][\w'-]*+)?+ (?:said|says|asked|asks|cried|cries|shouted|shouts|"
    r"called|calls|whispered|whispers|replied|replies|answered|answers|yelled|screamed|exclaimed|"
    r"murmured|muttered|added|begged|repeated|wondered|snapped|sighed|gasped|demanded|warned|"
    r"ordered|announced|thought)\b"
)


class Reply:
    r"""A reply with its words, lines, sentences and paragraphs.

    A *sentence* ends with an end mark before white space, at a blank line, or where a list item or
    a line that starts anew (no lower-case letter) begins; list numbers, abbreviations and quoted
    words end none (``"Why?" asked Ann.``, ``"Why?" Ann asked.``), and a piece without a letter is
    none. What can be an abbreviation or the last word ("etc.", "vitamin C.") ends one before a
    capital letter. A *paragraph* stands between blank lines.

    Args:
        text: The text.
        responses: How many responses the request asks for.
        topic: Words that the request gave: in another language they show nothing.

    Example:
        >>> reply = Reply("1. Dr. Lee came. She left?\n\n* Bye")
        >>> reply.sentences, len(reply.paragraphs), len(reply.words)
        (['Dr. Lee came.', 'She left?', 'Bye'], 2, 7)
    """

    def __init__(self, text: str, responses: int = 1, topic: tuple[str, ...] = ()) -> None:
        self.text = text
        self.responses = responses
        self.topic = topic

    @cached_property
    def lower(self) -> str:
        """The text in lower case."""
        return self.text.lower()

    @cached_property
    def words(self) -> list[str]:
        """Runs of letters and digits with inner apostrophes and hyphens."""
        return words(self.text)

    @cached_property
    def lower_words(self) -> list[str]:
        """The words in lower case, with straight apostrophes."""
        if self.text.isascii():  # the usual case: lower case changes no word's limits
            return list(map(str.lower, self.words))
        return words(self.lower.replace("\u2019", "'"))

    @cached_property
    def lines(self) -> list[str]:
        """The lines that hold something, without the spaces around them."""
        return [line.strip() for line in self.text.split("\n") if line.strip()]

    @cached_property
    def paragraphs(self) -> list[str]:
        """What stands between blank lines."""
        return [p.strip() for p in _BLANK_LINES.split(self.text.strip()) if p.strip()]

    @cached_property
    def sentences(self) -> list[str]:
        """The sentences, without list marks."""
        found: list[str] = []
        for block in self._blocks():
            start = 0
            for end in _END.finditer(block):
                piece = block[start : end.end()].strip()
                if _goes_on(piece, block, end.end()) or (
                    _is_quoted(end[0]) and _is_told(block, end.end())
                ):
                    continue
                found.append(piece)
                start = end.end()
            found.append(block[start:].strip())
        return [p for p in found if p[:1].isalpha() or any(map(str.isalpha, p))]

    def _blocks(self) -> list[str]:
        """Lines, joined where the next line goes on with a lower-case letter."""
        blocks: list[list[str]] = []
        after_blank = True
        for raw in self.text.split("\n"):
            line = raw.strip()
            if not line:
                after_blank = True
                continue
            mark = _LIST_MARK.match(line)
            rest = line[mark.end() :] if mark else line
            if after_blank or rest != line or not line[0].islower():
                blocks.append([rest])
            else:
                blocks[-1].append(rest)
            after_blank = False
        return [" ".join(block) for block in blocks]


def questions_in(sentence: str) -> int:
    """How many questions a sentence asks; words that it quotes may be one.

    Example:
        >>> questions_in("Is it so?!"), questions_in('"Why?" asked Ann.'), questions_in("So it is.")
        (1, 1, 0)
    """
    return sum(not _QUESTION_MARKS.isdisjoint(end[0]) for end in _END.finditer(sentence))


def is_question(sentence: str) -> bool:
    """Whether a question mark is among the last marks of a sentence.

    Example:
        >>> is_question('She asked "why?!"'), is_question('"Why?" asked Ann.')
        (True, False)
    """
    tail = sentence.rstrip(_CLOSING)
    return not _QUESTION_MARKS.isdisjoint(tail[len(tail.rstrip(_STOP_MARKS)) :])


def _is_quoted(end: str) -> bool:
    """Whether the marks at an end of a sentence close a quotation or a bracket."""
    marks = end.rstrip(_CLOSING)
    return marks[-1] in _SPOKEN and not _QUOTED.isdisjoint(end[len(marks) :])


def _is_told(block: str, place: int) -> bool:
    """Whether it goes on in lower case or with who says it: ``"Why?" asked Ann``, ``Ann asked``."""
    following = _VISIBLE.search(block, place)
    if following is None or following[0].islower():
        return following is not None
    said = _SAID.match(block, place)
    return said is not None and (said[1] == "I" or said[1].lower() not in FUNCTION_WORDS)


def _goes_on(piece: str, block: str, place: int) -> bool:
    """Whether the full stop of ``piece`` belongs to its last word; ``place`` is where it ends."""
    if not piece.endswith("."):
        return False
    held = piece[-30:].split()
    last = _LAST_WORD.search(held[-1])
    if last is None:
        return False
    word = last.group(1)[-20:]
    if word.lower() in _TITLES:
        return True
    following = _NEXT_WORD.match(block, place)
    after = following[1] if following else ""
    if word.lower() in _NUMBERED:
        return after[:1].isdigit()
    if len(word) == 1 and word.isupper() and word != "I":
        if held[-2:-1] and held[-2].lower().rstrip(".") in _TITLES:
            return True
        return not after[:1].isupper() or _is_name(after, bool(following and following[2]))
    return word.lower() in _SHORTENED and not after[:1].isupper()


def _is_name(word: str, dotted: bool) -> bool:
    """Whether an initial goes on with ``word``: another initial, or what is no word ("Kennedy")."""
    return (len(word) == 1 and dotted) or not (word.lower() in FUNCTION_WORDS or is_word(word))
