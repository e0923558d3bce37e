"""What an error says about a name that does not exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(name: object, known: Iterable[str], otherwise: str = "") -> str:
    """The nearest known name as the end of a sentence, or ``otherwise`` where none is near.

    Example:
        >>> did_you_mean("epsilonn", ["epsilon", "beta"])
        "; did you mean 'epsilon'?"
    """
    near = difflib.get_close_matches(str(name), list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else otherwise
