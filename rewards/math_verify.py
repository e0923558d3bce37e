r"""A mathematical answer: numbers exactly, everything else by math-verify in a killable process.

Source of the comparison of expressions: the package ``math-verify`` (extra ``math``), on sympy.
By itself it pays for ``\boxed{71+1}`` where 72 is asked for (so echoing the question wins), for
"definitely not 42", for "42, 43", and ``10^{10^8}`` keeps a process busy for hours. Here:

- One answer, in one place: a last line ``Answer: …`` or one ``\boxed{…}`` with nothing after it.
- The answer is a literal. Where the gold answer is a number, so is the answer (``3/4``, ``0.75``,
  ``\frac{3}{4}``, ``1 1/2``, ``1e3``, ``(5)``, ``1{,}200``; a fraction in lowest terms), and both
  are compared exactly, here. For a gold answer whose decimals never end, six of them are enough,
  cut or rounded. Elsewhere, an operation between two plain numbers (``71+1``, ``2^{10}``), a sum
  sign, a factorial and the like are refused, unless the gold answer has one too.
- Words, units and a percent sign must be those of the gold answer (units may be left out); so
  hedges, alternatives and other units are wrong. ``2xy`` has no unit: what is no known unit and
  stands beside a number or an operator is a product. As many parts between commas as the gold has.
- Only what is left is compared symbolically, in a worker with a deadline of 2 seconds. One that
  does not end is ``unscored``: nothing is known about the answer, and it pays nothing.

- Where the question is known, an answer that stands in it like that is an echo ("Simplify
  ``\sqrt{12}``", "write 0.75 as a fraction"), unless it is an integer or the gold answer itself.

Not checked: whether the reasoning before the answer is right. Not accepted: an expression that is
not simplified in a way that joins two plain numbers (``1 + 2x + 3``), even where it is equal.

Target: the gold answer, LaTeX or plain: ``"72"``, ``r"2\sqrt{3}"``, ``"(1, 2)"``; or
``{"answer": gold, "question": text}``.
"""

from __future__ import annotations

import importlib.util
import re
from fractions import Fraction
from functools import cache
from typing import Any

from corgi_gym.rewards.answer_line import find_answer_line
from corgi_gym.rewards.isolate import Isolated, IsolationError
from corgi_gym.rewards.rational import literal
from corgi_gym.rewards.registry import checker
from corgi_gym.rewards.text import quote
from corgi_gym.rewards.verdict import Problem, Verdict

# The longest answers of GSM8K and MATH have about 150 characters.
MAX_ANSWER_CHARS = 400
DEADLINE_SECONDS = 2.0
_MEMORY_MB = 512

