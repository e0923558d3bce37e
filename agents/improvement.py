"""Interactive trajectory editing: a policy's own wrong reply, checked and mended step by step.

Stage 1 of TriPosT (arXiv 2310.13522; `docs/tripost.md`). The policy's attempts are kept up to the
first one on which its own feedback is missing, unreadable or not that of the feedback module; from
there on the feedback module says what is wrong, and the improvement module writes the next attempt
from the wrong step on, until an attempt is right. What breaks a rule on the way is rejected, by
name, and counted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from corgi_gym.agents.replay import Example, Piece
from corgi_gym.envs import Task
from corgi_gym.rewards import judge
from corgi_gym.rewards.trajectory import (
    ALL_CORRECT,
    FEEDBACK,
    UPDATED,
    Detail,
    StepFeedback,
    Trajectory,
    parse_feedback,
    parse_trajectory,
    steps_of,
)

# TriPosT's limits: updates of one trajectory, and words of one attempt.
MAX_UPDATES, MAX_WORDS = 5, 512
# Kinds of examples: an attempt with feedback and the next attempt; an attempt that is right; a
# witness.
IMPROVEMENT, OWN, RATIONALE = "improvement", "own", "rationale"

# Given tasks and attempts, the earliest mistake of each; ``None`` where there is no feedback.
FeedbackModule = Callable[[Sequence[tuple[Task, str]]], list[StepFeedback | None]]
# Given tasks, attempts and their mistakes, the next attempts; ``None`` where there is none.
ImprovementModule = Callable[[Sequence[tuple[Task, str, StepFeedback]]], list[str | None]]


@dataclass
class Edited:
    """A trajectory on its way through the editor.

    Attributes:
        task: Its task.
        attempts: As in `Trajectory`.
        feedbacks: As in `Trajectory`.
        edited: Whether anything in it is not the policy's own, but for a closing verdict.
        status: ``"open"`` while it goes on, ``"right"`` when its last attempt solves the task,
            ``"cut"`` when only its first corrected feedback could be kept, or why it was rejected.
    """

    task: Task
    attempts: list[str] = field(default_factory=list)
    feedbacks: list[str] = field(default_factory=list)
    edited: bool = False
    status: str = "open"
    mistakes: list[StepFeedback] = field(default_factory=list)

    @property
    def updates(self) -> int:
        """Attempts after the first one that was corrected."""
        return len(self.mistakes)


class Editor:
    """Turns replies into trajectories that end with a right attempt.

    Args:
        feedback: The feedback module; it is asked about wrong attempts only.
        improve: The improvement module.
        detail: What feedback names (`corgi_gym.rewards.trajectory.Detail`).
        max_updates: Attempts of the improvement module per trajectory.
        max_words: Longest attempt that is kept.
    """

    def __init__(
        self,
        feedback: FeedbackModule,
        improve: ImprovementModule,
        *,
        detail: Detail = "full",
        max_updates: int = MAX_UPDATES,
        max_words: int = MAX_WORDS,
    ) -> None:
        self.feedback, self.improve = feedback, improve
        self.detail, self.max_updates, self.max_words = detail, max_updates, max_words

    def edit(self, replies: Sequence[tuple[Task, str]]) -> list[Edited]:
        """Edit replies; all trajectories that go on are one call of each module."""
        trajectories = [self._accept(task, reply) for task, reply in replies]
        self._find_first_mistakes([t for t in trajectories if t.status == "open"])
        while going := [t for t in trajectories if t.status == "open"]:
            self._update(going)
        return trajectories

    # ---------------------------------------------------------------- the policy's own part

    def _accept(self, task: Task, reply: str) -> Edited:
        """The policy's attempts and feedback; a reply whose last attempt is right is kept.

        It ends with its first right attempt: whatever was said against that one was wrong.
        """
        own = parse_trajectory(reply)
        attempts = list(own.attempts)
        if len(attempts) > 1 and problem_of(task, attempts[-1], self.max_words) == "unfinished":
            attempts.pop()  # cut at the length limit: the attempts before it are whole
        made = Edited(task, attempts, list(own.feedbacks[: len(attempts)]))
        if problem := problem_of(task, attempts[-1], self.max_words):
            made.status = problem
        elif solves(task, attempts[-1]):
            first = next(n for n, attempt in enumerate(attempts) if solves(task, attempt))
            made.attempts = attempts = attempts[: first + 1]
            wrong = zip(attempts[:-1], made.feedbacks, strict=False)
            if not all(self._can_be_learned(task, *pair) for pair in wrong):
                made.attempts, made.feedbacks = attempts[-1:], []
            made.feedbacks[len(made.attempts) - 1 :] = [ALL_CORRECT]
            made.status = "right"
        else:  # what is edited begins with the first attempt
            problems = (problem_of(task, attempt, self.max_words) for attempt in attempts)
            made.status = next(filter(None, problems), made.status)
        return made

    def _can_be_learned(self, task: Task, attempt: str, feedback: str) -> bool:
        """Whether a wrong attempt of the policy and its own feedback are as an edited one's are.

        Else the right attempt after them would make an improvement of an empty attempt, or of a
        mistake in a step that is not there.
        """
        found = parse_feedback(feedback)
        if problem_of(task, attempt, self.max_words) or not isinstance(found, StepFeedback):
            return False
        return _fits(found, attempt)

    def _find_first_mistakes(self, trajectories: list[Edited]) -> None:
        """Cut each trajectory at its first attempt on which the policy's feedback is not right."""
        asked = [(t, n) for t in trajectories for n in range(len(t.attempts))]
        wrong = [(t, n) for t, n in asked if not solves(t.task, t.attempts[n])]
        found = self.feedback([(t.task, t.attempts[n]) for t, n in wrong])
        mistakes = {(id(t), n): mistake for (t, n), mistake in zip(wrong, found, strict=True)}
        for trajectory in trajectories:
            for number, attempt in enumerate(trajectory.attempts):
                if (id(trajectory), number) not in mistakes:  # right, and spoiled afterwards
                    trajectory.attempts = trajectory.attempts[: number + 1]
                    trajectory.feedbacks = [*trajectory.feedbacks[:number], ALL_CORRECT]
                    trajectory.status, trajectory.edited = "right", number > 0
                    break
                mistake = mistakes[id(trajectory), number]
                if mistake is None or not _fits(mistake, attempt):
                    trajectory.status = "no feedback"
                    break
                last = number == len(trajectory.attempts) - 1
                said = trajectory.feedbacks[number : number + 1]
                own = parse_feedback(said[0]) if said else None
                agrees = isinstance(own, StepFeedback) and own.agrees_with(mistake)
                if last or not agrees:
                    trajectory.attempts = trajectory.attempts[: number + 1]
                    trajectory.feedbacks = trajectory.feedbacks[:number]
                    trajectory.edited = True
                    self._say(trajectory, mistake)
                    break

    def _say(self, trajectory: Edited, mistake: StepFeedback) -> None:
        trajectory.mistakes.append(mistake)
        trajectory.feedbacks.append(mistake.text(self.detail))

    # ---------------------------------------------------------------- the modules' part

    def _update(self, going: list[Edited]) -> None:
        """One more attempt for each trajectory, and the feedback on those that are still wrong."""
        asked = [(t.task, t.attempts[-1], t.mistakes[-1]) for t in going]
        wrong = []
        for trajectory, attempt in zip(going, self.improve(asked), strict=True):
            old, mistake = trajectory.attempts[-1], trajectory.mistakes[-1]
            attempt = (attempt or "").strip()
            problem = problem_of(trajectory.task, attempt, self.max_words)
            problem = problem or broken_rule(old, attempt, mistake)
            if problem:
                trajectory.status = problem
                continue
            trajectory.attempts.append(attempt)
            if solves(trajectory.task, attempt):
                trajectory.feedbacks.append(ALL_CORRECT)
                trajectory.status = "right"
            elif trajectory.updates >= self.max_updates:
                trajectory.status = "never right"
            else:
                wrong.append(trajectory)
        found = self.feedback([(t.task, t.attempts[-1]) for t in wrong])
        for trajectory, new in zip(wrong, found, strict=True):
            if new is None or not _fits(new, trajectory.attempts[-1]):
                trajectory.status = "no feedback"
            elif regresses(trajectory.mistakes[-1], new):
                first = len(trajectory.attempts) - 1 - trajectory.updates
                trajectory.attempts = [trajectory.attempts[first]]
                trajectory.feedbacks = [trajectory.feedbacks[first]]
                trajectory.status = "cut"
            else:
                self._say(trajectory, new)


