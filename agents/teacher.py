"""An engine as a teacher: it finds the earliest wrong step of an attempt, and writes the next one.

For families without a script (`corgi_gym.rewards.step_feedback`). Two modules of TriPosT (arXiv
2310.13522): feedback at temperature 0, in three fixed lines, and improvement at 0.7. The prompts
are ours. Neither prompt has the right answer. An answer that is not of the form is no feedback, and
its trajectory is rejected.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from corgi_gym.agents.ask import ask
from corgi_gym.agents.engines.base import Engine, Sampling
from corgi_gym.agents.running import Codec
from corgi_gym.envs import Task
from corgi_gym.rewards.trajectory import (
    MAX_PART_CHARS,
    MAX_REASON_CHARS,
    StepFeedback,
    steps_of,
)

if TYPE_CHECKING:
    from corgi_gym.agents.rollout import Rollout

# Tokens of a teacher's answer: three lines, and an attempt of the longest shipped task.
MAX_TOKENS = 512
FEEDBACK_TEMPERATURE, IMPROVE_TEMPERATURE = 0.0, 0.7
# What ``teacher`` of a recipe may say, besides the options of its engine.
KEYS = ("engine", "model", "options", "max_tokens", "max_length")
# The policy itself, as it is in that round.
POLICY = "policy"
MAX_LENGTH = 4096
# So many questions that are too long, and none that is not: the limits are wrong, not the tasks.
_ALL_TOO_LONG = 8

_FORM = re.compile(
    r"Step: *(?P<step>[0-9]{1,3})\nPart: *(?P<part>[^\n]+)\nReason: *(?P<reason>[^\n]+)"
)
_FEEDBACK_PROMPT = """\
A student solved a task. The final answer is wrong. Find the first step that is wrong.

Task: {task}

The student's steps:
{steps}

Write exactly three lines and nothing else:
Step: the number of the first wrong step
Part: the wrong part of that step, copied letter by letter
Reason: why it is wrong, in a few words"""
_IMPROVE_PROMPT = """\
A student solved a task and made a mistake. Go on from there.

Task: {task}

Steps that are right:
{kept}

The next step was wrong: {wrong}
Wrong part: {part}
Reason: {reason}

Write the corrected step and every step after it, one per line, without numbers. End as the task \
asks. Do not repeat the steps that are right, and write nothing else."""


@dataclass
class Teacher:
    """Answers questions in batches.

    Attributes:
        engine: Any engine.
        codec: Its chat format.
        max_tokens: Longest answer.
        max_length: Longest question and answer in the codec's ids.
        own_engine: Whether nobody else uses the engine.
    """

    engine: Engine
    codec: Codec
    max_tokens: int = MAX_TOKENS
    max_length: int | None = None
    own_engine: bool = True
    _asked: int = field(default=0, init=False)
    _too_long: int = field(default=0, init=False)

    def close(self) -> None:
        """End the engine, unless it is the policy's."""
        if self.own_engine:
            self.engine.close()

    def answers(
        self, questions: Sequence[str], temperature: float, seed: int = 0
    ) -> list[str | None]:
        """The answers in the order of the questions; None to one that is too long to be asked.

        Raises:
            EngineError: If the engine fails.
            ValueError: If every question so far was too long, and there were eight or more.
        """
        keyed = {f"{number}\n{text}": text for number, text in enumerate(questions)}
        sampling = Sampling(temperature=temperature, max_tokens=self.max_tokens)
        found = dict(
            ask(self.engine, self.codec, keyed, sampling, seed=seed, max_length=self.max_length)
        )
        too_long = sum(answer is None for answer in found.values())
        self._too_long += too_long
        self._asked += len(found) - too_long
        if self._too_long >= _ALL_TOO_LONG and not self._asked:
            raise ValueError(
                f"every one of {self._too_long} questions is too long for the teacher, which has "
                f"{self.max_length} ids for a question and its answer of max_tokens="
                f"{self.max_tokens}: lower max_tokens, or raise max_length (with engine: {POLICY} "
                "the run's own)"
            )
        return [found[key] for key in keyed]

    def criticise(self, wrong: Sequence[tuple[Task, str]]) -> list[StepFeedback | None]:
        """A feedback module (`corgi_gym.agents.improvement`)."""
        questions = [
            _FEEDBACK_PROMPT.format(task=task.prompt, steps=_numbered(steps_of(attempt)))
            for task, attempt in wrong
        ]
        answers = self.answers(questions, FEEDBACK_TEMPERATURE)
        return [
            parse_finding(answer or "", attempt)
            for answer, (_, attempt) in zip(answers, wrong, strict=True)
        ]

    def improve(self, wrong: Sequence[tuple[Task, str, StepFeedback]]) -> list[str | None]:
        """An improvement module."""
        questions, kept_steps = [], []
        for task, attempt, mistake in wrong:
            steps = steps_of(attempt)
            kept = steps[: mistake.step - 1]
            kept_steps.append(kept)
            questions.append(
                _IMPROVE_PROMPT.format(
                    task=task.prompt,
                    kept="\n".join(kept) or "(none)",
                    wrong=steps[mistake.step - 1],
                    part=mistake.part,
                    reason=mistake.reason,
                )
            )
        answers = self.answers(questions, IMPROVE_TEMPERATURE)
        return [
            None if answer is None else "\n".join([*kept, *steps_of(answer)])
            for answer, kept in zip(answers, kept_steps, strict=True)
        ]


