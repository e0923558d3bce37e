"""Replies in which a writer judges itself: an answer, feedback if it likes, and a verdict.

    (4 * 2) = 9
    Answer: 9
    Feedback: 4 * 2 is 8.
    Verdict: incorrect

The answer ends where the first line ``Feedback:`` or ``Verdict:`` begins, and a checker sees the
answer alone. The verdict is read as strictly as that of any other judge
(`corgi_gym.rewards.llm_judge.lines`): in the last line, once, one of two words.

The format is ours. S2R (arXiv 2502.12853) has solve and verify segments in running text, ReVISE
(arXiv 2502.14565) a token ``[refine]`` in the place of the end of the text, and SELF (arXiv
2310.00533) feedback as a turn of its own; here all three say it in words that every tokenizer has.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from corgi_gym.rewards.llm_judge.answer import MAX_ANSWER_CHARS, FormatError
from corgi_gym.rewards.llm_judge.lines import CORRECT, INCORRECT, read_verdict

FEEDBACK, VERDICT = "Feedback:", "Verdict:"
# Added to the prompt of a task; short, since every prompt has it.
REQUEST = (
    f' Then judge your answer in one last line: "{VERDICT} {CORRECT}" if you are sure of it, or '
    f'"{VERDICT} {INCORRECT}".'
)
# What answers a reply, by its verdict. None of it depends on whether the answer is right.
AGAIN = f'Then correct it: write the whole answer again, and the line "{VERDICT}".'
NO_VERDICT = (
    f'The last line is no verdict. Write the whole answer again, and in one last line "{VERDICT} '
    f'{CORRECT}" or "{VERDICT} {INCORRECT}".'
)
DONE = "Done."

# What a marker may be wrapped in, as `read_verdict` allows it.
_MARKER = re.compile(r"^[ \t*_`\"'.]*(?:feedback|verdict)[ \t*_`\"'.]*:", re.IGNORECASE | re.M)
_FEEDBACK = re.compile(r"^[ \t*_`\"'.]*feedback[ \t*_`\"'.]*:[*_ \t]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SelfChecked:
    """A reply, taken apart.

    Attributes:
        answer: What the checker sees, without white space at its end.
        feedback: What the writer says of it, in one line; "" where it says nothing.
        verdict: Whether the writer calls it correct; ``None`` where there is no readable verdict.
        end: Characters of the reply up to the first marker (all of it where there is none).
    """

    answer: str
    feedback: str
    verdict: bool | None
    end: int

    @property
    def message(self) -> str:
        """The user message that answers it, while attempts are left."""
        return DONE if self.verdict else NO_VERDICT if self.verdict is None else AGAIN


def take_apart(reply: str) -> SelfChecked:
    r"""Take a reply apart; any string is one.

    Example:
        >>> take_apart("Answer: 9\nFeedback: 4 * 2 is 8.\nVerdict: incorrect")
        SelfChecked(answer='Answer: 9', feedback='4 * 2 is 8.', verdict=False, end=10)
        >>> take_apart("Answer: 9").verdict
    """
    marker = _MARKER.search(reply)
    if marker is None:
        return SelfChecked(reply, "", None, len(reply))
    tail = reply[marker.start() :]
    try:
        verdict = read_verdict(tail)
    except FormatError:
        verdict = None
    first = tail[:MAX_ANSWER_CHARS].split("\n", 1)[0]
    said = _FEEDBACK.match(first)
    feedback = first[said.end() :].strip() if said else ""
    return SelfChecked(reply[: marker.start()].rstrip(), feedback, verdict, marker.start())


def judged(answer: str, correct: bool, feedback: str = "") -> tuple[str, str]:
    r"""A reply in two pieces: the answer, and the writer's judgement of it.

    Example:
        >>> "".join(judged("Answer: 9", False, "4 * 2 is 8."))
        'Answer: 9\nFeedback: 4 * 2 is 8.\nVerdict: incorrect'
    """
    said = f"{FEEDBACK} {' '.join(feedback.split())}\n" if feedback.strip() else ""
    return f"{answer.rstrip()}\n", f"{said}{VERDICT} {CORRECT if correct else INCORRECT}"