def _fits(mistake: StepFeedback, attempt: str) -> bool:
    """Whether feedback can be read, and speaks of a step and a part that stand in the attempt."""
    steps = steps_of(attempt)
    if mistake.step > len(steps) or mistake.part not in steps[mistake.step - 1]:
        return False
    return isinstance(parse_feedback(mistake.text()), StepFeedback)


def solves(task: Task, attempt: str) -> bool:
    """Whether an attempt solves its task; one that cannot be checked does not."""
    return judge(task.checker, attempt, task.target).success


def problem_of(task: Task, attempt: str, max_words: int = MAX_WORDS) -> str:
    """Why an attempt cannot be learned from, whatever its feedback; "" where it can."""
    verdict = judge(task.checker, attempt, task.target)
    if verdict.status == "unscored":
        return "unscored"
    if any(
        p.kind.startswith("answer_") and p.kind != "answer_not_number" for p in verdict.problems
    ):
        return "unfinished"
    if not attempt.strip():
        return "unfinished"
    if len(attempt.split()) > max_words:
        return "too long"
    if _question_of(task.prompt) in attempt:
        return "question repeated"
    if FEEDBACK in attempt or UPDATED in attempt:
        return "marker inside"
    return ""


def _question_of(prompt: str) -> str:
    """The sentence with the question mark; else the first one, which says what to do."""
    asked = re.search(r"[^.?!\n]*\?", prompt)
    return asked[0].strip() if asked else prompt.partition(".")[0]


