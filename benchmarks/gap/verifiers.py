"""Verifiers: from samples to a value in [0, 1] each, or None where there is no verdict.

    mc            multiple choice: P("Correct") over P("Correct") + P("Incorrect"), no reasoning
    cot_b         reasoning, then yes (1) or no (0)
    cot_s         reasoning, then a mark from 1 to 10 (a tenth of it)
    tournament    reasoning about two replies, single elimination: the share of rounds won
    checker:NAME  a registered checker, on the task's own target; ``checker:own`` is the task's own

The first four ask a language model, the policy itself or another one (Mind the Gap, arXiv
2412.02674, section 2). An answer without a verdict in the asked form gives None, never 0.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import gymnasium as gym

from corgi_gym.agents.ask import ask
from corgi_gym.agents.engines.base import Sampling
from corgi_gym.benchmarks.gap import questions
from corgi_gym.benchmarks.gap.answers import Answers
from corgi_gym.benchmarks.gap.samples import Sample
from corgi_gym.benchmarks.policy import Policy
from corgi_gym.envs import GuidedEnv, stable_hash
from corgi_gym.rewards import Checker, get_checker, judge
from corgi_gym.rewards.llm_judge.answer import FormatError
from corgi_gym.rewards.llm_judge.lines import read_line, read_score, read_verdict

Groups = Sequence[Sequence[Sample]]
Values = list[list[float | None]]

CHECKER, OWN = "checker:", "own"
_MAX_MARK = 10
# Questions of multiple choice that are asked together: a pass takes fewer, of like lengths.
_AT_ONCE = 64


class Verifier(Protocol):
    """Gives every sample a value.

    Attributes:
        name: As rules and tables call it.
        rules: What it keeps, unless other rules are asked for; see `selection`.
        reasons: Whether its answers depend on how long a verdict may be.
    """

    name: str
    rules: tuple[str, ...]
    reasons: bool

    def values(self, groups: Groups, answers: Answers) -> Values:
        """A value in [0, 1] or None per sample; answers are taken from and added to ``answers``."""
        ...


@dataclass
class JudgeModel:
    """A language model that verifies.

    Attributes:
        policy: Its engine, codec and, for multiple choice, its weights.
        sampling: How it answers; the tokens bound its reasoning.
        max_length: Longest question with its answer, in tokens.
        seed: Of its answers.
    """

    policy: Policy
    sampling: Sampling
    max_length: int
    seed: int

    def replies(self, asked: Mapping[str, str]) -> Iterator[tuple[str, str | None]]:
        """Its answers to questions; None to one that does not fit."""
        codec = self.policy.codec
        yield from ask(
            self.policy.engine,
            codec,
            asked,
            self.sampling,
            seed=self.seed,
            max_length=self.max_length * getattr(codec, "ids_per_token", 1),
        )

    def shares(self, asked: Mapping[str, str]) -> Iterator[tuple[str, float]]:
        """The share of the first of `questions.LABELS` for each question."""
        from corgi_gym.agents.labels import label_shares

        codec: Any = self.policy.codec
        labels = [codec.reply(label)[:-1] for label in questions.LABELS]
        keys = list(asked)
        for first in range(0, len(keys), _AT_ONCE):  # what is there is kept, whatever comes
            part = keys[first : first + _AT_ONCE]
            prompts = [codec.start(asked[key]) for key in part]
            found = label_shares(self.policy.model, prompts, labels)
            yield from ((key, pair[0]) for key, pair in zip(part, found, strict=True))


def _key(sample: Sample) -> str:
    return f"{sample.index}/{sample.number}"


class _Single:
    """A verifier that asks one question per sample."""

    reasons = True
    default: ClassVar[tuple[str, ...]]
    question: ClassVar[Callable[[str, str], str]]

    def __init__(self, name: str, model: JudgeModel) -> None:
        self.name, self.model = name, model
        self.rules = self.rules_of(name)

    @classmethod
    def rules_of(cls, name: str) -> tuple[str, ...]:
        """What a verifier of this kind keeps under a name."""
        return tuple(f"{name}{rule}" for rule in cls.default)

    def values(self, groups: Groups, answers: Answers) -> Values:
        """See `Verifier`."""
        asked = {_key(s): type(self).question(s.prompt, s.reply) for g in groups for s in g}
        found = answers.collect(self.name, asked, self._ask)
        return [[_read(self._value, found[_key(s)]) for s in group] for group in groups]

    def _ask(self, asked: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
        return self.model.replies(asked)

    def _value(self, answer: Any) -> float:
        """The value of an answer; raises `FormatError` where there is no verdict in it."""
        raise NotImplementedError


NO_CHOICE = (
    "multiple choice (mc) needs the probabilities of words, which a chat endpoint does not give: "
    "choose --verifier cot_b, cot_s or tournament, or a model by name (--verifier-model)"
)


class MultipleChoice(_Single):
    """``mc``."""

    reasons = False
    # 0.8 is a threshold that the paper's tables name; 0.5 is the more likely of the two words
    default = (">=0.5", ">=0.8", " top 0.25")
    question = staticmethod(questions.choice)

    def __init__(self, name: str, model: JudgeModel) -> None:
        if model.policy.model is None:
            raise ValueError(NO_CHOICE)
        super().__init__(name, model)

    def _ask(self, asked: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
        return self.model.shares(asked)

    def _value(self, answer: Any) -> float:
        return float(answer)


class CotVerdict(_Single):
    """``cot_b``."""

    default = (">=1",)
    question = staticmethod(questions.verdict)

    def _value(self, answer: Any) -> float:
        return float(read_verdict(answer))


class CotScore(_Single):
    """``cot_s``."""

    default = (">=0.8", " top 0.25")
    question = staticmethod(questions.score)

    def _value(self, answer: Any) -> float:
        return read_score(answer, 1, _MAX_MARK) / _MAX_MARK


def _read(value: Callable[[Any], float], answer: Any) -> float | None:
    if answer is None:
        return None
    try:
        return value(answer)
    except FormatError:
        return None


class Tournament:
    """``tournament``: single elimination among a prompt's samples, in ``rounds`` rounds.

    Pairs, their order and who has no opponent are drawn with the seed. Where a comparison has no
    verdict, both go on. The value is the share of rounds that a sample got through, so that
    ``>=1`` keeps the survivors, about ``2 ** -rounds`` of the samples; it is None for one that got
    through all of them without winning a single comparison.
    """

    reasons = True

    def __init__(self, name: str, model: JudgeModel, rounds: int) -> None:
        if rounds < 1:
            raise ValueError(f"a tournament needs at least 1 round, got {rounds!r}")
        self.name, self.model, self.rounds = name, model, rounds
        self.rules = (f"{name}>=1",)

    def values(self, groups: Groups, answers: Answers) -> Values:
        """See `Verifier`."""
        through = [[0] * len(group) for group in groups]
        told = [[False] * len(group) for group in groups]
        alive = [list(range(len(group))) for group in groups]
        for number in range(self.rounds):
            matches = {
                f"{groups[g][0].index}/{number}/{a}-{b}": (g, a, b)
                for g, left in enumerate(alive)
                for a, b in self._pairs(left, number, groups[g][0])
            }
            asked = {
                key: questions.comparison(
                    groups[g][a].prompt, groups[g][a].reply, groups[g][b].reply
                )
                for key, (g, a, b) in matches.items()
            }
            found = answers.collect(self.name, asked, self.model.replies)
            out: list[set[int]] = [set() for _ in groups]
            for key, (g, a, b) in matches.items():
                first = _read(_first_is_better, found[key])
                if first is not None:
                    winner, loser = (a, b) if first else (b, a)
                    out[g].add(loser)
                    told[g][winner] = told[g][loser] = True
            alive = [
                [i for i in left if i not in gone] for left, gone in zip(alive, out, strict=True)
            ]
            for g, left in enumerate(alive):
                for i in left:
                    through[g][i] += 1
        return [
            [t / self.rounds if said else None for t, said in zip(*pair, strict=True)]
            for pair in zip(through, told, strict=True)
        ]

    def _pairs(self, alive: Sequence[int], number: int, sample: Sample) -> list[tuple[int, int]]:
        order = list(alive)
        random.Random(stable_hash(self.model.seed, self.name, sample.index, number)).shuffle(order)
        return list(zip(order[::2], order[1::2], strict=False))


def _first_is_better(answer: Any) -> float:
    said = read_line(answer, "better", (questions.FIRST, questions.SECOND))
    return float(said == questions.FIRST)


class CheckerVerifier:
    """``checker:NAME``: a checker's score; unscored verdicts are None."""

    reasons = False

    def __init__(self, name: str, make_env: Callable[[], gym.Env[str, str]]) -> None:
        self.name, self.rules = name, (f"{name}>=1",)
        chosen = name.removeprefix(CHECKER)
        self.checker: Checker | None = None if chosen == OWN else get_checker(chosen)
        env = make_env().unwrapped
        if not isinstance(env, GuidedEnv):
            raise ValueError(
                f"{name} needs the targets of tasks, which {type(env).__name__} does not tell: "
                "choose another verifier"
            )
        self.env = env

    def values(self, groups: Groups, answers: Answers) -> Values:
        """See `Verifier`."""
        asked = {_key(sample): sample for group in groups for sample in group}
        found = answers.collect(self.name, asked, self._judge)
        return [[found[_key(sample)] for sample in group] for group in groups]

    def _judge(self, asked: Mapping[str, Sample]) -> Iterator[tuple[str, float | None]]:
        for key, sample in asked.items():
            task = self.env.task_at(sample.index)
            if task.task_id != sample.task_id:
                raise RuntimeError(
                    f"task {sample.index} of this environment is {task.task_id}, and the sample is "
                    f"of {sample.task_id}: its target is another"
                )
            answer = self.env.answer_of(sample.reply)
            verdict = judge(self.checker or task.checker, answer, task.target)
            yield key, verdict.score if verdict.status == "scored" else None