_BOXED = re.compile(r"\\(?:boxed|fbox)\s*\{")
_HAS_ANSWER_LINE = re.compile(
    r"^[ \t>#*_`-]{0,8}answer[ \t*_`]{0,4}:", re.IGNORECASE | re.MULTILINE
)
_DENIAL = re.compile(
    r"\b(?:not|never|no|nor|neither|either|maybe|perhaps|possibly|wrong|incorrect|or)\b|n't\b",
    re.IGNORECASE,
)
_IN_EITHER = re.compile(r"\bin (?:either|neither) (?:case|way)\b|\beither way\b", re.IGNORECASE)
_AFTER_BOX = re.compile(r"[\s$.!*_)\]\\]*")
_TEXT = re.compile(r"\\(?:text|textbf|textit|mathrm|mathbf|mbox|operatorname)\s*\{([^{}]*)\}")
_COMMAND = re.compile(r"\\[a-zA-Z]+")
_WORD = re.compile(r"[A-Za-z]{2,}")
# Small letters that are no part of a command or a longer word.
_RUN = re.compile(r"(?<![A-Za-z\\])[a-z]{2,4}(?![A-Za-z])")
_LETTER = re.compile(r"(?<![A-Za-z\\])[a-z](?![A-Za-z])")
_PRODUCT = re.compile(
    r"(?<=[\d)}])[a-z]{2,3}(?![A-Za-z])|(?<=\{)[a-z]{2,3}(?=\})"
    r"|(?<![A-Za-z\\])[a-z]{2,3}(?=\s*[-+*/^(])"
)
# Units, endings and functions that are written like a product.
_SYMBOLS = (
    "mm cm dm km mg kg ml cl dl lb lbs oz ft in yd mi pt qt gal hr hrs min sec am pm mph kph rpm "
    "st nd rd th deg rad cc px hz kw kwh kj mol gb mb kb ct cts pts usd eur sq cu pi ln log sin "
    "cos tan cot sec csc exp max min mod gcd lcm or and not if"
)
_NO_PRODUCT = frozenset(_SYMBOLS.split())
_FRACTION = re.compile(
    r"([-+]?)\s*(\d{1,9})?\s*\\[dtc]?frac\s*(?:\{(-?\d+)\}|(\d))\s*(?:\{(\d+)\}|(\d))"
)
# One digit: 4.2e1 for 42 is a detour.
_SCIENTIFIC = re.compile(r"([-+]?\d)[eE]([-+]?\d{1,2})")
_MIXED = re.compile(r"(-?)(\d{1,9}) (\d{1,9}/\d{1,9})")
# Thousands as "1\,200" sets them.
_GROUPED = re.compile(r"[-+]?\d{1,3}(?: \d{3})+")
_DECIMALS = re.compile(r"[-+]?[\d,]*\.(\d+)")
_DEGREES = re.compile(r"\^\s*(?:\\circ|\{\s*\\circ\s*\})|\N{DEGREE SIGN}")
# Braces around one character, and spaces that part nothing: they change no formula.
_ONE_BRACED = re.compile(r"\{\s*([^\s{}\\])\s*\}")
_LOOSE_SPACE = re.compile(r"(?<!\w)\s+|\s+(?!\w)")
# What may stand before the box on an answer line: markup, and the name of the unknown.
_BEFORE_BOX = re.compile(r"[\s$*_`([\\]*(?:[a-zA-Z]\s*=\s*)?[\s$*_`([\\]*")
_WRAPPED = re.compile(r"^\(([^(),]+)\)$")
_ARTICLE = re.compile(r"^(?:the|an?) (?=[A-Za-z])", re.IGNORECASE)
# Decimals after which a number that never ends is taken for its rounded or cut form.
_LEAST_DECIMALS = 6
# Words behind a number. What parts them is never empty: repeated, it would be exponential.
_UNIT = re.compile(r"(?<=[\d}])\s*[A-Za-z]{2,}(?:[ ^\d]+[A-Za-z]+)*$")
# What an equals sign may stand behind: the name of an unknown or of a function.
_NAME = re.compile(r"[a-zA-Z](?:_\w|_\{\w+\})?(?:\([a-zA-Z]\))?")
# A unit at the end, as text or as letters behind a number, and its power.
_UNIT_POWER = re.compile(
    r"(?:\\(?:text|textbf|textit|mathrm|mathbf|mbox)\s*\{[^{}]*[A-Za-z][^{}]*\}|(?<=[\d}\s])[A-Za-z]+)"
    r"\s*(?:\^\s*\{?\s*(?P<power>\d+)\s*\}?)?\s*$"
)
_FORMULA = re.compile(r"\$+([^$]+)\$+")
_ONE_BRACKETED = re.compile(r"[(\[][^()\[\]]*[)\]]")
_BASE = re.compile(r"\d_(?:(\d+)|\{(\d+)\})$")
_ASSIGNMENT = re.compile(r"^[a-zA-Z]\s*=\s*(?=[-+\d.\\])")


