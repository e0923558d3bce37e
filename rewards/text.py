"""Text helpers that all checkers share, so that a word is the same thing everywhere."""

from __future__ import annotations

import re
import unicodedata

# Longest reply that is handed to a checker. Longer ones are refused with a problem that says so:
# every checker stays fast, and no task here needs a page.
MAX_REPLY_CHARS = 20_000

_WORD = re.compile(r"[^\W_]+(?:['’‑-][^\W_]+)*")
# Control, format (zero-width, bidi) and private characters carry no visible text; letting them
# through would let a policy hide or split words. Newline and tab are kept.
_INVISIBLE = {"Cc", "Cf", "Co", "Cs", "Cn"}
# `<|im_end|>`, `<|eot_id|>`, `[INST]`, `<s>`, `</s>`, `<bos>`, `<start_of_turn>`, ...
_CONTROL_TOKEN = re.compile(
    r"<\|[^<>|\n]{0,64}\|>|<\s*/?\s*(?:s|bos|eos|pad|unk|mask|start_of_turn|end_of_turn)\s*>"
    r"|\[/?(?:INST|SYS|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]|<</?SYS>>",
    re.IGNORECASE,
)


def normalise(text: str) -> str:
    """Return ``text`` in NFC without invisible characters; lone surrogates become U+FFFD.

    Idempotent, and the identity on ordinary text.

    Example:
        >>> normalise("cafe\\u0301\\x00 au\\u200b lait")
        'café au lait'
    """
    if text.isascii() and text.isprintable():
        return text
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in _INVISIBLE)


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
    text = normalise(text[: 4 * limit])
    previous = None
    while previous != text:  # removing one token must not assemble another
        previous = text
        text = _CONTROL_TOKEN.sub(lambda m: f"({re.sub(r'[^A-Za-z_]+', '', m[0])})", text)
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def words(text: str) -> list[str]:
    """Split ``text`` into words: runs of letters and digits, with inner apostrophes and hyphens.

    Example:
        >>> words("The well-known cat's hat, 3 times.")
        ['The', 'well-known', "cat's", 'hat', '3', 'times']
    """
    return _WORD.findall(text)


def quote(text: str, limit: int = 40) -> str:
    """Quote a piece of a reply inside a message: one line, at most ``limit`` characters.

    Example:
        >>> quote("two\\nlines")
        '"two lines"'
    """
    return '"' + " ".join(defuse(text, limit).split()) + '"'


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
