"""Which tasks a round of training plays: uniformly, those at the edge, or by a hard share.

- ``uniform``: the environment's tasks in their order, each once.
- ``learnable``: tasks of a scored pool that the policy solves sometimes (its success rate is within
  ``low`` and ``high``), all alike.
- ``tapir``: TAPIR's multi-task curriculum (arXiv 2405.13448) on environments. The model-fitting
  difficulty of a task is score(reference) - score(policy); it is hard where that exceeds ``delta``.
  A draw takes a hard task with probability alpha_r in stage r and an easy one otherwise, a family
  by its weight, and then a task of that family, all alike. A stage begins with new scores.

`docs/curriculum.md` has the formulas, and which constants are not confirmed by the paper. A task is
drawn for each task that the algorithm asks for, as a pure function of the run's seed, the round and
the task's place; so groups stay together, in every process alike, and only the scores are state.
"""

from __future__ import annotations

import bisect
import dataclasses
import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from corgi_gym.agents.curriculum_settings import (
    LearnableSpec,
    TapirSpec,
    family_weight,
    read_curriculum,
)
from corgi_gym.agents.episode import Episode
from corgi_gym.envs import stable_hash

# A small pool is no reason to draw all alike: a task may have so many times an equal share.
_LEAST_CAP = 3
# Scores are decimal fractions: 1 - 0.7 is no more than 0.3, whatever it is in binary.
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class PoolTask:
    """A task with its scores.

    Attributes:
        index: Of the environment's tasks.
        family: Its family.
        score: Mean best score of the policy's sessions on it, in [0, 1].
        success: Share of these sessions that solved it.
        reference: The reference's score, in [0, 1].
    """

    index: int
    family: str
    score: float
    success: float
    reference: float = 1.0

    @property
    def difficulty(self) -> float:
        """Model-fitting difficulty: what the reference is better by."""
        return self.reference - self.score


class Curriculum(Protocol):
    """Decides which tasks are played. ``uniform`` has no pool and changes nothing."""

    def pool_indices(self, round_number: int) -> list[int]:
        """Tasks to be scored before this round; none in most rounds."""
        ...

    def take_scores(self, round_number: int, tasks: Sequence[PoolTask]) -> None:
        """The scores of the tasks that `pool_indices` asked for, where they could be scored."""
        ...

    def task(self, index: int, round_number: int) -> int:
        """The task to play in place of task ``index``."""
        ...

    def summary(self, round_number: int, episodes: Sequence[Episode]) -> dict[str, Any] | None:
        """What a round has played, as plain data for its row of ``metrics.jsonl``."""
        ...

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds of it: plain data."""
        ...

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from what `state` returned."""
        ...


class Uniform:
    """Every task once, in the environment's order."""

    def pool_indices(self, round_number: int) -> list[int]:
        """See `Curriculum`."""
        return []

    def take_scores(self, round_number: int, tasks: Sequence[PoolTask]) -> None:
        """See `Curriculum`."""

    def task(self, index: int, round_number: int) -> int:
        """See `Curriculum`."""
        return index

    def summary(self, round_number: int, episodes: Sequence[Episode]) -> dict[str, Any] | None:
        """See `Curriculum`."""
        return None

    def state(self) -> dict[str, Any]:
        """See `Curriculum`."""
        return {}

    def load_state(self, state: dict[str, Any]) -> None:
        """See `Curriculum`."""