@checker(
    "math_verify",
    slow=True,  # waits for a guarded process
    examples=[
        ("6 times 12 is 72.\nAnswer: 72", "72", True),
        (r"So the result is $\boxed{72}$.", "72", True),
        (r"\boxed{71+1}", "72", False),
        ("Answer: 42, 43", "42", False),
        (r"It is definitely not \boxed{42}", "42", False),
        ("Answer: 0.75", r"\frac{3}{4}", True),
        ("Answer: 6/8", r"\frac{3}{4}", False),
        ("Answer: 5 feet", r"5 \text{ meters}", False),
        ("Answer: 10^{10^8}", "72", False),
    ],
)
def math_verify(reply: str, target: Any) -> Verdict:
    """Compare the one answer of a reply with the gold answer; see the module docstring.

    Raises:
        TypeError: For a target that is neither of the two forms.
        ImportError: If the package math-verify is needed and not installed.
        IsolationError: If no worker could be had.
    """
    found = find_answer(reply)
    if isinstance(found, Problem):
        return Verdict.wrong(0.0, found)
    gold, question = _read_target(target)
    answer, gold = _plain(found), _plain(gold)
    if not gold.startswith("("):
        answer = _WRAPPED.sub(r"\1", answer)
    if _is_words(gold):
        answer, gold = _ARTICLE.sub("", answer), _ARTICLE.sub("", gold)
    elif variables := _variables(gold):
        answer, gold = _factors_apart(answer, variables), _factors_apart(gold, variables)
    shown = quote(found, 60)
    if len(answer) > MAX_ANSWER_CHARS:
        text = f"Your answer has {len(answer)} characters. Write only the final value."
        return Verdict.wrong(0.0, Problem("answer_form", text))
    wrong = Verdict.wrong(0.0, Problem("answer", f"{shown} is not the right answer."))
    unit = _foreign_words(answer, gold)
    if unit:
        text = f"{shown} holds {quote(unit)}. Write only the final value."
        return Verdict.wrong(0.0, Problem("answer_form", text))
    if _same_text(answer, gold):
        return Verdict.ok()
    number = _number(_without_words(gold))
    if (number is None or number.denominator > 1) and _stands_in(answer, question):
        text = f"{shown} stands in the question like that. Work it out and write the result."
        return Verdict.wrong(0.0, Problem("answer_form", text))
    if number is not None:
        plain = _without_words(_ASSIGNMENT.sub("", answer))
        value = _number(plain)
        if value is None:
            text = f"{shown} is not a single number. Work it out and write one number."
            return Verdict.wrong(0.0, Problem("answer_form", text))
        return Verdict.ok() if value == number or _rounds(value, number, plain) else wrong
    if _is_words(gold):
        return wrong
    if _parts(answer) != _parts(gold):
        text = f"{shown} has {_parts(answer)} part(s) between commas. Check how many are asked for."
        return Verdict.wrong(0.0, Problem("answer", text))
    if len(_bases(answer) | _bases(gold)) > 1:
        return wrong
    if _unlike_brackets(answer, gold) or _unlike_powers(answer, gold):
        return wrong
    if (ordered := _in_order(answer, gold)) is not None:
        answer, gold = ordered
    elif _says_more(answer, gold):
        text = f"{shown} says more than one thing. Write only the final value."
        return Verdict.wrong(0.0, Problem("answer_form", text))
    verdict = _compare(gold, answer, wrong)
    if verdict.success and _is_rearranged(answer, gold, question):
        text = f"{shown} only puts what is asked in another order. Write the result."
        return Verdict.wrong(0.0, Problem("answer_form", text))
    return verdict


def _is_rearranged(answer: str, gold: str, question: str) -> bool:
    """Whether an answer has the characters of a formula in the question, and the gold one has not.

    What "Expand $(x + 1)^2$" asks for is not ``(1+x)^2``.
    """

    def characters(text: str) -> list[str]:
        return sorted(
            _squeezed(_plain(text)).replace("+", "").replace(r"\cdot", "").replace("*", "")
        )

    own = characters(answer)
    formulas = map(characters, _FORMULA.findall(question))
    return own != characters(gold) and any(own == formula for formula in formulas)


def _unlike_brackets(answer: str, gold: str) -> bool:
    """Whether one is a set and the other a point or an interval, which are compared as lists.

    Several points side by side are neither: ``(1, 4), (4, 1)``.
    """
    kinds = {"\\{": "set", "(": "point", "[": "point"}
    found = [
        next((kind for start, kind in kinds.items() if text.startswith(start)), "")
        for text in (answer, gold)
        if text.startswith("\\{") or _ONE_BRACKETED.fullmatch(text)
    ]
    return len(found) == 2 and found[0] != found[1]