def _numbered(steps: Sequence[str]) -> str:
    return "\n".join(f"{number}. {step}" for number, step in enumerate(steps, start=1))


def parse_finding(answer: str, attempt: str) -> StepFeedback | None:
    r"""Read a teacher's three lines; None where they are not of the form or not about the attempt.

    Example:
        >>> parse_finding("Step: 1\nPart: May 3\nReason: May 2 is the day after.", "So May 3.").step
        1
    """
    match = _FORM.fullmatch(answer.strip())
    if match is None:
        return None
    steps, number = steps_of(attempt), int(match["step"])
    part, reason = match["part"].strip().strip('"'), match["reason"].strip().rstrip(".")
    if not 1 <= number <= len(steps) or part not in steps[number - 1] or not part or not reason:
        return None
    if len(part) > MAX_PART_CHARS or len(reason) > MAX_REASON_CHARS:
        return None
    return StepFeedback(number, part, reason)


def check_teacher(options: Mapping[str, Any]) -> None:
    """Check a teacher's options before anything is loaded.

    Raises:
        ValueError: For an unknown key, a missing one, an engine that does not exist, or a length
            that is none.
    """
    from corgi_gym.agents.build import REMOTE, check_engine_options

    for key in options:
        if key not in KEYS:
            raise ValueError(f"unknown key {key!r} of the teacher; known: {', '.join(KEYS)}")
    for key in ("max_tokens", "max_length"):
        if key in options and (type(options[key]) is not int or options[key] < 1):
            raise ValueError(
                f"the teacher's {key} must be a positive integer, got {options[key]!r}"
            )
    engine = options.get("engine", "")
    if engine == POLICY:
        if foreign := sorted(set(options) - {"engine", "max_tokens"}):
            raise ValueError(
                f"the teacher is the policy, whose {', '.join(foreign)} is that of the run: leave "
                "it out"
            )
        return
    if not options.get("model"):
        raise ValueError(
            f"the teacher {dict(options)!r} needs a model: a name, a folder or what the endpoint "
            f"calls it (or engine: {POLICY}, the policy itself)"
        )
    own = options.get("options", {})
    check_engine_options(engine or "auto", own)
    if engine in REMOTE and "url" not in own:
        raise ValueError(
            f"the teacher's engine {engine!r} needs options: {{url: http://127.0.0.1:8000}}, the "
            "address of its server"
        )


def find_teacher(options: Mapping[str, Any]) -> None:
    """Check a teacher's options, and that its model or its server is there.

    Raises:
        ValueError: See `check_teacher`, and for the name of no model.
        ImportError: If its engine is not installed.
        EngineError: If its server does not answer.
    """
    from corgi_gym.agents.build import REMOTE, check_engine
    from corgi_gym.agents.models import resolve_model

    check_teacher(options)
    engine = options.get("engine") or "auto"
    if engine == POLICY:
        return
    check_engine(engine, options.get("options", {}))
    if engine not in REMOTE:
        resolve_model(options["model"])


def make_teacher(options: Mapping[str, Any], rollout: Rollout) -> Teacher:
    """Make the teacher that a recipe describes.

    Args:
        options: ``engine`` (``"policy"``, ``"openai"`` or an engine of
            `corgi_gym.agents.build.ENGINES`), ``model``, the engine's ``options``, ``max_tokens``
            and ``max_length`` (tokens). ``"policy"`` has the run's, and by default answers of the
            length of a reply.
        rollout: The policy's, for ``"policy"``.

    Raises:
        ValueError: See `check_teacher`.
        EngineError: If the engine cannot start.
    """
    check_teacher(options)
    kind, own = options.get("engine", "auto"), dict(options.get("options", {}))
    tokens = options.get(
        "max_tokens", rollout.sampling.max_tokens if kind == POLICY else MAX_TOKENS
    )
    length = options.get("max_length", MAX_LENGTH)
    if kind == POLICY:
        return Teacher(rollout.engine, rollout.codec, tokens, rollout.max_length, own_engine=False)
    if kind == "openai":
        from corgi_gym.agents.engines.openai_engine import OpenAIEngine, TextCodec

        text = TextCodec()
        return Teacher(
            OpenAIEngine(model=options["model"], **own), text, tokens, length * text.ids_per_token
        )
    from corgi_gym.agents.build import loads_its_own, make_engine
    from corgi_gym.agents.codec import ChatCodec
    from corgi_gym.agents.models import load_model, load_tokenizer

    chat = ChatCodec(load_tokenizer(options["model"]))
    # a second copy, in float32, would fill the memory of a large teacher
    model = None if loads_its_own(kind) else load_model(options["model"])
    made = make_engine(
        kind, options["model"], model, max_length=length, batch=64, options=own, codec=chat
    )
    return Teacher(made, chat, tokens, length)