# What a language model is asked for, by name.
_SINGLE: dict[str, type[_Single]] = {"mc": MultipleChoice, "cot_b": CotVerdict, "cot_s": CotScore}
MODEL_VERIFIERS = (*_SINGLE, "tournament")
# What those that value each sample by itself keep, unless other rules are asked for.
DEFAULT_RULES = {name: kind.rules_of(name) for name, kind in _SINGLE.items()}


def check_names(names: Sequence[str]) -> None:
    """Check verifiers' names.

    Raises:
        ValueError: For an unknown or repeated one, or none at all; the message lists the known.
    """
    for name in names:
        if name.startswith(CHECKER):
            if name != CHECKER + OWN:
                get_checker(name.removeprefix(CHECKER))
        elif name not in MODEL_VERIFIERS:
            known = ", ".join((*MODEL_VERIFIERS, "checker:NAME", "checker:own"))
            raise ValueError(f"unknown verifier {name!r}; choose from {known}")
    if not names or len(set(names)) < len(names):
        raise ValueError(f"verifiers must be different and at least one, got {list(names)}")


def make_verifiers(
    names: Sequence[str],
    model: JudgeModel,
    make_env: Callable[[], gym.Env[str, str]],
    *,
    rounds: int,
    suffix: str = "",
) -> list[Verifier]:
    """Verifiers by name.

    Args:
        names: See the module.
        model: Which language model is asked.
        make_env: The environment of the samples.
        rounds: Of a tournament.
        suffix: Added to the names of those that ask a language model: which one, if not the policy.

    Raises:
        ValueError: For a name that does not exist, or one that cannot work here.
    """
    check_names(names)
    made: list[Verifier] = []
    for name in names:
        if name.startswith(CHECKER):
            made.append(CheckerVerifier(name, make_env))
        elif name == "tournament":
            made.append(Tournament(name + suffix, model, rounds))
        else:
            made.append(_SINGLE[name](name + suffix, model))
    return made


def tournament_rounds(samples: int) -> int:
    """Rounds that leave about a quarter of the samples, or one of fewer than four.

    Example:
        >>> tournament_rounds(2), tournament_rounds(4), tournament_rounds(128)
        (1, 2, 2)
    """
    return max(1, min(2, int(math.log2(max(2, samples)))))