def _unlike_powers(answer: str, gold: str) -> bool:
    """Whether the answer has a unit and not to the power that it has in the gold answer."""
    one, other = _UNIT_POWER.search(answer), _UNIT_POWER.search(gold)
    if one is None or other is None:
        return False
    if not other[0].startswith("\\") and _number(gold[: other.start()]) is None:
        return False  # no unit behind a number, but the last unknown of "x^2 + 3x"
    return (one["power"] or "1") != (other["power"] or "1")


def _in_order(answer: str, gold: str) -> tuple[str, str] | None:
    """Both as points, where the gold answer names its unknowns and the answer does not.

    ``2, 1`` is not ``x = 1, y = 2``, and a comparison of lists would pay it.
    """
    sides = [part.split("=") for part in gold.strip("()").split(",")]
    named = all(len(side) == 2 and _NAME.fullmatch(side[0].strip()) for side in sides)
    if len(sides) < 2 or not named or "=" in answer:
        return None
    values = ", ".join(value.strip() for _, value in sides)
    return f"({answer.strip('()')})", f"({values})"


def _bases(text: str) -> set[str]:
    """The base of a number in digits, which the comparison passes over."""
    return {match[1] or match[2] for match in [_BASE.search(text)] if match}


def _says_more(answer: str, gold: str) -> bool:
    """Whether it has equals signs that the comparison would pass over.

    Of ``a = b`` it reads b alone, and of ``y = 3, x = 5`` a pair. Names are fine before the only
    equals sign (``x = 5``), and in alphabetical order (``x = 5, y = 3``).
    """
    if "=" not in answer or ("=" in gold and answer.count("=") == gold.count("=")):
        return False
    parts = answer.strip("()").split(",")
    sides = [part.split("=") for part in parts]
    if len(parts) == 1:
        return len(sides[0]) > 2 or not _NAME.fullmatch(sides[0][0].strip())
    names = [side[0].strip() for side in sides]
    named = all(len(side) == 2 for side in sides) and all(map(_NAME.fullmatch, names))
    return not named or names != sorted(names)


def _read_target(target: Any) -> tuple[str, str]:
    """The gold answer and the question ("" where it is not known)."""
    if isinstance(target, dict):
        target, question = target.get("answer"), target.get("question", "")
    else:
        question = ""
    if not isinstance(target, str) or not isinstance(question, str):
        raise TypeError(
            "a target of math_verify is a string, or a dict with the strings 'answer' and "
            f"'question', got {target!r:.80}"
        )
    return target, question


def _stands_in(answer: str, question: str) -> bool:
    """Whether the question has the answer as it is; a number not as a part of another one."""
    term = _squeezed(answer)
    before = r"(?<![\w.])" if term[:1].isalnum() else ""
    pattern = rf"{before}{re.escape(term)}(?![\w^])(?!\.\d)"
    return bool(term) and re.search(pattern, _squeezed(_plain(question))) is not None


def _compare(gold: str, answer: str, wrong: Verdict) -> Verdict:
    outcome = pool().call(gold, answer)
    if not outcome.ok:
        return Verdict.unscored(f"the comparison ended with {outcome.status}: {outcome.error}")
    if outcome.value == "gold":
        return Verdict.unscored(f"the gold answer {quote(gold)} cannot be read")
    if outcome.value == "answer":
        text = f"{quote(answer, 60)} cannot be read as mathematics. Write plain LaTeX."
        return Verdict.wrong(0.0, Problem("answer_form", text))
    if outcome.value == "unfinished":
        text = f"{quote(answer, 60)} can be worked out further. Write the final value."
        return Verdict.wrong(0.0, Problem("answer_form", text))
    return Verdict.ok() if outcome.value == "equal" else wrong


