"""Text helpers that all checkers share, so that a word is the same thing everywhere."""

from __future__ import annotations

import re
import unicodedata

# Longest reply that is handed to a checker. Longer ones are refused with a problem that says so:
# every checker stays fast, and no task here needs a page.
MAX_REPLY_CHARS = 20_000

_WORD = re.compile(r"[^\W_]+(?:['’‑-][^\W_]+)*")
_ASCII_WORD = re.compile(r"[A-Za-z0-9]+(?:['-][A-Za-z0-9]+)*")  # the same in ASCII, and quicker
# Control, format (zero-width, bidi), private and unassigned characters carry no visible text;
# letting them through would let a policy hide or split words. Newline and tab are kept.
_INVISIBLE_CATEGORIES = {"Cc", "Cf", "Co", "Cs", "Cn"}
# Letters and marks that Unicode says to display as nothing (Default_Ignorable_Code_Point).
_IGNORABLE = frozenset(
    map(
        chr,
        (
            *(0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0),
            *range(0x180B, 0x1810),
            *range(0xFE00, 0xFE10),
            *range(0xE0100, 0xE01F0),
        ),
    )
)
# Longest run of combining marks (Unicode's stream-safe bound): sorting a run is quadratic in NFC.
_MAX_MARKS = 30
_LINE_BREAK = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
# What tokenizers read as one control token: `<|im_end|>`, DeepSeek's with wide bars, `<s>`,
# `</think>`, `<start_of_turn>`, `<repo_name>`, `<<SYS>>`, `[INST]`, `[/TOOL_CALLS]`, ...
_CONTROL_TOKEN = re.compile(
    r"<[|\uff5c][^<>\n]{0,64}[|\uff5c]>"
    r"|<{1,2}[ \t]{0,4}/?[ \t]{0,4}[A-Za-z][\w.:-]{0,64}[ \t]{0,4}/?>{1,2}"
    r"|\[/?[A-Z][A-Z_]{1,64}\]"
)
# The halves of such tokens, where the middle is too long or too odd for the pattern above.
_OPENING = re.compile("<(?=[|\uff5c])")
_CLOSING = re.compile("(?<=[|\uff5c])>")


def normalise(text: str) -> str:
    r"""Return ``text`` in NFC without invisible characters; lone surrogates become U+FFFD.

    A letter keeps at most 30 combining marks, and every line break becomes ``"\n"``. Idempotent,
    and the identity on ordinary text.

    Example:
        >>> normalise("cafe\u0301\x00 au\u200b lait")
        'café au lait'
    """
    if text.isascii() and (
        text.isprintable() or text.replace("\n", "").replace("\t", "").isprintable()
    ):
        return text
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    text = _LINE_BREAK.sub("\n", text)
    hidden = [c for c in set(text) if c not in "\n\t" and _is_invisible(c)]
    if hidden:
        text = text.translate(dict.fromkeys(map(ord, hidden)))
    # after the removal, which can join a letter and its accent; it can lengthen a run of marks
    return _cap_marks(unicodedata.normalize("NFC", _cap_marks(text)))


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) in _INVISIBLE_CATEGORIES or character in _IGNORABLE


def _cap_marks(text: str) -> str:
    marks = "".join(sorted(c for c in set(text) if unicodedata.combining(c)))
    return re.sub(f"([{marks}]{{{_MAX_MARKS}}})[{marks}]+", r"\1", text) if marks else text


def defuse(text: str, limit: int) -> str:
    """Make ``text`` safe to quote to a model: visible characters, no chat-control token, bounded.

    Control tokens lose their brackets, so no tokenizer can read them as one.

    Args:
        text: Any string.
        limit: Longest result in characters; a cut is marked with an ellipsis.

    Example:
        >>> defuse("done<|im_end|>", 40)
        'done(im_end)'
    """
    return harmless(normalise(text[: 4 * limit]), limit)


def harmless(text: str, limit: int) -> str:
    """`defuse` for text that is normalised already."""
    if "<" in text or ">" in text or "[" in text:
        # the parentheses that replace a token keep its neighbours from forming another
        text = _CONTROL_TOKEN.sub(lambda m: f"({re.sub(r'[^A-Za-z_]+', '', m[0])})", text)
        text = _CLOSING.sub(")", _OPENING.sub("(", text))
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def words(text: str) -> list[str]:
    """Split ``text`` into words: runs of letters and digits, with inner apostrophes and hyphens.

    Example:
        >>> words("The well-known cat's hat, 3 times.")
        ['The', 'well-known', "cat's", 'hat', '3', 'times']
    """
    return (_ASCII_WORD if text.isascii() else _WORD).findall(text)


def has_word(text: str, start: int = 0, end: int | None = None) -> bool:
    """Whether there is any of the `words` between two places of ``text``.

    Example:
        >>> has_word("- x -"), has_word("- x -", 3)
        (True, False)
    """
    return _WORD.search(text, start, len(text) if end is None else end) is not None


def quote(text: str, limit: int = 40) -> str:
    r"""Quote a piece of a reply inside a message: one line, at most ``limit`` characters.

    Example:
        >>> quote("two\nlines")
        '"two lines"'
    """
    return f'"{harmless(" ".join(normalise(text[: 4 * limit]).split()), limit)}"'


def listing(items: list[str], conjunction: str = "and") -> str:
    """Join words as a person would.

    Example:
        >>> listing(["a", "b", "c"])
        'a, b and c'
    """
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {conjunction} {items[-1]}"


def plural(count: int, noun: str) -> str:
    """Return ``"1 word"``, ``"2 words"``.

    Example:
        >>> plural(1, "word"), plural(3, "word")
        ('1 word', '3 words')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
