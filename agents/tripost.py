"""TriPosT: learn to find and correct one's own mistakes, from edited on-policy trajectories.

TriPosT (Yu et al., arXiv 2310.13522). One iteration has three stages: the policy answers tasks and
its wrong replies are edited until they are right (`corgi_gym.agents.improvement`); the trajectories
are cut into examples and balanced; the policy is fine-tuned on them with a higher weight from the
first feedback on (`corgi_gym.agents.weighted`). The next iteration starts from these weights and
uses its own data only. `docs/tripost.md` has the formulas and what differs from the paper.

Here an iteration is a round: ``train.rounds`` iterations after ``warmup_rounds`` of fine-tuning on
rationales, ``train.sessions`` tasks per iteration, and ``num_iterations`` epochs on its examples.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

import gymnasium as gym
import numpy as np
from accelerate.utils import gather_object

from corgi_gym.agents.checkpoints import StopBetweenRounds
from corgi_gym.agents.demonstrations import check_witnesses, demonstrate, guided, play, tasks_of
from corgi_gym.agents.episode import Episode
from corgi_gym.agents.improvement import (
    IMPROVEMENT,
    MAX_UPDATES,
    OWN,
    Edited,
    Editor,
    answer_example,
    outcomes,
    problem_of,
    rationale_example,
    to_examples,
)
from corgi_gym.agents.replay import Example, ReplayBuffer
from corgi_gym.agents.rollout import Session
from corgi_gym.agents.teacher import Teacher, check_teacher, make_teacher
from corgi_gym.agents.weighted import AfterWarmUp, ExampleTrainer, ImitationConfig
from corgi_gym.envs import Task, stable_hash
from corgi_gym.envs.self_improvement import UNSEEN, SelfImproving
from corgi_gym.rewards.step_feedback import SCRIPTS
from corgi_gym.rewards.trajectory import DETAILS, Detail, StepFeedback

# What is trained on: TriPosT's data, or a baseline's.
Data = Literal["improvement", "rationales", "answers", "demonstrations", "self"]
DATA: tuple[Data, ...] = get_args(Data)


@dataclass
class TripostConfig(ImitationConfig):
    """`ImitationConfig` with TriPosT's numbers; the defaults are those of its released code.

    Args:
        data: ``"improvement"`` (TriPosT), or a baseline: ``"rationales"`` (witnesses),
            ``"answers"`` (their last lines), ``"demonstrations"`` (the same editing on attempts
            that are not the policy's: the teacher's, or near misses), ``"self"`` (the policy's own
            right replies alone).
        rho: Improvement examples per own right example, and per rationale; 0 or less takes
            everything. Their share is rho / (rho + 2) where there is enough of the others.
        feedback_weight: Weight of the tokens from the first feedback on, in edited trajectories.
        warmup_rounds: Rounds of fine-tuning on rationales before the first iteration.
        passes: How often an iteration's tasks are sampled at most, until there are enough examples.
        min_examples: Training ends at an iteration with fewer examples of the policy's.
        max_updates: Attempts of the improvement module per trajectory.
        pairs: Cut trajectories into pairs of attempts, as TriPosT does for its inference in several
            calls; false learns them whole, as they are written here.
        detail: What feedback names: ``"full"``, ``"no_reason"``, ``"no_part"`` or ``"step"``.
        teacher: The engine that gives feedback and improves where a family has no script
            (`corgi_gym.agents.teacher.make_teacher`): ``{engine: openai, model: ..., options:
            {url: ...}}``.
        teacher_for_all: Use the teacher for families with a script too.
        save_examples: Folder for the examples of each round, as JSON lines; "" saves none.
    """

    data: str = field(default="improvement")
    rho: float = field(default=1.5)
    feedback_weight: float = field(default=1.5)
    warmup_rounds: int = field(default=0)
    passes: int = field(default=1)
    min_examples: int = field(default=1)
    max_updates: int = field(default=MAX_UPDATES)
    pairs: bool = field(default=False)
    detail: str = field(default="full")
    teacher: dict[str, Any] = field(default_factory=dict)
    teacher_for_all: bool = field(default=False)
    save_examples: str = field(default="")

    def __post_init__(self) -> None:
        for name, known in (("data", DATA), ("detail", DETAILS)):
            if (value := getattr(self, name)) not in known:
                raise ValueError(f"unknown {name} {value!r}; choose from {', '.join(known)}")
        for name, least in (
            ("warmup_rounds", 0), ("passes", 1), ("min_examples", 0), ("max_updates", 1),
        ):  # fmt: skip
            if (value := getattr(self, name)) < least:
                raise ValueError(f"{name} must be at least {least}, got {value!r}")
        if not self.feedback_weight > 0.0:
            raise ValueError(f"feedback_weight must be positive, got {self.feedback_weight!r}")
        if self.teacher:
            check_teacher(self.teacher)
        elif self.teacher_for_all:
            raise ValueError("teacher_for_all asks a teacher, and there is none: set teacher")
        super().__post_init__()


class TripostTrainer(AfterWarmUp, ExampleTrainer):
    """Edits the policy's replies and learns from what comes of it, an iteration a round."""

    args: TripostConfig

    def __init__(self, model: Any, args: TripostConfig, rollout: Any, **kwargs: Any) -> None:
        self.teacher: Teacher | None = make_teacher(args.teacher, rollout) if args.teacher else None
        modules = Modules(self.teacher, args.teacher_for_all)
        detail: Detail = args.detail  # type: ignore[assignment]
        self.editor = Editor(
            modules.criticise, modules.improve, detail=detail, max_updates=args.max_updates
        )
        super().__init__(model, args, rollout, **kwargs)
        self.add_callback(StopBetweenRounds(self))

    def teachers(self) -> list[Teacher]:
        """See `GuidedGRPOTrainer.teachers`."""
        return [*super().teachers(), *([self.teacher] if self.teacher else [])]

    @staticmethod
    def check_env(env: gym.Env[str, str]) -> None:
        """Check that replies are judged by their last attempt, and that there are witnesses."""
        check_witnesses(env)
        sources = env.unwrapped.sources  # type: ignore[attr-defined]
        if not all(isinstance(source, SelfImproving) for source in sources.values()):
            raise ValueError(
                "tripost needs an environment in which a reply may correct itself: "
                f"SelfImprovement-v0 with tasks={list(sources)}"
            )

    @staticmethod
    def check_settings(settings: Mapping[str, Any], env: gym.Env[str, str]) -> None:
        """Check that somebody can find mistakes in the tasks."""
        if settings.get("teacher"):
            check_teacher(settings["teacher"])
            return
        if settings.get("data", DATA[0]) in ("rationales", "answers", "self"):
            return
        for family in env.unwrapped.sources:  # type: ignore[attr-defined]
            if family.removesuffix(UNSEEN) not in SCRIPTS:
                raise ValueError(
                    f"nobody can find the mistakes in {family!r}: scripts exist for "
                    f"{', '.join(SCRIPTS)}; for others set train.options.teacher, such as "
                    "{engine: openai, model: NAME, options: {url: http://127.0.0.1:8000/v1}}"
                )

    # ---------------------------------------------------------------- a round

    def _examples(self, sessions: list[Session]) -> tuple[list[Example], list[Episode]]:
        data = self.args.data
        warming_up = self.round_number < self.args.warmup_rounds
        if warming_up or data in ("rationales", "answers"):
            return self._from_witnesses(sessions, answers=data == "answers")
        size = len(sessions) * self.accelerator.num_processes
        buffer, counted = ReplayBuffer(), Counter[str]()
        played: list[Episode] = []
        for number in range(self.args.passes):
            replies, episodes = self._replies(sessions, number)
            played += episodes
            edited = self.editor.edit(replies)
            counted += outcomes(edited)
            made = self._made(edited, [task for task, _ in replies])
            buffer.extend(gather_object(made))
            chosen = self._balanced(buffer, size)
            if len(chosen) >= size:
                break
        self._note(buffer, chosen, counted, len(played))
        learned = sum(example.kind in (IMPROVEMENT, OWN) for example in chosen)
        if learned < self.args.min_examples:
            self.stop_after_round(
                f"training ends with round {self.round_number + 1}: it has {learned} examples of "
                f"the policy's, and train.options.min_examples is {self.args.min_examples}"
            )
        return chosen, played

    def _from_witnesses(
        self, sessions: list[Session], *, answers: bool
    ) -> tuple[list[Example], list[Episode]]:
        """One example per session's task, and sessions in which the witness is the reply."""
        # without a verdict: "all is correct" after every witness would be all that it learns to say
        made = [
            answer_example(task) if answers else rationale_example(task, verdict=False)
            for task in tasks_of(self.rollout, sessions)
        ]
        episodes = [demonstrate(self.rollout, session, 0.0) for session in sessions]
        return gather_object(made), episodes

    def _replies(
        self, sessions: list[Session], number: int
    ) -> tuple[list[tuple[Task, str]], list[Episode]]:
        """What is edited: the policy's replies of a pass, or those of somebody else."""
        if number:
            sessions = [replace(s, seed=stable_hash(s.seed, "pass", number)) for s in sessions]
        tasks = tasks_of(self.rollout, sessions)
        if self.args.data == "demonstrations":
            texts = self._foreign_attempts(tasks, sessions)
            episodes = [
                play(self.rollout, session, [text])
                for session, text in zip(sessions, texts, strict=True)
            ]
        else:
            episodes = self._sample(sessions)
        replies = [(t, e.attempts[0].reply) for t, e in zip(tasks, episodes, strict=True)]
        return replies, episodes

    def _foreign_attempts(self, tasks: list[Task], sessions: list[Session]) -> list[str]:
        """The teacher's attempts, or one of each task's near misses that can be learned from."""
        if self.teacher is not None:
            seed = stable_hash(self.args.seed, self.state.global_step, sessions[0].seed)
            answers = self.teacher.answers([task.prompt for task in tasks], 1.0, seed)
            return [answer or "(no answer)" for answer in answers]
        sources = guided(self.rollout).sources
        texts = []
        for task, session in zip(tasks, sessions, strict=True):
            misses = [m for m in sources[task.family].near_misses(task) if not problem_of(task, m)]
            texts.append(misses[session.seed % len(misses)] if misses else task.witness)
        return texts

    def _made(self, edited: list[Edited], tasks: list[Task]) -> list[Example]:
        """The examples of this process's trajectories, and the rationales of their tasks."""
        alone = self.args.data == "self"
        kept = [t for t in edited if t.status == "right" and not t.edited] if alone else edited
        weight, pairs = self.args.feedback_weight, self.args.pairs
        made = [e for t in kept for e in to_examples(t, weight, pairs=pairs)]
        if alone:
            return [example for example in made if example.kind == OWN]
        return [*made, *(rationale_example(task, verdict=True) for task in tasks)]

    def _balanced(self, buffer: ReplayBuffer, size: int) -> list[Example]:
        """The round's examples (stage 2)."""
        entropy = stable_hash(self.args.seed, "balance", self.state.global_step)
        rng = np.random.default_rng(entropy)
        rho = 0.0 if self.args.data == "self" else self.args.rho
        return buffer.balanced(IMPROVEMENT, rho, rng, limit=size)

    def _note(
        self, buffer: ReplayBuffer, chosen: list[Example], counted: Counter[str], played: int
    ) -> None:
        """Log what was made and why the rest was not; save it where that is asked for.

        ``counted`` are the outcomes of this process's trajectories, of which there were ``played``.
        """
        everywhere = gather_object([(counted, played)])
        counted = sum((part for part, _ in everywhere), Counter[str]())
        played = sum(part for _, part in everywhere)
        metrics = self._metrics["train"]
        kinds = Counter(example.kind for example in chosen)
        metrics["examples/improvement_share"].append(kinds[IMPROVEMENT] / max(1, len(chosen)))
        for kind, count in kinds.items():
            metrics[f"examples/{kind}"].append(float(count))
        for outcome, count in counted.items():
            name = outcome.replace(" ", "_")
            metrics[f"examples/outcome_{name}"].append(count / played)
        if self.args.save_examples and self.accelerator.is_main_process:
            folder = Path(self.args.save_examples)
            folder.mkdir(parents=True, exist_ok=True)
            ReplayBuffer(chosen).save(folder / f"round-{self.round_number:05d}.jsonl")