class Pooled:
    """A sampler that draws from a scored pool.

    Args:
        spec: Its numbers.
        rounds: Rounds of the run.
        seed: Seed of the run.
        first: Index of the first task that no round of the run would play by itself: where pools
            begin.
    """

    def __init__(self, spec: Any, *, rounds: int, seed: int, first: int) -> None:
        self.spec, self.seed, self.first = spec, seed, first
        self.rounds = rounds
        self.tasks: list[PoolTask] = []
        self._scored_in = -1

    def stratum(self, task: PoolTask) -> str:
        """The group of a task, as charts call it."""
        raise NotImplementedError

    def chances(self, stage: int) -> list[float]:
        """The sampler's probability of each task of the pool in a stage; they sum to 1."""
        raise NotImplementedError

    def draws(self, stage: int) -> list[float]:
        """`chances` with no task above the bound: the probabilities that tasks are drawn with.

        What is left over goes to the others in proportion, and where none of these has any, to all
        of them alike.
        """
        return capped(self.chances(stage), self.most)

    @property
    def most(self) -> float:
        """The largest share of the draws that one task of the pool has."""
        return min(1.0, max(self.spec.max_share, _LEAST_CAP / len(self.tasks)))

    def stage(self, round_number: int) -> int:
        """Which scoring a round draws from, from 0."""
        if self.spec.rescore:
            return int(round_number // self.spec.rescore)
        stages = int(self.spec.stages)  # equal parts of the run, each of them at least a round
        return min(stages - 1, round_number * stages // max(self.rounds, stages))

    def pool_indices(self, round_number: int) -> list[int]:
        """See `Curriculum`."""
        begins = not round_number or self.stage(round_number) > self.stage(round_number - 1)
        if not begins or self._scored_in == round_number:
            return []
        start = self.first + (self.stage(round_number) * self.spec.pool if self.spec.renew else 0)
        return list(range(start, start + self.spec.pool))

    def take_scores(self, round_number: int, tasks: Sequence[PoolTask]) -> None:
        """See `Curriculum`.

        Raises:
            ValueError: If no task of the pool could be scored.
        """
        if not tasks:
            raise ValueError(
                "the curriculum's pool is empty: on every one of its tasks the checker failed, or "
                "the reference could not be asked or checked"
            )
        self.tasks, self._scored_in = list(tasks), round_number

    def task(self, index: int, round_number: int) -> int:
        """See `Curriculum`."""
        uniform = stable_hash("curriculum", self.seed, round_number, index) / 2**64
        sums = list(itertools.accumulate(self.draws(self.stage(round_number))))
        return self.tasks[bisect.bisect_right(sums, uniform * sums[-1])].index

    def summary(self, round_number: int, episodes: Sequence[Episode]) -> dict[str, Any] | None:
        """See `Curriculum`: sessions and pool by family and stratum."""
        strata = {task.index: self.stratum(task) for task in self.tasks}
        played = Counter((e.task, strata.get(e.index, "other")) for e in episodes)
        held = Counter((task.family, strata[task.index]) for task in self.tasks)
        return {
            "stage": self.stage(round_number),
            "scored": self._scored_in == round_number,
            "played": _nested(played),
            "pool": _nested(held),
        }

    def state(self) -> dict[str, Any]:
        """See `Curriculum`."""
        tasks = [dataclasses.asdict(task) for task in self.tasks]
        return {"tasks": tasks, "scored_in": self._scored_in}

    def load_state(self, state: dict[str, Any]) -> None:
        """See `Curriculum`."""
        self.tasks = [PoolTask(**task) for task in state["tasks"]]
        self._scored_in = state["scored_in"]


def _nested(counts: Counter[tuple[str, str]]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (family, stratum), count in sorted(counts.items()):
        found.setdefault(family, {})[stratum] = count
    return found


class Learnable(Pooled):
    """Tasks that are solved sometimes, and the rest of the pool where these are few."""

    spec: LearnableSpec

    def stratum(self, task: PoolTask) -> str:
        """See `Pooled`."""
        if task.success < self.spec.low:
            return "hard"
        return "easy" if task.success > self.spec.high else "learnable"

    def chances(self, stage: int) -> list[float]:
        """See `Pooled`."""
        within = [float(self.stratum(task) == "learnable") for task in self.tasks]
        return _normalised(within)


class Tapir(Pooled):
    """A hard share that grows by stages, and families by their weights."""

    spec: TapirSpec

    def stratum(self, task: PoolTask) -> str:
        """See `Pooled`."""
        return "hard" if task.difficulty > self.spec.delta + _ROUNDING else "easy"

    def alpha(self, stage: int) -> float:
        """The share of hard tasks in a stage; the last one holds on."""
        return self.spec.alphas[min(stage, len(self.spec.alphas) - 1)]

    def chances(self, stage: int) -> list[float]:
        """See `Pooled`: alpha x P*(family given hard) / n, and likewise for the easy ones.

        Families that a stratum does not have leave their share to those that it has, and an empty
        stratum its share to the other.
        """
        cells = Counter((self.stratum(task), task.family) for task in self.tasks)
        totals: Counter[str] = Counter()
        for stratum, family in cells:
            totals[stratum] += self._weight(family)  # type: ignore[assignment]
        shares = {"hard": self.alpha(stage), "easy": 1 - self.alpha(stage)}
        found = []
        for task in self.tasks:
            stratum = self.stratum(task)
            weight = self._weight(task.family) / (totals[stratum] or 1.0)
            found.append(shares[stratum] * weight / cells[stratum, task.family])
        return _normalised(found)

    def draws(self, stage: int) -> list[float]:
        """See `Pooled`; what a task leaves over goes to its own stratum as far as that can take it.

        So the share of hard tasks is alpha unless a stratum has too few tasks for its share.
        Families with the weight 0 get what is left over when all other tasks have the most.
        """
        chances, most = self.chances(stage), self.most
        wanted = [self._weight(task.family) > 0 for task in self.tasks]
        unwanted = [i for i, is_wanted in enumerate(wanted) if not is_wanted and any(wanted)]
        places: dict[str, list[int]] = {"hard": [], "easy": []}
        for i, task in enumerate(self.tasks):
            if i not in unwanted:
                places[self.stratum(task)].append(i)
        shares = {name: sum(chances[i] for i in own) for name, own in places.items()}
        for name, other in (("hard", "easy"), ("easy", "hard")):
            over = shares[name] - min(shares[name], most * len(places[name]))
            shares[name] -= over
            shares[other] += over
        found = [0.0] * len(chances)
        for name, own in places.items() if unwanted else ():
            over = shares[name] - min(shares[name], most * len(own))
            shares[name] -= over
            for i in unwanted:
                found[i] += over / len(unwanted)
        for name, own in places.items():
            if share := shares[name]:
                held = capped([chances[i] for i in own], most / share)
                for i, chance in zip(own, held, strict=True):
                    found[i] = share * chance
        return found

    def _weight(self, family: str) -> float:
        return float(self.spec.weights.get(family, family_weight(family)))

    def summary(self, round_number: int, episodes: Sequence[Episode]) -> dict[str, Any] | None:
        """See `Curriculum`; with the share of hard tasks that was asked for."""
        found = super().summary(round_number, episodes) or {}
        return {"alpha": self.alpha(self.stage(round_number)), **found}

    def task_weights(self, indices: Sequence[int], round_number: int) -> list[float]:
        """Weights that give drawn tasks the distribution of `draws` exactly, with the mean 1.

        A weight is the probability of the task's stratum and family over the share that they have
        in the draw: the weights of a cross-entropy alpha E_hard + (1 - alpha) E_easy, with alpha as
        `draws` keeps it.
        """
        places = {task.index: i for i, task in enumerate(self.tasks)}
        cells = [
            (self.stratum(task), task.family) for task in (self.tasks[places[i]] for i in indices)
        ]
        target: Counter[tuple[str, str]] = Counter()
        chances = self.draws(self.stage(round_number))
        for task, chance in zip(self.tasks, chances, strict=True):
            target[self.stratum(task), task.family] += chance  # type: ignore[assignment]
        drawn = Counter(cells)
        raw = [target[cell] / drawn[cell] for cell in cells]
        return [len(raw) * w for w in _normalised(raw)]


def capped(chances: Sequence[float], most: float) -> list[float]:
    """Probabilities of which none is above ``most`` (or an equal share of all, if that is more).

    Example:
        >>> [round(chance, 3) for chance in capped([0.8, 0.15, 0.05, 0.0], 0.5)]
        [0.5, 0.375, 0.125, 0.0]
        >>> capped([1.0, 0.0, 0.0], 0.5)
        [0.5, 0.25, 0.25]
    """
    most = max(most, 1 / len(chances))
    found = _normalised(chances)
    full: set[int] = set()
    while over := {i for i, chance in enumerate(found) if i not in full and chance > most}:
        full |= over
        left = 1 - most * len(full)
        rest = [0.0 if i in full else chance for i, chance in enumerate(chances)]
        total = sum(rest)
        for i in range(len(found)):
            alike = left / max(1, len(found) - len(full))
            found[i] = most if i in full else left * rest[i] / total if total else alike
    return found


def _normalised(weights: Sequence[float]) -> list[float]:
    """Weights that sum to 1; all alike where none has any."""
    total = sum(weights)
    return [weight / total if total else 1 / len(weights) for weight in weights]


def make_curriculum(
    spec: Mapping[str, Any], *, rounds: int, seed: int, first: int
) -> Uniform | Pooled:
    """The sampler of a recipe; see `Pooled` for the numbers.

    Raises:
        ValueError: See `check_curriculum`.

    Example:
        >>> type(make_curriculum({"name": "tapir"}, rounds=9, seed=0, first=0)).__name__
        'Tapir'
    """
    numbers = read_curriculum(spec)
    if isinstance(numbers, TapirSpec):
        return Tapir(numbers, rounds=rounds, seed=seed, first=first)
    if isinstance(numbers, LearnableSpec):
        return Learnable(numbers, rounds=rounds, seed=seed, first=first)
    return Uniform()
