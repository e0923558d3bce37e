"""Write one English word that uses all given letters and no other (letters may repeat).

Scoring of CORGI's panagram task (arXiv 2411.01483, released critic): the mean of three checks, a
valid word, no letter missing, no letter extra. Changed, and why:

- Letter case does not matter (there, "Baker" adds a letter B).
- Letters are listed in a fixed order: missing ones as the prompt lists them, extra ones as the
  reply uses them (there, the order changes from run to run).
- Validity is an offline dictionary (`corgi_gym.rewards.dictionary`) in place of a spell checker.
- The reply must be exactly one word; several are no answer and earn nothing, or listing guesses
  would pay. Quotation marks or Markdown's asterisks around it and a full stop after it are allowed,
  nothing else.
"""

from __future__ import annotations

from corgi_gym.rewards.dictionary import MAX_WORD_CHARS, is_word
from corgi_gym.rewards.registry import checker
from corgi_gym.rewards.text import listing, plural, quote
from corgi_gym.rewards.verdict import Problem, Verdict

# Letters named in one message: more do not help, and the message stays short.
MAX_NAMED_LETTERS = 6
_EDGES = "\"'\u201c\u201d\u2018\u2019.!*_`"  # quotes, and Markdown's bold and code


def _named(letters: list[str]) -> str:
    shown = letters[:MAX_NAMED_LETTERS]
    if len(letters) > MAX_NAMED_LETTERS:
        return f"letters {', '.join(shown)} and more"
    return f"{'letter' if len(shown) == 1 else 'letters'} {listing(shown)}"


@checker(
    "panagram",
    examples=[
        ("plane", "nlaep", True),
        (' "Planell." ', "nlaep", False),
        ("PANEL.", "nlaep", True),
        ("**plane**", "nlaep", True),
        ("panelplane", "nlaep", False),
        ("plan", "nlaep", False),
        ("planet", "nlaep", False),
        ("plane panel", "nlaep", False),
        ("nlaep", "nlaep", False),
    ],
)
def panagram(reply: str, target: str) -> Verdict:
    """Score one word for the letters ``target``; see the module docstring.

    Example:
        >>> verdict = panagram("plan", "nlaep")
        >>> round(verdict.score, 2), verdict.problems[0].message
        (0.67, '"plan" does not have the letter e. Use all the letters.')
    """
    parts = reply.split()
    if len(parts) != 1:
        message = (
            f"You wrote {plural(len(parts), 'word')}. Write exactly one word and nothing else."
        )
        return Verdict.wrong(0.0, Problem("one_word", message))
    word = parts[0].strip(_EDGES)
    if not word.isalpha() or len(word) > MAX_WORD_CHARS:
        message = f"{quote(parts[0], 24)} is not one word. Write exactly one word and nothing else."
        return Verdict.wrong(0.0, Problem("one_word", message))
    word = word.lower()
    start = reply.find(parts[0])
    where = (start, start + len(parts[0]))
    problems = []
    if not is_word(word):
        message = f"{quote(word, 24)} is not a valid English word."
        problems.append(Problem("valid_word", message, where))
    missing = [c for c in dict.fromkeys(target.lower()) if c not in word]
    if missing:
        message = f"{quote(word, 24)} does not have the {_named(missing)}. Use all the letters."
        problems.append(Problem("missing_letters", message, where))
    extra = [c for c in dict.fromkeys(word) if c not in target.lower()]
    if extra:
        message = f"{quote(word, 24)} has the {_named(extra)}. Use only the given letters."
        problems.append(Problem("extra_letters", message, where))
    if not problems:
        return Verdict.ok()
    return Verdict.wrong((3 - len(problems)) / 3, *problems)