def broken_rule(old: str, new: str, mistake: StepFeedback) -> str:
    """Which of TriPosT's rules on an update a new attempt breaks; "" for none.

    Steps before the wrong one stay as they are; the wrong one changes and loses its wrong part. A
    last step is compared with the last step, whatever was put in before it. A part at the end of
    its step is looked for at the end of the new step: a list that was too short may begin alike.

    Example:
        >>> broken_rule("1 + 1 = 2\\n2 * 2 = 5", "1 + 1 = 2\\n2 * 2 = 5 = 4", StepFeedback(2, "2 * 2 = 5"))
        ''
        >>> broken_rule("1 + 1 = 2\\n2 * 2 = 5", "1 + 1 = 2\\n2 * 2 = 5", StepFeedback(2, "5"))
        'mistake kept'
        >>> broken_rule("7 - 9 = -2\\nAnswer: 2", "7 - 9 = -2\\nAnswer: -2", StepFeedback(2, "2"))
        ''
    """  # noqa: D301, E501
    before, after = steps_of(old), steps_of(new)
    at = mistake.step - 1
    if after[:at] != before[:at]:
        return "right steps changed"
    if len(after) <= at:
        return ""  # the wrong step is gone
    was, now = before[at], after[-1 if mistake.step == len(before) else at]
    return "mistake kept" if now == was or _keeps(mistake.part, was, now) else ""


def _keeps(part: str, was: str, now: str) -> bool:
    """Whether a new step still has a part of the old one.

    As whole words and numbers: 2 does not stand in -2, 12 or 2/3. Markup and a full stop after a
    part do not move it from the end of its step.
    """
    if not part:
        return False
    whole = rf"(?:(?<![\w./-])|(?=[^\w.-])){re.escape(part)}(?:(?!\w|[./-]\w)|(?<=[^\w.-]))"
    at_end = rf"{whole}\W*$"
    return re.search(at_end if re.search(at_end, was) else whole, now) is not None


def regresses(old: StepFeedback, new: StepFeedback) -> bool:
    """Whether an update made it worse: an earlier mistake, or the same one again."""
    return new.step < old.step or new.agrees_with(old)


# ---------------------------------------------------------------- stage 2: examples


def to_examples(trajectory: Edited, weight: float, *, pairs: bool = False) -> list[Example]:
    """Cut a trajectory into examples.

    A right one with several attempts is an `IMPROVEMENT` from its first attempt to its closing
    verdict, and its last attempt with that verdict an `OWN` one. Tokens from the first feedback on
    have the ``weight`` in whatever was edited or improved, and 1 elsewhere.

    Args:
        trajectory: What `Editor` made.
        weight: See above.
        pairs: Cut it as TriPosT does: an attempt with its feedback and the next attempt is an
            improvement, which does not end the reply. That fits an inference which shows the model
            its newest attempt alone; where it sees its whole reply, nothing shows it how a reply
            goes on after an update.
    """
    task = trajectory.task

    def example(kind: str, attempt: str, rest: str, heavy: bool, closed: bool) -> Example:
        pieces = (Piece(attempt), Piece(rest, weight if heavy else 1.0))
        return Example.single(kind, task.prompt, *pieces, closed=closed, task_id=task.task_id)

    attempts, feedbacks = trajectory.attempts, trajectory.feedbacks
    made = []
    right = trajectory.status == "right"
    if pairs and right:
        for attempt, said, following in zip(attempts, feedbacks, attempts[1:], strict=False):
            rest = f"\n{FEEDBACK} {said}\n{UPDATED}\n{following}"
            made.append(example(IMPROVEMENT, attempt, rest, True, False))
    elif right and len(attempts) > 1:
        rest = Trajectory(tuple(attempts), tuple(feedbacks)).text().removeprefix(attempts[0])
        made.append(example(IMPROVEMENT, attempts[0], rest, True, True))
    if right:
        rest = f"\n{FEEDBACK} {ALL_CORRECT}"
        made.append(example(OWN, attempts[-1], rest, trajectory.edited, True))
    if trajectory.status == "cut":
        rest = f"\n{FEEDBACK} {feedbacks[0]}"
        made.append(example(IMPROVEMENT, attempts[0], rest, True, False))
    return made


def rationale_example(task: Task, *, verdict: bool) -> Example:
    """A task's witness, with the closing verdict or without any feedback."""
    text = Trajectory((task.witness,), (ALL_CORRECT,) if verdict else ()).text()
    return Example.single(RATIONALE, task.prompt, text, task_id=task.task_id)


def answer_example(task: Task) -> Example:
    """The last line of a task's witness alone."""
    answer = steps_of(task.witness)[-1]
    return Example.single(RATIONALE, task.prompt, answer, task_id=task.task_id)


def outcomes(trajectories: Sequence[Edited]) -> Counter[str]:
    """How many trajectories ended how; those that were right without help are ``"own"``."""
    return Counter(
        "own" if t.status == "right" and not t.edited else t.status for t in trajectories
    )
