"""From a verdict to the next user message: five levels of corrective feedback.

| level  | the message says                                   |
|--------|----------------------------------------------------|
| silent | only that there is another attempt                 |
| binary | that the reply is incorrect                        |
| score  | the score                                          |
| which  | the kinds of constraint that fail                  |
| full   | every problem, with what was found and asked for   |

The text is a pure function of the verdict, bounded in length, free of control characters and of
anything that could become a chat-control token. Feedback never adds a constraint to the prompt.
"""

from __future__ import annotations

from typing import Literal, get_args

from corgi_gym.rewards import Verdict
from corgi_gym.rewards.text import harmless, listing

FeedbackLevel = Literal["silent", "binary", "score", "which", "full"]
LEVELS: tuple[FeedbackLevel, ...] = get_args(FeedbackLevel)

# Longest feedback in characters: long enough for every message of the shipped checkers, short
# enough that a checker that quotes its input cannot flood the context.
MAX_FEEDBACK_CHARS = 600
SOLVED = "Correct."
_AGAIN = "Try again."
# What leaves room for the last words, and what is looked at: control tokens shrink when defused.
_MAX_TEXT_CHARS = MAX_FEEDBACK_CHARS - len(_AGAIN) - 1
_MAX_READ_CHARS = 4 * _MAX_TEXT_CHARS
_REPEATED = "You wrote the same again."


def check_level(level: str) -> FeedbackLevel:
    """Return ``level`` if it exists.

    Raises:
        ValueError: For an unknown level; the message lists the known ones.
    """
    if level not in LEVELS:
        raise ValueError(f"unknown feedback level {level!r}; choose from {', '.join(LEVELS)}")
    return level


def feedback(verdict: Verdict, level: FeedbackLevel = "full", *, repeated: bool = False) -> str:
    """The user message that answers a reply with this verdict.

    Args:
        verdict: The checker's.
        level: How much to say.
        repeated: The reply equals the one before it; only ``full`` says so. Small models repeat
            themselves word for word, and without this line they see the same message again.

    Example:
        >>> from corgi_gym.rewards import Problem
        >>> v = Verdict.wrong(0.2, Problem("word_count", "You wrote 3 words. Write 4."))
        >>> feedback(v, "binary"), feedback(v, "which")
        ('Incorrect. Try again.', 'Wrong: word count. Try again.')
        >>> feedback(v, "full")
        'You wrote 3 words. Write 4. Try again.'
    """
    if verdict.success:
        return SOLVED
    if level == "silent":
        return _AGAIN
    if verdict.status == "unscored":
        return f"Your reply could not be checked. {_AGAIN}"
    if level == "binary":
        return f"Incorrect. {_AGAIN}"
    if level == "score":
        # a failing reply is never told that it scored 1.00
        return f"Score: {min(verdict.score, 0.99):.2f} of 1. {_AGAIN}"
    if level == "which":
        kinds = list(dict.fromkeys(p.kind.replace("_", " ") for p in verdict.problems))
        text = f"Wrong: {listing(kinds)}."
    else:
        text = " ".join([problem.message.strip() for problem in verdict.problems])
        if repeated:
            text = f"{_REPEATED} {text}"
    # the texts of problems are normalised, and so is what spaces join
    return f"{harmless(text[:_MAX_READ_CHARS], _MAX_TEXT_CHARS)} {_AGAIN}"
