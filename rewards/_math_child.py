"""Symbolic comparison with the packages math-verify and sympy, in a killable process only.

sympy evaluates what it reads, and ``10^{10^8}`` does that inside one C call: see
`corgi_gym.rewards.isolate`.
"""

from __future__ import annotations

import logging
from typing import Any

from math_verify import LatexExtractionConfig, parse, verify
from sympy import (
    Add,
    Basic,
    Derivative,
    Expr,
    Integral,
    Limit,
    Mul,
    Pow,
    Product,
    Sum,
    binomial,
    factorial,
    preorder_traversal,
)

logging.getLogger("math_verify").setLevel(logging.ERROR)  # it warns that its timeouts are off
_LATEX = (LatexExtractionConfig(),)
_FAR = 1e-3
_OPERATORS = (Derivative, Integral, Limit, Product, Sum, binomial, factorial)


def _read(text: str) -> list[Any]:
    return parse(
        f"${text}$",
        extraction_config=_LATEX,
        fallback_mode="no_fallback",
        parsing_timeout=None,
    )


def _is_plain(node: Basic) -> bool:
    """Whether it is a number, a sign or fraction of numbers."""
    if isinstance(node, Mul):
        return all(map(_is_plain, node.args))
    if isinstance(node, Pow):
        return _is_plain(node.args[0]) and node.args[1] == -1
    return bool(node.is_Number)


def is_unfinished(expression: Any) -> bool:
    """Whether a person would work it out further: plain numbers are joined, or a sum is asked for.

    Example:
        >>> [is_unfinished(_read(text)[0]) for text in ("71+1", "2^{10}", "x^2+1", "6-5i")]
        [True, True, False, False]
    """
    if not isinstance(expression, Basic):
        return False
    for node in preorder_traversal(expression):
        if isinstance(node, _OPERATORS):
            return True
        if isinstance(node, Pow):
            base, exponent = node.args
            if _is_plain(base) and exponent.is_Integer and exponent != -1:
                return True
        if isinstance(node, (Add, Mul)):
            joined = [a for a in node.args if _is_plain(a)]
            if isinstance(node, Mul):  # signs and denominators are part of a number
                joined = [a for a in joined if a != -1 and not isinstance(a, Pow)]
            if len(joined) > 1:
                return True
    return False


def compare(gold: str, answer: str) -> str:
    """``"equal"`` or ``"different"``, or why they were not compared.

    ``"gold"`` and ``"answer"`` say whose text could not be read; ``"unfinished"``: the answer is to
    be worked out further, and the gold answer is not.
    """
    expected = _read(gold)
    if not expected:
        return "gold"
    found = _read(answer)
    if not found:
        return "answer"
    if is_unfinished(found[0]) and not is_unfinished(expected[0]):
        return "unfinished"
    if not verify(expected, found, timeout_seconds=None) or _is_far(expected[0], found[0]):
        return "different"
    return "equal"


def _is_far(expected: Any, found: Any) -> bool:
    """Whether two numbers differ by more than a thousandth of the larger.

    The comparison rounds to six decimals, which of a small number leaves nothing.
    """
    if not (isinstance(expected, Expr) and isinstance(found, Expr)):
        return False
    if not (expected.is_number and found.is_number):
        return False
    try:
        one, other = complex(expected.evalf()), complex(found.evalf())
    except (TypeError, ValueError, OverflowError):
        return False
    return abs(one - other) > _FAR * max(abs(one), abs(other))


# The parser builds its tables at the first use, which takes a second: once, before the fork.
for _gold, _answer in ((r"2\sqrt{3}+x^2", r"\sqrt{12}+x^2"), ("(1,2]", "(1,2]"), ("y=2x", "y=2x")):
    compare(_gold, _answer)
compare(r"\begin{pmatrix}1\\2\end{pmatrix}", r"\begin{pmatrix}1\\2\end{pmatrix}")
compare(r"\{1,\frac{1}{2}\}", r"\{\frac{1}{2},1\}")
