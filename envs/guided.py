"""`GuidedEnv`: the one multi-turn loop. A step is one attempt; the observation is the feedback.

    env = gym.make("ConstrainedGen-v0")
    message, info = env.reset(seed=0)
    message, reward, terminated, truncated, info = env.step("my attempt")

Tasks never subclass it: they are `TaskSource`s, and a checker is a function.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from numbers import Real
from typing import Any, Literal

import gymnasium as gym
import numpy as np

from corgi_gym.envs.feedback import FeedbackLevel, check_level, feedback
from corgi_gym.envs.prompts import PromptSource
from corgi_gym.envs.spaces import MAX_ACTION_CHARS, MAX_OBSERVATION_CHARS, ChatText
from corgi_gym.envs.task import Split, Task, TaskSource, check_split, check_whole, stable_hash
from corgi_gym.envs.tasks import make_sources
from corgi_gym.rewards import (
    Checker,
    Verdict,
    is_slow,
    judge,
    make_session_reward,
    self_verdict,
)
from corgi_gym.rewards.text import MAX_REPLY_CHARS, normalise

Message = dict[str, str]
# Draws of another task for `noise`: enough unless almost all tasks are the same one.
_OTHER_DRAWS = 32


class GuidedEnv(gym.Env[str, str]):
    """A chat in which a checker guides the writer, attempt by attempt.

    Args:
        tasks: ``"light"`` (quick families that need no optional package), ``"source"``,
            ``"heldout"``, ``"all"``, one family name, or a list of names. Or ``{name: source}``,
            used as they are: ``GuidedEnv(tasks=other.sources)`` shares the (pure) sources of
            another environment, and so their memory. Their names are the families of the tasks:
            with ``{"easy": Concepts(count=(2, 3)), "hard": …}`` one family is there twice.
        split: ``"train"``, ``"validation"`` or ``"test"``: never overlapping contents.
        max_attempts: Attempts per episode, at least 1.
        feedback: ``"silent"``, ``"binary"``, ``"score"``, ``"which"`` or ``"full"``.
        session_reward: ``"best"``, ``"last"``, ``"first"``, ``"discounted(0.9)"`` or ``"delta"``;
            see `corgi_gym.rewards.session` for what each makes a policy want.
        checker: A checker or its name; replaces the families' own. Required with ``prompts``.
        prompts: Your own prompts instead of families: strings, ``{"prompt", "target"}`` dicts, or
            a ``datasets.Dataset`` with these columns. They are used for every split alike.
        seed: Which endless stream of tasks ``index`` counts in (non-negative).
        repeat_penalty: Taken off the reward of an attempt that repeats the reply before it word
            for word, in [0, 1], unless one of the two could not be checked. 0 leaves the return at
            the session reward exactly; a small value helps small models out of the habit of
            answering every correction with the same text.
        noise: Probability in [0, 1] that the feedback on a failed attempt is replaced by that for
            another task of the family (an ablation; scores and rewards stay true). Whether and how
            is a pure function of ``seed``, task, attempt and reply. Feedback stays as it is where
            the reply solves the other task, where a checker failed, and with a single task.
        self_check: The writer judges itself: each reply ends with its own verdict
            (`corgi_gym.rewards.self_verdict`), which alone decides whether the episode goes on. The
            checker's verdict is in the reward and in ``info``, never in a message, so ``feedback``
            has no meaning and ``noise`` no use; ``success`` is that of the answer which stands at
            the end. ``session_reward="last"`` pays that answer.
        task_options: Options per family, for example ``{"concepts": {"count": (3, 4)}}``.
        suite: The mixture that the words of ``tasks`` select from (set by the registered ids).
        family: The only family, which ``tasks`` may not contradict (set by the registered ids).
        render_mode: ``None``, ``"ansi"`` (returns the chat) or ``"human"`` (prints it).

    ``reset`` takes ``options={"task": name, "index": i, "max_attempts": n}``: ``index`` alone picks
    item ``i`` of the mixture (families in turn), ``task`` alone a random item of that family, and
    ``max_attempts`` holds for that episode alone.

    ``info`` always holds ``messages``, ``task``, ``task_id``, ``attempt``, ``score``,
    ``best_score``, ``success``, ``unscored`` and ``problems``; never the target or the witness.
    A checker that fails makes an ``unscored`` attempt: it pays 0, leaves ``best_score`` alone, and
    the episode goes on.

    Raises:
        ValueError: For a value that does not exist; the message lists those that do.
        TypeError: For a checker that cannot be called, and from ``step``, for a reply that is not
            a string.

    Example:
        >>> env = GuidedEnv(prompts=["Say hi."], checker=lambda reply, target: "hi" in reply)
        >>> env.reset(seed=0)[0]
        'Say hi.'
        >>> message, reward, terminated, truncated, info = env.step("Oh, hi!")
        >>> reward, terminated
        (1.0, True)
    """

    metadata = {"render_modes": ["ansi", "human"], "render_fps": 1}  # noqa: RUF012 (Gymnasium's way)

    def __init__(
        self,
        tasks: str | Iterable[str] | Mapping[str, TaskSource] = "light",
        *,
        split: Split = "train",
        max_attempts: int = 4,
        feedback: FeedbackLevel = "full",
        session_reward: str = "best",
        checker: str | Checker | None = None,
        prompts: Iterable[str | Mapping[str, Any]] | None = None,
        seed: int = 0,
        noise: float = 0.0,
        repeat_penalty: float = 0.0,
        self_check: bool = False,
        task_options: Mapping[str, Mapping[str, Any]] | None = None,
        suite: str | None = None,
        family: str | None = None,
        render_mode: Literal["ansi", "human"] | None = None,
    ) -> None:
        make_session_reward(session_reward)  # a bad name fails here, not at the first reset
        for name, value in (("noise", noise), ("repeat_penalty", repeat_penalty)):
            if isinstance(value, bool) or not isinstance(value, Real) or not 0.0 <= value <= 1.0:
                raise ValueError(f"{name} must be a number in [0, 1], got {value!r}")
        if render_mode not in (None, "ansi", "human"):
            raise ValueError(f"unknown render_mode {render_mode!r}; choose None, 'ansi' or 'human'")
        if not isinstance(self_check, bool):
            raise ValueError(f"self_check must be true or false, got {self_check!r}")
        if self_check and noise:
            raise ValueError(f"noise={noise!r} has no use with self_check: no verdict is shown")
        if prompts is not None and not isinstance(tasks, Mapping) and tasks != "light":
            raise ValueError(f"tasks={tasks!r:.80} has no meaning with prompts=…")
        if prompts is not None and task_options:
            raise ValueError(f"task_options={task_options!r} has no meaning with prompts=…")
        self.split: Split = check_split(split)
        self.max_attempts: int = check_whole(max_attempts, "max_attempts", 1)
        self.feedback: FeedbackLevel = check_level(feedback)
        self.session_reward: str = session_reward
        self.seed: int = check_whole(seed, "seed", 0)
        self.noise: float = float(noise)
        self.repeat_penalty: float = float(repeat_penalty)
        self.self_check: bool = self_check
        self.render_mode = render_mode
        self.sources: dict[str, TaskSource]
        if family is not None and prompts is None and not isinstance(tasks, Mapping):
            names = tasks if isinstance(tasks, str) or not isinstance(tasks, Iterable) else [*tasks]
            if names not in ("light", family, [family]):
                raise ValueError(
                    f"tasks={names!r} has no meaning here: this id is the family {family!r} alone"
                )
            tasks = family
        if isinstance(tasks, Mapping):
            self.sources = _given(
                tasks, checker=checker, prompts=prompts, task_options=task_options
            )
        elif prompts is not None:
            self.sources = {"prompts": PromptSource(prompts, checker)}
        else:
            self.sources = make_sources(
                tasks, suite=suite, checker=checker, task_options=task_options
            )
        self.observation_space = ChatText(MAX_OBSERVATION_CHARS)
        self.action_space = ChatText(MAX_ACTION_CHARS)
        self._task: Task | None = None
        self._attempts = self.max_attempts  # of the episode under way
        self._over = False

    # ---------------------------------------------------------------- gymnasium API

    def reset(
        self, *, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[str, dict[str, Any]]:
        """Start an episode; returns the prompt and the info.

        Raises:
            ValueError: For an unknown option, family or index.
        """
        if seed is not None:
            super().reset(seed=seed)
        options = dict(options) if options else {}
        attempts = self.max_attempts
        if "max_attempts" in options:
            attempts = check_whole(options.pop("max_attempts"), "reset option 'max_attempts'", 1)
        task = self._choose(options)
        self._task, self._attempts = task, attempts
        self._session = make_session_reward(self.session_reward)
        self._prompt = f"{task.prompt}{self_verdict.REQUEST}" if self.self_check else task.prompt
        self._messages: list[Message] = [{"role": "user", "content": self._prompt}]
        self._verdicts: list[Verdict] = []
        self._best, self._over = 0.0, False
        if self.render_mode == "human":
            print(self._chat_text(), flush=True)
        return self._prompt, self._info(task)

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Judge one reply; returns (feedback, reward, solved, attempts used up, info).

        Raises:
            RuntimeError: Before ``reset``, or after the episode has ended.
            TypeError: If ``action`` is not a string.
        """
        task = self._task
        if task is None:
            raise RuntimeError("call reset() before step()")
        if self._over:
            raise RuntimeError("this episode has ended; call reset() to start the next one")
        checks = self.self_check and isinstance(action, str)  # anything else is an error of judge()
        own = self_verdict.take_apart(_read(action)) if checks else None
        # of a reply that is too long no part is judged: it is refused
        part = action if own is None or len(action) > MAX_REPLY_CHARS else own.answer
        verdict = judge(task.checker, part, task.target)
        before = self._verdicts[-1] if self._verdicts else None
        self._verdicts.append(verdict)
        attempt, score = len(self._verdicts), verdict.score
        terminated = own.verdict is True if own else verdict.success
        truncated = not terminated and attempt >= self._attempts
        self._over = terminated or truncated
        reward = 0.0
        if verdict.status == "scored":
            reward = self._session.step(score, verdict.success, self._over)
            if score > self._best:
                self._best = score
        reply = normalise(action)
        repeated = (
            before is not None
            and before.status == verdict.status == "scored"  # it is right to send others again
            and reply.split() == self._messages[-2]["content"].split()
        )
        if repeated:
            reward -= self.repeat_penalty
        if own:
            message = self_verdict.DONE if self._over else own.message
        else:
            told = self._spoil(action, verdict) if self.noise else verdict
            message = feedback(told, self.feedback, repeated=repeated)
        self._messages.append({"role": "assistant", "content": reply})
        self._messages.append({"role": "user", "content": message})
        if self.render_mode == "human":
            print(self._turn_text(attempt - 1), flush=True)
        return message, float(reward), terminated, truncated, self._info(task)

    @property
    def slow(self) -> bool:
        """Whether ``step`` can take long with the current task (`corgi_gym.rewards.is_slow`)."""
        return self._task is not None and is_slow(self._task.checker)

    @property
    def solved(self) -> bool:
        """Whether the last answer is right, whatever its writer says of it (``self_check``)."""
        return self._task is not None and bool(self._verdicts) and self._verdicts[-1].success

    def render(self) -> str | None:
        """Return (``"ansi"``) or print (``"human"``) the chat so far, with each verdict."""
        if self.render_mode is None:
            gym.logger.warn("render() needs gym.make(..., render_mode='ansi' or 'human')")
            return None
        text = self._chat_text()
        if self.render_mode == "ansi":
            return text
        print(text, flush=True)
        return None

    # ---------------------------------------------------------------- tasks

    def answer_of(self, reply: str) -> str:
        r"""What of a reply the checker judges: without the writer's own verdict (``self_check``).

        Example:
            >>> env = GuidedEnv("countdown", self_check=True)
            >>> env.answer_of("3 + 4\nVerdict: correct")
            '3 + 4'
        """
        if not self.self_check or len(reply) > MAX_REPLY_CHARS:
            return reply
        return self_verdict.take_apart(_read(reply)).answer

    def task_at(self, index: int) -> Task:
        """Item ``index`` of the mixture: families in turn, each with its own count."""
        names = list(self.sources)
        return self._item(names[index % len(names)], index // len(names))

    def _item(self, family: str, index: int) -> Task:
        """A task of a source, under the name that the source has here."""
        task = self.sources[family].item(self.seed, index, self.split)
        return task if task.family == family else replace(task, family=family)

    def _choose(self, options: dict[str, Any]) -> Task:
        family, index = options.pop("task", None), options.pop("index", None)
        if options:
            raise ValueError(
                f"unknown reset option(s) {sorted(options)}; known: task, index, max_attempts"
            )
        if index is not None:
            index = check_whole(index, "reset option 'index'", 0)
        if family is None and index is not None:
            return self.task_at(index)
        if family is None:
            family = list(self.sources)[int(self.np_random.integers(len(self.sources)))]
        if not isinstance(family, str) or family not in self.sources:
            known = ", ".join(self.sources)
            raise ValueError(f"unknown task family {family!r} in this environment; it has: {known}")
        if index is None:
            index = int(self.np_random.integers(2**31))
        return self._item(family, index)

    def _spoil(self, reply: str, verdict: Verdict) -> Verdict:
        """With probability ``noise``, the verdict on the same reply for another task's target."""
        if verdict.success or verdict.status != "scored":
            return verdict
        assert self._task is not None
        # not np_random: the next episode's task must not depend on this one's replies
        entropy = stable_hash(
            "noise", self.seed, self._task.task_id, len(self._verdicts), normalise(reply)
        )
        rng = np.random.default_rng(entropy)
        if rng.random() >= self.noise:
            return verdict
        for _ in range(_OTHER_DRAWS):
            other = self._item(self._task.family, int(rng.integers(2**31)))
            if other.task_id != self._task.task_id:
                spoiled = judge(other.checker, reply, other.target)
                told = spoiled.status == "scored" and not spoiled.success
                return spoiled if told else verdict
        return verdict

    # ---------------------------------------------------------------- state

    def _info(self, task: Task) -> dict[str, Any]:
        """What `reset` and `step` return last; fresh objects each time."""
        last = self._verdicts[-1] if self._verdicts else None
        return {
            "messages": list(map(dict.copy, self._messages)),
            "task": task.family,
            "task_id": task.task_id,
            "attempt": len(self._verdicts),
            "score": last.score if last else 0.0,
            "best_score": self._best,
            "success": last is not None and last.success and (self._over or not self.self_check),
            "unscored": last is not None and last.status == "unscored",
            "problems": [
                {"kind": p.kind, "message": p.message, "where": p.where}
                for p in (last.problems if last else ())
            ],
        }

    def _turn_text(self, attempt: int) -> str:
        verdict = self._verdicts[attempt]
        mark = f"{'solved' if verdict.success else 'scored'}, score {verdict.score:.2f}"
        if verdict.status == "unscored":
            mark = f"unscored: {verdict.problems[0].message}"
        reply, answer = self._messages[2 * attempt + 1], self._messages[2 * attempt + 2]
        return f"[attempt {attempt + 1}] {reply['content']}\n    ({mark}) {answer['content']}"

    def _chat_text(self) -> str:
        if self._task is None:
            return "(no episode yet: call reset())"
        turns = [self._turn_text(i) for i in range(len(self._verdicts))]
        return "\n".join([f"[task] {self._prompt}", *turns])


def _read(reply: str) -> str:
    """A reply as the checker and the chat have it; one that is too long is refused as it is."""
    return normalise(reply) if len(reply) <= MAX_REPLY_CHARS else reply


def _given(tasks: Mapping[str, TaskSource], **made_of: Any) -> dict[str, TaskSource]:
    """Sources that are there already, with none of the arguments that sources are made of."""
    for name, value in made_of.items():
        if value is not None:
            raise ValueError(f"{name} has no meaning with tasks={{name: source}}: {value!r:.80}")
    if not tasks or not all(isinstance(source, TaskSource) for source in tasks.values()):
        raise TypeError(f"tasks={{name: source}} takes at least one TaskSource, got {tasks!r:.80}")
    for source in tasks.values():
        source.check()
    return dict(tasks)