class Modules:
    """The feedback and the improvement module: a family's script, or else the teacher.

    Args:
        teacher: Asked where there is no script; None rejects those attempts.
        teacher_for_all: Ask it about families with a script too.
    """

    def __init__(self, teacher: Teacher | None, teacher_for_all: bool = False) -> None:
        self.teacher = teacher
        self.scripts = {} if teacher_for_all and teacher else SCRIPTS

    def criticise(self, wrong: Sequence[tuple[Task, str]]) -> list[StepFeedback | None]:
        """The earliest mistake of each attempt."""
        return self._ask(
            wrong,
            lambda script, task, attempt: script.criticise(attempt, task.target, task.witness),
            self.teacher.criticise if self.teacher else None,
        )

    def improve(self, wrong: Sequence[tuple[Task, str, StepFeedback]]) -> list[str | None]:
        """The next attempt for each."""
        return self._ask(
            wrong,
            lambda script, task, attempt, mistake: script.mend(
                attempt, mistake, task.target, task.witness
            ),
            self.teacher.improve if self.teacher else None,
        )

    def _ask(
        self, items: Sequence[Any], scripted: Callable[..., Any], taught: Callable[..., Any] | None
    ) -> list[Any]:
        """An answer for each item, which begins with its task."""
        found: dict[int, Any] = {}
        for number, item in enumerate(items):
            script = self.scripts.get(item[0].family.removesuffix(UNSEEN))
            if script is not None:
                found[number] = scripted(script, *item)
        rest = [number for number in range(len(items)) if number not in found]
        if rest and taught is not None:
            found.update(zip(rest, taught([items[number] for number in rest]), strict=True))
        return [found.get(number) for number in range(len(items))]
