"""Changes of checker modules that no test can notice, each with its reason.

A row is (module, a piece of the changed line, the changes, why). A change is written as
``mutation --survivors`` prints it. Rows are found by the text of the line, so they stay right when
a module grows, and stop counting when the line changes.
"""

from __future__ import annotations

from corgi_gym.benchmarks._mutants import Mutant

_ONE = "the first of one is the last of one"
_CHECKED = "lists of equal length by construction"
_NO_VALUE = "no value to give the credit for"
_EXACT = "exact arithmetic gives the same value"
_UNTOLD = "the place of this error is not told"

EQUIVALENT = (
    ("clustering", "lonely = {group.names[0]", "0 -> -1", _ONE),
    ("panagram", "word = parts[0].strip", "0 -> -1", _ONE),
    ("panagram", "start = reply.find(parts[0])", "0 -> -1", _ONE),
    ("panagram", "where = (start, start + len(parts[0]))", "0 -> -1", _ONE),
    ("logical_deduction", "number - 1 if number > 0", "0 -> -1", "a place is never 0"),
    ("linear_equations", "            break", "break -> continue", "a part is missing anyway"),
    ("fractions_units", "return None, Problem(", "0.0 -> 1.0", _NO_VALUE),
    ("constraints/segments", "_ends_sentence(token[0], text[", "1 -> 0", "a space has no case"),
    ("llm_judge/lines", "said = found[0].partition", "0 -> -1", _ONE),
    ("llm_judge/prompt", "defuse(reply, len(reply) + 1)", "1 -> 0", "replies are in NFC already"),
    ("llm_judge/judge", "zip(self.rubric.criteria, marks", "True -> False", _CHECKED),
    ("rational", "_PRECEDENCE = {", "1 -> 0", _EXACT),
    ("rational", "_PRECEDENCE = {", "2 -> 3", _EXACT),
    ("rational", "_PRECEDENCE = {", "3 -> 2", _EXACT),
    ("rational", "_PRECEDENCE = {", "3 -> 4", _EXACT),
    ("rational", "match[match.lastgroup or 0]", "0 -> -1", "a match always has a group"),
    ("rational", "apply_down_to(0)", "0 -> 1", "no operator is below 1"),
    ("rational", "apply_down_to(0)", "0 -> -1", "no operator is below 1"),
    ("rational", "Fraction(values[0])", "0 -> -1", _ONE),
    ("rational", "_LITERAL.fullmatch(plain_signs(text)) if len(text) <=",
     "len(text) <= MAX_EXPRESSION_CHARS -> len(text) < MAX_EXPRESSION_CHARS",
     "a number of so many characters has too many digits"),
    ("rational", '_number(match["top"], 0)', "0 -> 1", _UNTOLD),
    ("rational", '_number(match["top"], 0)', "0 -> -1", _UNTOLD),
    ("rational", '_number(match["bottom"], 0)', "0 -> 1", _UNTOLD),
    ("rational", '_number(match["bottom"], 0)', "0 -> -1", _UNTOLD),
    ("steps", "    if len(parts) > 1:", "1 -> 0", "the same reading twice"),
    ("steps", 'if reading.count(")") > reading.count("(")',
     "reading.count(')') > reading.count('(') -> reading.count(')') >= reading.count('(')",
     "without its parenthesis it is no arithmetic"),
)  # fmt: skip


def reason(module: str, source: str, mutant: Mutant) -> str | None:
    """Why a change of this module goes unnoticed, or None if nobody has said so.

    Args:
        module: Its name.
        source: Its text.
        mutant: The change.
    """
    line = source.splitlines()[mutant.line - 1]
    change = f"{mutant.before} -> {mutant.after}"
    found = (row for row in EQUIVALENT if row[0] == module and row[1] in line and row[2] == change)
    return next((row[3] for row in found), None)
