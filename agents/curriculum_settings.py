"""The numbers of a curriculum, as ``train.curriculum`` of a recipe gives them; loads no torch.

None of TAPIR's numbers (arXiv 2405.13448) is confirmed by the text that we could read: all are
exposed here, and `docs/curriculum.md` says which commands vary them.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from corgi_gym.agents.teacher import check_teacher
from corgi_gym.envs import FAMILIES
from corgi_gym.rewards.names import did_you_mean

UNIFORM = {"name": "uniform"}
# The paper raises reasoning, code and mathematics in the mixture; by how much is not known to us.
REASONING_WEIGHT = 2.0
# Families that take several steps of inference to solve, besides all of `GuidedMath-v0`.
REASONING = frozenset(
    ("clustering", "program", "mbpp", "rationale_generation", "gsm8k", "math", "panagram")
)
_REASONING_SUITE, _REASONING_PREFIX = "GuidedMath-v0", "reasoning_gym/"


@dataclass(frozen=True, slots=True)
class PoolSpec:
    """What every sampler with a pool has.

    Attributes:
        pool: Tasks that are scored, at least 1.
        rescore: Rounds between scorings; 0 divides the run into as many stages as the sampler has.
        renew: Whether every scoring takes new tasks: those of a family never end. Otherwise the
            same pool is scored again.
        samples: Sessions per task: 1 is greedy, more are sampled as in training.
        attempts: Attempts of such a session, at least 1.
        max_share: Largest share of a stage's draws that one task has, in (0, 1], or three times an
            equal share if that is more; 1 is no bound. A pool may have two tasks of the wanted
            kind, and a policy that plays nothing else for some rounds learns these two by heart.
            What is left over goes to the other tasks.
    """

    pool: int = 64
    rescore: int = 0
    renew: bool = True
    samples: int = 1
    attempts: int = 1
    max_share: float = 0.05

    stages = 3

    def __post_init__(self) -> None:
        for name, least in (("pool", 1), ("rescore", 0), ("samples", 1), ("attempts", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ValueError(
                    f"train.curriculum.{name} must be an integer of at least {least}, got {value!r}"
                )
        if not isinstance(self.renew, bool):
            raise ValueError(f"train.curriculum.renew must be true or false, got {self.renew!r}")
        if not _is_number(self.max_share) or not 0.0 < self.max_share <= 1.0:
            raise ValueError(
                f"train.curriculum.max_share must be above 0 and at most 1, got {self.max_share!r}"
            )


@dataclass(frozen=True, slots=True)
class LearnableSpec(PoolSpec):
    """The plain zone: neither always solved nor never.

    Attributes:
        low: Least success rate of a task that is sampled.
        high: Largest one.
    """

    samples: int = 4
    low: float = 0.1
    high: float = 0.9

    def __post_init__(self) -> None:
        PoolSpec.__post_init__(self)
        known = _is_number(self.low) and _is_number(self.high)
        if not known or not 0.0 <= self.low <= self.high <= 1.0:
            raise ValueError(
                f"train.curriculum needs 0 <= low <= high <= 1, got {self.low!r} and {self.high!r}"
            )
        shares = [n / self.samples for n in range(self.samples + 1)]
        if not any(self.low <= share <= self.high for share in shares):
            raise ValueError(
                f"train.curriculum.samples: no success rate of {self.samples} sessions is from "
                f"{self.low!r} to {self.high!r}, so no task would count as learnable; take more "
                "samples"
            )


@dataclass(frozen=True, slots=True)
class TapirSpec(PoolSpec):
    """TAPIR's constants; none of the numbers is confirmed by the paper's text.

    Attributes:
        alphas: Share of hard tasks in each stage, in [0, 1].
        delta: Difficulty above which a task is hard. The paper's 2 of 10 points are 0.2.
        reference: Who sets the reference score: empty for the witness (1.0, since every task has a
            reply with full marks), or the options of a `corgi_gym.agents.teacher.make_teacher`.
        weights: Weight per family; the others have `family_weight`'s.
    """

    alphas: tuple[float, ...] = (0.3, 0.5, 0.7)
    delta: float = 0.2
    reference: Mapping[str, Any] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)

    @property
    def stages(self) -> int:  # type: ignore[override]
        """As many as there are shares."""
        return len(self.alphas)

    def __post_init__(self) -> None:
        PoolSpec.__post_init__(self)
        alphas = self.alphas if isinstance(self.alphas, Sequence) else ()
        if not alphas or not all(_is_number(a) and 0.0 <= a <= 1.0 for a in alphas):
            raise ValueError(
                "train.curriculum.alphas must be a list of shares in [0, 1], one for each stage, "
                f"got {self.alphas!r}"
            )
        object.__setattr__(self, "alphas", tuple(alphas))
        if not _is_number(self.delta) or not -1.0 <= self.delta <= 1.0:
            raise ValueError(f"train.curriculum.delta must be in [-1, 1], got {self.delta!r}")
        if not isinstance(self.reference, Mapping):
            raise ValueError(
                "train.curriculum.reference must be a teacher's options, such as {model: NAME}, "
                f"got {self.reference!r}"
            )
        if self.reference:
            check_teacher(self.reference)
        if not isinstance(self.weights, Mapping):
            raise ValueError(
                "train.curriculum.weights must be a mapping of families to weights, such as "
                f"{{concepts: 2.0}}, got {self.weights!r}"
            )
        for family, weight in self.weights.items():
            if not _is_number(weight) or not 0.0 <= weight < math.inf:
                raise ValueError(
                    f"train.curriculum.weights: family {family!r} needs a weight of at least 0, "
                    f"got {weight!r}"
                )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def family_weight(family: str) -> float:
    """The default weight of a family in the target distribution.

    Example:
        >>> family_weight("countdown"), family_weight("concepts")
        (2.0, 1.0)
    """
    known = FAMILIES.get(family)
    reasons = family in REASONING or family.startswith(_REASONING_PREFIX)
    reasons = reasons or (known is not None and known.suite == _REASONING_SUITE)
    return REASONING_WEIGHT if reasons else 1.0


_SPECS: dict[str, type[PoolSpec]] = {"learnable": LearnableSpec, "tapir": TapirSpec}
CURRICULA = ("uniform", *_SPECS)


def check_curriculum(spec: Mapping[str, Any]) -> None:
    """Check ``train.curriculum`` of a recipe.

    Raises:
        ValueError: For an unknown name or key, or an impossible value.
    """
    read_curriculum(spec)


def chosen_curriculum(given: Mapping[str, Any], own: Mapping[str, Any]) -> Mapping[str, Any]:
    """The curriculum of a run: the recipe's, or the method's own where the recipe has none."""
    return own if dict(given) == UNIFORM and own else given


def check_stages(spec: Mapping[str, Any]) -> None:
    """Check that a curriculum can divide a run whose last round nobody knows.

    Raises:
        ValueError: If its stages are parts of the run.
    """
    pool = read_curriculum(spec)
    if pool is not None and pool.stages > 1 and not pool.rescore:
        raise ValueError(
            f"train.curriculum {spec['name']!r} divides the rounds of a run into {pool.stages} "
            "stages, and a budget in tokens or seconds has no last round; say after how many "
            "rounds tasks are scored again, as in train.curriculum.rescore: 6"
        )


def check_families(spec: Mapping[str, Any], families: Collection[str]) -> None:
    """Check that a curriculum's weights are of families that the environment has.

    Raises:
        ValueError: For the weight of another family; the message has those that there are.
    """
    for family in spec.get("weights", ()):
        if family not in families:
            raise ValueError(
                f"train.curriculum.weights: the environment has no family {family!r}"
                f"{did_you_mean(family, families, ';')} it has {', '.join(families)}"
            )


def read_curriculum(spec: Mapping[str, Any]) -> PoolSpec | None:
    """The numbers of a sampler; None for ``uniform``.

    Raises:
        ValueError: See `check_curriculum`.
    """
    values = dict(spec)
    name = values.pop("name", None)
    if name not in CURRICULA:
        raise ValueError(
            f"train.curriculum needs a name, one of {', '.join(CURRICULA)}; got {name!r}"
        )
    kind = _SPECS.get(name)
    known = [f.name for f in dataclasses.fields(kind)] if kind else []
    for key in values:
        if key not in known:
            hint = did_you_mean(key, known, ".")
            raise ValueError(
                f"unknown train.curriculum key {key!r} for {name}{hint} Known: "
                f"{', '.join(known) or 'none'}"
            )
    return kind(**values) if kind else None