def find_answer(reply: str) -> str | Problem:
    r"""The text of the one answer: on the last line ``Answer: …``, or in the one ``\boxed{…}``.

    Example:
        >>> find_answer(r"Thus $\boxed{\frac{1}{2}}$.")
        '\\frac{1}{2}'
    """
    boxes = list(_BOXED.finditer(reply))
    if _HAS_ANSWER_LINE.search(reply):
        line = find_answer_line(reply, "the final value")
        if isinstance(line, Problem):
            return line
        inside = [box for box in boxes if box.start() >= line.line_start]
        if len(inside) < len(boxes):
            text = r'You gave an answer in \boxed{} and another after "Answer:". Give exactly one.'
            return Problem("answer_repeated", text)
        if not boxes:
            return line.text
        if _BEFORE_BOX.fullmatch(reply, line.where[0], boxes[0].start()) is None:
            text = r"There is text before your \boxed{} on the answer line. Write only the value."
            return Problem("answer_form", text, line.where)
    if not boxes:
        text = r'There is no final answer. End with one line: "Answer:" and the value.'
        return Problem("answer_missing", text)
    if len(boxes) > 1:
        text = rf"You wrote \boxed{{}} {len(boxes)} times. Write it exactly once, at the end."
        return Problem("answer_repeated", text, boxes[1].span())
    box = boxes[0]
    end = _closing_brace(reply, box.end())
    if end is None or not reply[box.end() : end].strip():
        return Problem("answer_empty", r"Your \boxed{} is empty or not closed.", box.span())
    if _AFTER_BOX.fullmatch(reply, end + 1) is None:
        text = r"There is text after your \boxed{}. Make it the end of your reply."
        return Problem("answer_not_last", text, (end + 1, len(reply)))
    before = re.split(r"[.\n:;]", reply[: box.start()])[-1]
    # "There is no other root, so it is 5", and "in either case"
    claim = _IN_EITHER.sub(" ", re.split(r"\b(?:so|thus|therefore|hence)\b", before)[-1])
    if _DENIAL.search(claim):
        text = r"The sentence with your \boxed{} takes it back or leaves it open. State the answer."
        return Problem("answer_hedged", text, (box.start() - len(before), end + 1))
    return reply[box.end() : end].strip()


def _closing_brace(text: str, start: int) -> int | None:
    depth = 1
    for match in re.compile(r"\\[{}\\]|[{}]").finditer(text, start):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if depth == 0:
            return match.start()
    return None


def _plain(text: str) -> str:
    """Without dollar signs, spacing commands and a final full stop."""
    text = (
        text.strip()
        .replace("\N{MINUS SIGN}", "-")
        .removeprefix(r"\(")
        .removesuffix(r"\)")
        .removeprefix(r"\[")
    )
    text = text.removesuffix(r"\]").replace(r"\$", "").replace("$", "").replace("{,}", ",")
    text = re.sub(r"(?<!\\)\\(?:[!,;: ]|left(?![a-z])|right(?![a-z])|q?quad(?![a-z]))", " ", text)
    text = text.replace(r"\dfrac", r"\frac").replace(r"\tfrac", r"\frac").replace(r"\%", "%")
    return " ".join(text.split()).removesuffix(".").rstrip()


def _variables(gold: str) -> set[str]:
    """The letters of a gold answer with which it calculates: ``x`` and ``y`` of ``2xy + 1``.

    Small letters that stand alone, and those of two or three right behind a number or beside an
    operator, unless they are a unit or a function.
    """
    text = _TEXT.sub(" ", gold)
    runs = [run for run in _PRODUCT.findall(text) if run not in _NO_PRODUCT]
    return {*_LETTER.findall(text), *"".join(runs)}


def _factors_apart(text: str, variables: set[str]) -> str:
    """``2{x}{y}`` for ``2xy``: a product of variables in any order is no word and no unit."""

    def apart(match: re.Match[str]) -> str:
        if match[0] in _NO_PRODUCT or not variables.issuperset(match[0]):
            return match[0]
        return "".join(f"{{{letter}}}" for letter in match[0])

    return _RUN.sub(apart, text)


def _words(text: str) -> list[str]:
    text = _TEXT.sub(r" \1 ", text)
    found = [word.lower() for word in _WORD.findall(_COMMAND.sub(" ", text))]
    return found + ["%"] * text.count("%")


