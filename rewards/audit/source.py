"""Python source of a reply that stays short for repetitive strings."""

from __future__ import annotations

# Strings up to this length are written out.
PLAIN = 400
# Longest repeated piece that is looked for.
MAX_PIECE = 40


def source_of(text: str) -> str:
    r"""An expression whose value is ``text``.

    Example:
        >>> source_of("caf\u00e9"), source_of("ab" * 500 + "!")
        ("'caf\\xe9'", "'ab' * 500 + '!'")
    """
    if len(text) <= PLAIN:
        return ascii(text)
    parts = []
    while text:
        piece, count = _repeated(text)
        parts.append(ascii(text) if count == 1 else f"{piece!a} * {count}")
        text = text[len(piece) * count :]
    return " + ".join(parts)


def _repeated(text: str) -> tuple[str, int]:
    """The shortest beginning that is repeated so often that naming it pays, and how often."""
    for size in range(1, min(MAX_PIECE, len(text) // 2) + 1):
        piece = text[:size]
        if text.startswith(piece * max(3, PLAIN // 4 // size)):
            count = 1
            while text.startswith(piece, count * size):
                count += 1
            return piece, count
    return text, 1
