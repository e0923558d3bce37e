"""Exact arithmetic on expressions that a model wrote: our own parser, no ``eval``, no ``ast``.

Grammar: numbers (``12``, ``3.5``, ``.5``, ``1,234``), ``+ - * /`` (also their printed forms, see
`plain_signs`), a sign before a number or a parenthesis, and parentheses. No powers, no factorials,
no exponents (``1e9``), no implied multiplication (``2(3)``), no names.

The value is computed while reading, on two explicit stacks (Dijkstra's shunting yard), with `int`
and `fractions.Fraction`: no recursion, no rounding. The limits below bound the work, so any string
is answered within a millisecond, either with a value or with an error that has a position.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

# The longest shipped task (48 numbers) needs under 300 characters.
MAX_EXPRESSION_CHARS = 500
# More than any shipped task has; together with the digits it bounds the size of every value.
MAX_OPERANDS = 64
# Parentheses inside parentheses. Nothing recurses: this only refuses bombs with a clear message.
MAX_NESTING = 20
# Digits of one literal. Values of the shipped tasks stay below 10^7.
MAX_DIGITS = 15
# A longer value is described by its number of digits: nobody reads more.
_MAX_SHOWN_CHARS = 20

# A comma parts thousands, so no zero stands before the first: "0,005" is a decimal comma.
_NUMBER = r"(?:[1-9][0-9]{0,2}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.[0-9]+)?|\.[0-9]+"
_TOKEN = re.compile(rf"\s*(?:(?P<number>{_NUMBER})|(?P<symbol>[-+*/()]))")
_PRINTED = str.maketrans(
    {
        "\N{MULTIPLICATION SIGN}": "*",
        "\N{DOT OPERATOR}": "*",
        "\N{MIDDLE DOT}": "*",
        "\N{DIVISION SIGN}": "/",
        "\N{MINUS SIGN}": "-",
    }
)
_LITERAL = re.compile(rf"(?:(?P<sign>[-+]) ?)?(?P<top>{_NUMBER})(?:/(?P<bottom>[0-9]+))?")
# A sign binds tighter than any operator between two numbers.
_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2, "sign": 3}


class ExpressionError(ValueError):
    """Why a text is not an expression, and where.

    Attributes:
        reason: What was found or expected there, a phrase without a full stop.
        position: Index of the offending character in the text.

    Example:
        >>> try:
        ...     evaluate("3 + * 4")
        ... except ExpressionError as error:
        ...     print(error)
        a number was expected (character 5)
    """

    def __init__(self, reason: str, position: int) -> None:
        super().__init__(f"{reason} (character {position + 1})")
        self.reason = reason
        self.position = position


@dataclass(frozen=True, slots=True)
class Expression:
    """What an expression is worth and what it is made of.

    Attributes:
        value: The exact value.
        numbers: The literals, without signs, from left to right.
        operations: How often two values were combined; 0 for a lone number.

    Example:
        >>> Expression(Fraction(7), (Fraction(3), Fraction(4)), 1) == evaluate("3 + 4")
        True
    """

    value: Fraction
    numbers: tuple[Fraction, ...]
    operations: int


def plain_signs(text: str) -> str:
    r"""Replace printed operators by ``+ - * /``, character by character (positions stay).

    Example:
        >>> plain_signs("7 \N{MULTIPLICATION SIGN} 6 \N{MINUS SIGN} 1")
        '7 * 6 - 1'
    """
    return text.translate(_PRINTED)


def evaluate(text: str) -> Expression:
    """Evaluate an expression exactly.

    Raises:
        ExpressionError: If the text is no expression, is over a limit, or divides by zero.

    Example:
        >>> evaluate("(1 - 3) * 2 / 3").value
        Fraction(-4, 3)
    """
    if len(text) > MAX_EXPRESSION_CHARS:
        raise ExpressionError(
            f"an expression has at most {MAX_EXPRESSION_CHARS} characters", MAX_EXPRESSION_CHARS
        )
    text = plain_signs(text)
    values: list[int | Fraction] = []
    pending: list[tuple[str, int]] = []  # operators and open parentheses, with their positions
    numbers: list[int | Fraction] = []
    operations = nesting = position = 0
    wants_operand = True

    def apply_down_to(precedence: int) -> None:
        """Apply pending operators of at least this precedence, up to an open parenthesis."""
        nonlocal operations
        while pending and pending[-1][0] != "(" and _PRECEDENCE[pending[-1][0]] >= precedence:
            operator, where = pending.pop()
            if operator == "sign":
                values[-1] = -values[-1]
                continue
            right = values.pop()
            values[-1] = _combine(operator, values[-1], right, where)
            operations += 1

    while match := _TOKEN.match(text, position):
        start, position = match.end() - len(match[match.lastgroup or 0]), match.end()
        if match["number"]:
            if not wants_operand:
                raise ExpressionError("an operator was expected", start)
            numbers.append(_number(match["number"], start))
            if len(numbers) > MAX_OPERANDS:
                raise ExpressionError(f"at most {MAX_OPERANDS} numbers can be used", start)
            values.append(numbers[-1])
            wants_operand = False
            continue
        symbol = match["symbol"]
        if symbol == "(":
            nesting += 1
            if not wants_operand:
                raise ExpressionError("an operator was expected", start)
            if nesting > MAX_NESTING:
                raise ExpressionError(f"at most {MAX_NESTING} parentheses can be nested", start)
            pending.append(("(", start))
        elif wants_operand:
            if symbol == "-":
                pending.append(("sign", start))
            elif symbol == "*" and text[start - 1 : start] == "*":
                raise ExpressionError("powers are not allowed", start)
            elif symbol != "+":  # a plus sign changes nothing
                raise ExpressionError("a number was expected", start)
        elif symbol == ")":
            apply_down_to(0)
            if not pending:
                raise ExpressionError('this ")" closes nothing', start)
            pending.pop()
            nesting -= 1
        else:
            apply_down_to(_PRECEDENCE[symbol])
            pending.append((symbol, start))
            wants_operand = True

    rest = len(text) - len(text[position:].lstrip())
    if rest < len(text):
        what = "powers are" if text[rest] == "^" else "this character is"
        raise ExpressionError(f"{what} not allowed", rest)
    if wants_operand:
        raise ExpressionError("a number was expected", len(text))
    apply_down_to(0)
    if pending:
        raise ExpressionError('this "(" is never closed', pending[-1][1])
    return Expression(Fraction(values[0]), tuple(map(Fraction, numbers)), operations)


def literal(text: str) -> Fraction | None:
    """The value of one number and nothing else, or None.

    A fraction counts when it is in lowest terms: ``7/2`` is a number, ``84/2`` is a sum undone. A
    space may stand between the sign and the number.

    Example:
        >>> literal("-1,234"), literal("- 3.50"), literal("84/2"), literal("41+1")
        (Fraction(-1234, 1), Fraction(-7, 2), None, None)
    """
    match = _LITERAL.fullmatch(plain_signs(text)) if len(text) <= MAX_EXPRESSION_CHARS else None
    if match is None:
        return None
    try:
        value = Fraction(_number(match["top"], 0))
        if match["bottom"] is not None:
            top, bottom = value, _number(match["bottom"], 0)
            if top.denominator != 1 or bottom < 2:
                return None
            value = top / bottom
            if value.denominator != bottom:
                return None
    except ExpressionError:
        return None
    return -value if match["sign"] == "-" else value


def show(value: Fraction) -> str:
    """Write a value for a message: ``12``, ``-7/2``, or how long it is.

    Example:
        >>> show(Fraction(-7, 2)), show(Fraction(10**30))
        ('-7/2', 'a number with 31 digits')
    """
    text = str(value)
    if len(text) <= _MAX_SHOWN_CHARS:
        return text
    return f"a number with {sum(c.isdigit() for c in text)} digits"


def _number(text: str, position: int) -> int | Fraction:
    digits = text.replace(",", "")
    if len(digits) > MAX_DIGITS:
        raise ExpressionError(f"a number has at most {MAX_DIGITS} digits", position)
    return Fraction(digits) if "." in digits else int(digits)


def _combine(
    operator: str, left: int | Fraction, right: int | Fraction, position: int
) -> int | Fraction:
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    if operator == "*":
        return left * right
    if right == 0:
        raise ExpressionError("this divides by zero", position)
    return Fraction(left) / right