def _foreign_words(answer: str, gold: str) -> str:
    """The first word of the answer that the gold answer does not have, or ""."""
    known = set(_words(gold))
    if known and _DEGREES.search(answer) and not _DEGREES.search(gold):
        return "degrees"  # without any unit in the gold answer, its unit may be degrees
    return next((word for word in _words(answer) if word not in known), "")


def _without_words(text: str) -> str:
    """Without units: text commands, words behind a number, percent and degree signs."""
    text = _DEGREES.sub(" ", _TEXT.sub(" ", text).replace("%", " "))
    return _UNIT.sub("", text.strip()).strip()


def _is_words(gold: str) -> bool:
    """Whether the gold answer is a name or an option, which only equal text matches."""
    return (
        bool(_TEXT.fullmatch(gold.strip("()"))) or re.fullmatch(r"[A-Za-z ]{2,}", gold) is not None
    )


def _same_text(answer: str, gold: str) -> bool:
    one, other = _squeezed(answer), _squeezed(gold)
    if _is_words(gold):
        one, other = one.strip("()").lower(), other.strip("()").lower()
    return one == other != ""


def _squeezed(text: str) -> str:
    r"""Without spaces and braces that change nothing.

    ``\frac{1}{12}`` and ``\frac{11}{2}`` stay different, and so do ``1 1/2`` and ``11/2``.
    """
    text = _ONE_BRACED.sub(r"\1", _TEXT.sub(r"\1", text))
    return _LOOSE_SPACE.sub("", text)


def _number(text: str) -> Fraction | None:
    """The exact value of one number: a literal, a LaTeX fraction in lowest terms, or mixed."""
    text = text.strip()
    if scientific := _SCIENTIFIC.fullmatch(text):
        return Fraction(scientific[1]) * Fraction(10) ** int(scientific[2])
    if mixed := _MIXED.fullmatch(text):
        return _signed(mixed[1], mixed[2], mixed[3])
    if match := _FRACTION.fullmatch(text):
        return _signed(match[1], match[2], f"{match[3] or match[4]}/{match[5] or match[6]}")
    if _GROUPED.fullmatch(text):
        return literal(text.replace(" ", ""))
    return literal(re.sub(r"^([-+]) +", r"\1", text))


def _signed(sign: str, whole: str | None, fraction: str) -> Fraction | None:
    """A fraction, or a whole number and a part of one, with one sign at most."""
    part = literal(fraction)
    if part is None or (whole and not 0 < part < 1) or (sign and part < 0):
        return None
    value = int(whole or 0) + part
    return -value if sign == "-" else value


def _rounds(value: Fraction, gold: Fraction, answer: str) -> bool:
    """Whether a decimal is a gold answer without end (1/3), cut or rounded after six or more."""
    found, rest = _DECIMALS.fullmatch(answer), gold.denominator
    while rest % 2 == 0 or rest % 5 == 0:
        rest //= 2 if rest % 2 == 0 else 5
    if found is None or rest == 1 or len(found[1]) < _LEAST_DECIMALS:
        return False
    step = Fraction(1, 10 ** len(found[1]))
    cut = value * gold > 0 and 0 <= abs(gold) - abs(value) < step
    return cut or 2 * abs(value - gold) <= step


def _parts(text: str) -> int:
    """Parts between commas; a comma inside a number separates nothing."""
    return 1 + len(re.findall(r",", re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text)))


_POOL = Isolated(
    "corgi_gym.rewards._math_child:compare", deadline=DEADLINE_SECONDS, memory_mb=_MEMORY_MB
)


def pool() -> Isolated:
    """The worker that compares expressions.

    Raises:
        ImportError: If the package math-verify is not installed.
    """
    _check_packages()
    return _POOL


@cache
def _check_packages() -> None:
    for package in ("math_verify", "latex2sympy2_extended", "sympy", "antlr4"):
        if importlib.util.find_spec(package) is None:
            raise ImportError(
                f'comparing expressions needs the package {package}: pip install "corgi-gym[math]"'
            )


__all__ = ["IsolationError", "find_answer", "math_verify", "pool"]
