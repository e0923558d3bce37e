"""A benchmark specification: a YAML file whose lists, multiplied out, are jobs.

A job is a recipe (`corgi_gym.benchmarks.recipe`) with the labels that say which cell of the
experiment it is. Arms are what is compared: an algorithm with a feedback level and a session
reward. Families are the strata of the statistics, seeds their runs.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from corgi_gym.agents.algorithms import get_algorithm
from corgi_gym.agents.curriculum_settings import check_stages, chosen_curriculum
from corgi_gym.benchmarks.bench.identity import digest
from corgi_gym.benchmarks.gap.verifiers import DEFAULT_RULES
from corgi_gym.benchmarks.recipe import (
    RECIPES,
    EnvSpec,
    Recipe,
    find,
    from_dict,
    load_recipe,
    merged,
)

SPECS = RECIPES / "bench"
# The arm of the model as it is: no training, only the evaluations.
UNTRAINED = "untrained"
# The family where none is named: all that the recipe trains on.
EVERYTHING = "all"
# Rounds of a budget in seconds: more than it reaches. Tasks are made for all of them beforehand.
_ROUNDS_A_SECOND = 20
# The same for one in tokens, where each session writes one at least: room for rounds that play
# fewer sessions than the recipe says.
_SLACK = 4
# Attempts of the success that is ranked, unless a specification says otherwise.
_RANK = 4
# Kinds of a budget -> the keys of a recipe that they set.
BUDGETS = {"rounds": "rounds", "tokens": "max_tokens", "seconds": "max_seconds"}
# What a benchmark decides itself, so that `set` cannot: keys of a recipe -> where they are set.
_DECIDED = {
    "name": "name",
    "algorithm": "algorithms",
    "seed": "seeds",
    "evaluation": "evaluations (while training: curve)",
    "env.id": "id in families",
}
# Arguments of an environment that distinguish arms.
_LEVELS = ("feedback", "session_reward")
# What belongs to all jobs and to the training before them alike.
_NOT_OF_A_START = {
    "name": "name",
    "model": "set.model",
    "engine": "set.engine",
    "evaluation": "curve",
    "env.id": "id in families",
}
# The same for arguments of an environment, of `set` and of a family.
_DECIDED_KWARGS = {
    "feedback": "feedback, of all arms or of one",
    "session_reward": "session_reward, of all arms or of one",
    "max_attempts": "set.train.max_attempts, and attempts in evaluations",
    "split": "split in evaluations",
}


@dataclass(slots=True)
class EvaluationPlan:
    """One greedy evaluation of the trained policy.

    Attributes:
        tasks: Number of tasks.
        attempts: Attempts per task, which may exceed those of training (CORGI evaluates up to 20).
        resampling: Independent samples per task without feedback, for the curve beside it; 0: none.
        gap: What the policy judges these samples by, for the gap between what it generates and what
            it can pick out: some of ``"mc"``, ``"cot_b"`` and ``"cot_s"``; empty: not measured.
        split: ``"test"`` or ``"validation"``.
        id: Another environment than the job's family, such as one of held-out families.
        kwargs: Arguments of the environment: with ``id`` all of them, else those that differ.
            ``feedback`` is the level of training unless it is given here.
    """

    tasks: int = 256
    attempts: int = 20
    resampling: int = 0
    gap: list[str] = field(default_factory=list)
    split: str = "test"
    id: str | None = None
    kwargs: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class CurvePlan:
    """Evaluations while training, for curves against tokens and seconds.

    Attributes:
        every: Rounds between two; 0: only before and after.
        tasks: Number of validation tasks.
        attempts: Attempts per task.
    """

    every: int = 0
    tasks: int = 64
    attempts: int = 4


@dataclass(slots=True)
class Spec:
    """A benchmark.

    Attributes:
        name: Its name; by default that of its file.
        question: What it asks, in a sentence.
        recipe: The recipe that every job starts from.
        set: What all jobs change in it, except what other keys here decide.
        start: What a training changes in the recipe and in ``set`` that comes first, once per
            family: all jobs of the family begin with its policy, and an untrained arm is that
            policy. Empty: they begin with the recipe's model.
        algorithms: Names of the algorithm table, ``"untrained"``, or mappings with ``name``,
            ``algorithm``, ``set``, and ``feedback`` or ``session_reward`` where that arm has its
            own.
        families: Name -> ``{id, kwargs}`` of the environment; empty: that of the recipe.
        feedback: Feedback levels in training.
        session_reward: Session rewards in training.
        seeds: Seeds of training.
        budget: One of ``rounds``, ``tokens`` (that the model writes in training) and ``seconds``
            (of training); no new round starts after it.
        curve: See `CurvePlan`.
        evaluations: Name -> `EvaluationPlan`; the first is what is ranked.
        reference: The arm that all others are compared with, by default the first; or a list of
            arms, with each of which all others are compared.
        rank: Attempts of the success that is ranked and compared; by default 4, or those of the
            first evaluation where they are fewer. Another evaluation with fewer has its own.
        target: Success within the curve's attempts whose cost in tokens and seconds is reported.
    """

    name: str = "custom"
    question: str = ""
    recipe: str = "quickstart"
    set: dict[str, Any] = field(default_factory=dict)
    start: dict[str, Any] = field(default_factory=dict)
    algorithms: list[Any] = field(default_factory=list)
    families: dict[str, Any] = field(default_factory=dict)
    feedback: list[str] = field(default_factory=lambda: ["full"])
    session_reward: list[str] = field(default_factory=lambda: ["best"])
    seeds: list[int] = field(default_factory=lambda: [0, 1, 2, 3, 4])
    budget: dict[str, int] = field(default_factory=dict)
    curve: dict[str, Any] = field(default_factory=dict)
    evaluations: dict[str, Any] = field(default_factory=lambda: {"test": {}})
    reference: str | list[str] = ""
    rank: int | None = None
    target: float = 0.5

    def as_dict(self) -> dict[str, Any]:
        """The specification as plain data."""
        return dataclasses.asdict(self)


@dataclass(frozen=True, slots=True)
class Job:
    """One cell of the experiment.

    Attributes:
        arm: What is compared, as shown.
        algorithm: The name of its entry in the specification.
        family: Stratum.
        feedback: Level in training.
        session_reward: In training.
        seed: Of training.
        recipe: What is trained; its evaluation is the learning curve.
        evaluations: Name -> `EvaluationPlan` as plain data.
        trains: Whether there is anything to train.
        start: The training whose policy it begins with; None: it begins with its recipe's model.
    """

    arm: str
    algorithm: str
    family: str
    feedback: str
    session_reward: str
    seed: int
    recipe: Recipe
    evaluations: dict[str, Any]
    trains: bool
    start: Recipe | None = None

    @property
    def labels(self) -> dict[str, Any]:
        """Which cell it is."""
        names = ("arm", "algorithm", "family", "feedback", "session_reward", "seed")
        return {name: getattr(self, name) for name in names}

    def config(self) -> dict[str, Any]:
        """All that decides its results, as plain data; the code comes on top."""
        found = {
            "recipe": _nameless(self.recipe),
            "evaluations": self.evaluations,
            "trains": self.trains,
        }
        return found if self.start is None else found | {"start": _nameless(self.start)}

    def __str__(self) -> str:
        """How lists and errors call it."""
        return f"{self.arm} / {self.family} / seed {self.seed}"


def _nameless(recipe: Recipe) -> dict[str, Any]:
    data = recipe.as_dict()
    data.pop("name")
    return data


def load_spec(name: str) -> Spec:
    """Load a specification by name (from ``benchmarks/recipes/bench``) or path.

    A path into a folder of recipes is looked for in its folder ``bench`` too:
    ``benchmarks/recipes/smoke.yaml`` is ``benchmarks/recipes/bench/smoke.yaml``.

    Raises:
        FileNotFoundError: If there is none; the message lists the shipped ones.
        ValueError: For an unknown key or an impossible value, named.
    """
    beside = Path(name).parent / SPECS.name / Path(name).name
    moved = beside.is_file() and not Path(name).is_file()
    path = beside if moved else find(name, Path(), SPECS, "benchmark")
    data = _contents(path)
    if isinstance(data, dict):
        if "algorithm" in data and "algorithms" not in data:
            raise ValueError(
                f"{path} is the recipe of one training run (corgi-gym train {name}); a benchmark"
                f" names it as its recipe, and its algorithms"
            )
        data.setdefault("name", path.stem)
    return spec_of(data, path.name)


def _contents(path: Path) -> Any:
    """What a specification's file says.

    Raises:
        ValueError: If it is no YAML, or gives a key twice, of which YAML keeps the last one only.
    """
    import yaml

    class Once(yaml.SafeLoader):
        """Refuses a key that is there already."""

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
            if twice := [key for key in keys if keys.count(key) > 1 and key != "<<"]:
                raise ValueError(f"{path} gives {twice[0]!r} twice in one mapping; leave one out")
            return super().construct_mapping(node, deep)

    try:
        return yaml.load(path.read_text(encoding="utf-8"), Once) or {}
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 text ({error}); save it as UTF-8") from error
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error


def _check_name(name: Any, where: str) -> None:
    """A name stands in a line of a table, a folder's name, or both.

    Raises:
        ValueError: If it cannot.
    """
    if not isinstance(name, str) or not name.strip() or not name.isprintable():
        raise ValueError(f"{where} must be a name in one line, got {name!r}")


def spec_of(data: Any, where: str = "benchmark") -> Spec:
    """A specification from plain data, checked.

    Raises:
        ValueError: For an unknown key or an impossible value, named.
    """
    spec: Spec = from_dict(data, Spec, where)
    _check_name(spec.name, f"{where}.name")
    if spec.name.startswith(".") or set(spec.name) & set("/\\"):
        raise ValueError(
            f"{where}.name names the folder of its results: no / or \\ in it, and no . at its "
            f"start, got {spec.name!r}"
        )
    lists: dict[str, tuple[type | tuple[type, ...], str]] = {
        "algorithms": ((str, dict), "names or mappings"),
        "feedback": (str, "names"),
        "session_reward": (str, "names"),
        "seeds": (int, "integers"),
    }
    for name, (kind, words) in lists.items():
        value = getattr(spec, name)
        if not value:
            raise ValueError(f"{where}.{name} must have at least one entry, got {value!r}")
        if not all(isinstance(entry, kind) and not isinstance(entry, bool) for entry in value):
            raise ValueError(f"{where}.{name} must be a list of {words}, got {value!r}")
        if len({str(entry) for entry in value}) < len(value):
            raise ValueError(f"{where}.{name} names something twice: {value!r}")
    unknown = spec.budget.keys() - BUDGETS.keys()
    if unknown or len(spec.budget) > 1:
        raise ValueError(f"{where}.budget takes one of {', '.join(BUDGETS)}, got {spec.budget!r}")
    for name, amount in spec.budget.items():
        if type(amount) is not int or amount < 1:
            raise ValueError(f"{where}.budget.{name} must be a positive integer, got {amount!r}")
    if not spec.evaluations:
        raise ValueError(f"{where}.evaluations must name at least one evaluation")
    if spec.rank is not None and spec.rank < 1:
        raise ValueError(f"{where}.rank must be a positive integer, got {spec.rank!r}")
    if not 0 < spec.target <= 1:
        raise ValueError(f"{where}.target must be above 0 and at most 1, got {spec.target!r}")
    arms = list(dict.fromkeys(job.arm for job in jobs_of(spec)))
    ranked, plan = next(iter(spec.evaluations.items()))
    attempts = _evaluation(ranked, plan).attempts
    if spec.rank is not None and spec.rank > attempts:
        raise ValueError(
            f"{where}.rank {spec.rank} is more than the {attempts} attempts of evaluation "
            f"{ranked!r}, which is ranked: lower the one or raise the other"
        )
    spec.rank = spec.rank or min(_RANK, attempts)
    spec.reference = spec.reference or arms[0]
    named = references_of(spec.reference)
    for name in named:
        if name not in arms:
            raise ValueError(f"{where}.reference {name!r} is no arm: {', '.join(arms)}")
    if len(set(named)) < len(named):
        raise ValueError(f"{where}.reference names an arm twice: {named!r}")
    return spec


def references_of(reference: str | list[str]) -> list[str]:
    """The arms that the others are compared with, of a specification that names one or several."""
    return [reference] if isinstance(reference, str) else list(reference)


def recipe_digest(name: str) -> str:
    """A short hash of the recipe that a specification's jobs start from, as it is today.

    Raises:
        OSError: If it is a file that is not here.
        ValueError: If it is no recipe.
    """
    return digest(_nameless(load_recipe(name)))


def jobs_of(spec: Spec) -> list[Job]:
    """All jobs, seed by seed, so that every arm has a result early.

    Raises:
        ValueError: For an impossible value, with the job that it would be part of.
    """
    base = load_recipe(spec.recipe).as_dict()
    _check_set(spec.set, "set", spec)
    families = _families(spec) or {EVERYTHING: base["env"]}
    evaluations = {name: _evaluation(name, plan) for name, plan in spec.evaluations.items()}
    starts = {name: _start(spec, base, env) for name, env in families.items()}
    found: dict[tuple[Any, ...], Job] = {}
    same: dict[str, Job] = {}
    for seed, name, arm in _plan(spec, list(families)):
        key = (arm.name, name, seed)
        if key in found:
            raise ValueError(f"two arms are called {arm.name!r}; give one another name")
        job = _job(spec, base, arm, name, families[name], seed, evaluations)
        job = found[key] = dataclasses.replace(job, start=starts[name])
        if (other := same.setdefault(digest(job.config()), job)) is not job:
            raise ValueError(f"{str(job)!r} and {str(other)!r} are the same; leave one out")
    return list(found.values())


def left_out(spec: Spec) -> dict[str, Any]:
    """Arguments of the recipe's environment that no family and no arm takes over.

    A family's arguments replace those of the recipe, since most belong to its own tasks.

    Example:
        >>> left_out(Spec(algorithms=["grpo"], families={"a": {"kwargs": {"tasks": "concepts"}}}))
        {'repeat_penalty': 0.1}
    """
    if not spec.families:
        return {}
    taken = {"tasks", "task_options", *_LEVELS}
    changes = [spec.set, *(entry.get("set") or {} for entry in map(as_entry, spec.algorithms))]
    for given in (*spec.families.values(), *(change.get("env", {}) for change in changes)):
        taken |= given.get("kwargs", {}).keys()
    own = load_recipe(spec.recipe).env.kwargs
    return {name: value for name, value in own.items() if name not in taken}


def as_entry(entry: Any) -> dict[str, Any]:
    """An entry of ``algorithms`` as a mapping."""
    return {"algorithm": entry} if isinstance(entry, str) else entry


def plan_labels(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Labels of all jobs of a specification (as plain data), whatever its recipe says today.

    Raises:
        ValueError: For an unknown key or an impossible value, named.
    """
    spec: Spec = from_dict(data, Spec, "spec")
    return [
        {
            "arm": arm.name,
            "algorithm": arm.entry,
            "family": family,
            "feedback": arm.feedback,
            "session_reward": arm.session_reward,
            "seed": seed,
        }
        for seed, family, arm in _plan(spec, list(spec.families) or [EVERYTHING])
    ]


def _plan(spec: Spec, families: list[str]) -> Iterator[tuple[int, str, _Arm]]:
    """Seed, family and arm of every job."""
    for seed, family in itertools.product(spec.seeds, families):
        for arm in _arms(spec):
            # nothing is drawn for an untrained model: its one run stands for every seed
            if arm.algorithm != UNTRAINED or seed == spec.seeds[0]:
                yield seed, family, arm


def _families(spec: Spec) -> dict[str, dict[str, Any]]:
    for name, env in spec.families.items():
        where = f"families.{name}"
        if not isinstance(name, str):
            raise ValueError(f"{where}: a family's name must be a string, got {name!r}")
        _check_name(name, "families: a family's name")
        made: EnvSpec = from_dict(env, EnvSpec, where)
        _check_kwargs(made.kwargs, f"{where}.kwargs")
        if both := made.kwargs.keys() & spec.set.get("env", {}).get("kwargs", {}).keys():
            key = min(both, key=str)
            raise ValueError(f"{where}.kwargs.{key} and set.env.kwargs.{key}: give only one")
    return spec.families


def _check_set(changes: dict[str, Any], where: str, spec: Spec) -> None:
    """What ``set`` says must be part of a recipe, and nothing that would have no effect."""
    made: Recipe = from_dict(changes, where=where)
    given = [*changes, *(f"env.{name}" for name in changes.get("env", {}))]
    # a limit of 0 is none, so nothing of it is lost
    given += [f"train.{name}" for name, value in changes.get("train", {}).items() if value]
    limits = ["rounds", *spec.budget] if spec.budget else []
    decided = _DECIDED | {f"train.{BUDGETS[name]}": "budget" for name in limits}
    for name, instead in decided.items():
        if name in given:
            raise ValueError(f"{where}.{name} has no effect: set {instead}")
    _check_kwargs(made.env.kwargs, f"{where}.env.kwargs")


def _check_kwargs(kwargs: dict[str, Any], where: str) -> None:
    for name, instead in _DECIDED_KWARGS.items():
        if name in kwargs:
            raise ValueError(f"{where}.{name} has no effect: set {instead}")


@dataclass(frozen=True, slots=True)
class _Arm:
    """An entry of ``algorithms`` with one feedback level and one session reward."""

    name: str
    entry: str
    algorithm: str
    feedback: str
    session_reward: str
    changes: dict[str, Any]


def _arms(spec: Spec) -> Iterator[_Arm]:
    for entry in spec.algorithms:
        data = as_entry(entry)
        if "algorithm" not in data:
            raise ValueError(f"algorithms: expected a name or a mapping with it, got {entry!r}")
        known = ("name", "algorithm", "set", "feedback", "session_reward")
        for key, value in data.items():
            if key not in known:
                raise ValueError(
                    f"algorithms: unknown key {key!r} in {entry!r}; known: {', '.join(known)}"
                )
            if key != "set" and not isinstance(value, str):
                raise ValueError(f"algorithms: {key} must be a string, got {value!r} in {entry!r}")
        algorithm = data["algorithm"]
        levels = [data["feedback"]] if "feedback" in data else spec.feedback
        rewards = [data["session_reward"]] if "session_reward" in data else spec.session_reward
        if algorithm == UNTRAINED:
            rewards = rewards[:1]  # which pays nothing here
        own = data.get("name", algorithm)
        _check_name(own, "algorithms: an arm's name")
        changes = data.get("set") or {}
        _check_set(changes, f"algorithms.{own}.set", spec)
        for level, reward in itertools.product(levels, rewards):
            parts = [own, *[level] * (len(levels) > 1), *[reward] * (len(rewards) > 1)]
            yield _Arm(" · ".join(parts), own, algorithm, level, reward, changes)


def _evaluation(name: str, plan: Any) -> EvaluationPlan:
    if not isinstance(name, str) or not name.replace("_", "").replace("-", "").isalnum():
        raise ValueError(
            f"evaluations: {name!r} names a file: a string of letters, digits, _ and - only"
        )
    made: EvaluationPlan = from_dict(plan or {}, EvaluationPlan, f"evaluations.{name}")
    if made.resampling < 0:
        raise ValueError(f"evaluations.{name}.resampling must be 0 or more")
    gap, rules = made.gap, list(DEFAULT_RULES)
    if any(verifier not in rules or gap.count(verifier) > 1 for verifier in gap):
        known = ", ".join(rules)
        raise ValueError(f"evaluations.{name}.gap takes each of {known} once, got {made.gap!r}")
    if made.gap and not made.resampling:
        raise ValueError(f"evaluations.{name}.gap judges independent samples: set resampling")
    return made


def _start(spec: Spec, base: dict[str, Any], env: dict[str, Any]) -> Recipe | None:
    """The training that comes before all jobs of a family."""
    if not spec.start:
        return None
    curve: CurvePlan = from_dict(spec.curve, CurvePlan, "curve")
    from_dict(spec.start, where="start")
    own = spec.start.get("env", {})
    given = [*spec.start, *(f"env.{name}" for name in own)]
    kwargs = {k: v for k, v in own.get("kwargs", {}).items() if k not in _LEVELS}
    _check_kwargs(kwargs, "start.env.kwargs")
    for name, instead in _NOT_OF_A_START.items():
        if name in given:
            raise ValueError(f"start.{name} has no effect: set {instead}")
    changes = merged(spec.set, spec.start)
    data = merged(base, changes)
    data["env"] = _env(base, env, changes, _levels_of_start(spec))
    # a limit that the recipe has for other uses does not end it, and one in seconds least of all
    data["train"] |= {"max_tokens": 0, "max_seconds": 0, **changes.get("train", {})}
    data["evaluation"] = _while_training(curve) | {"every": 0}
    data["name"] = f"{spec.name}: start"
    try:
        recipe: Recipe = from_dict(data).check()
        if get_algorithm(recipe.algorithm).trainer is None:
            raise ValueError(f"{recipe.algorithm} trains nothing")
        if recipe.seed in spec.seeds:
            raise ValueError(
                f"seed {recipe.seed} is one of the jobs', whose tasks and samples it would have "
                "seen; set another start.seed"
            )
    except ValueError as error:
        raise ValueError(f"start: {error}") from error
    return recipe


def _levels_of_start(spec: Spec) -> dict[str, str]:
    """Feedback level and session reward of the training that comes first: those of all jobs.

    Raises:
        ValueError: If there are several and it has none of its own.
    """
    own = spec.start.get("env", {}).get("kwargs", {})
    found = {}
    for name in _LEVELS:
        values = getattr(spec, name)
        if name not in own and len(values) > 1:
            raise ValueError(
                f"start.env.kwargs.{name} must be given, since the benchmark has several: "
                f"{', '.join(values)}"
            )
        found[name] = own.get(name, values[0])
    return found


def _env(
    base: dict[str, Any], family: dict[str, Any], changes: dict[str, Any], levels: dict[str, str]
) -> dict[str, Any]:
    """The environment of a training: its family's, with what ``set`` changes in its arguments."""
    kwargs = merged(family.get("kwargs", {}), changes.get("env", {}).get("kwargs", {}))
    return {"id": family.get("id", base["env"]["id"]), "kwargs": {**kwargs, **levels}}


def _more_rounds(budget: str, amount: int, sessions: int) -> int:
    """More rounds than a budget in tokens or seconds reaches."""
    if budget == "seconds":
        return _ROUNDS_A_SECOND * amount
    return _SLACK * amount // max(1, sessions) + 1


def _while_training(curve: CurvePlan) -> dict[str, Any]:
    """The evaluation of a recipe that draws this curve."""
    return {
        "tasks": curve.tasks,
        "attempts": curve.attempts,
        "split": "validation",
        "every": curve.every,
    }


def _job(
    spec: Spec,
    base: dict[str, Any],
    arm: _Arm,
    family: str,
    env: dict[str, Any],
    seed: int,
    evaluations: dict[str, EvaluationPlan],
) -> Job:
    curve: CurvePlan = from_dict(spec.curve, CurvePlan, "curve")
    changes = merged(spec.set, arm.changes)
    data = merged(base, changes)
    levels = {"feedback": arm.feedback, "session_reward": arm.session_reward}
    data["env"] = _env(base, env, changes, levels)
    trains = arm.algorithm != UNTRAINED
    data |= {"name": f"{spec.name}: {arm.name}", "seed": seed}
    # an arm that trains nothing needs a row of the table all the same; its numbers play no part
    data["algorithm"] = arm.algorithm if trains else "best_of_k"
    data["evaluation"] = _while_training(curve)
    for name, amount in spec.budget.items():
        # the budget ends the training, and no limit that the recipe has for other uses
        data["train"] |= {"max_tokens": 0, "max_seconds": 0, **changes.get("train", {})}
        if name != "rounds":
            data["train"]["rounds"] = _more_rounds(name, amount, data["train"]["sessions"])
        data["train"][BUDGETS[name]] = amount
    try:
        recipe = from_dict(data).check()
        if trains and get_algorithm(recipe.algorithm).trainer is None:
            raise ValueError(f"{recipe.algorithm} trains nothing: name it {UNTRAINED!r}")
        if trains and spec.budget.keys() - {"rounds"}:
            own = get_algorithm(recipe.algorithm).curriculum
            check_stages(chosen_curriculum(recipe.train.curriculum, own))
        job = Job(
            arm.name, arm.entry, family, arm.feedback, arm.session_reward, seed,
            recipe, {n: dataclasses.asdict(e) for n, e in evaluations.items()}, trains,
        )  # fmt: skip
        for name in evaluations:
            evaluation_recipe(recipe, job.evaluations[name]).check()
    except ValueError as error:
        raise ValueError(f"{arm.name} on {family}: {error}") from error
    return job


def evaluation_recipe(recipe: Recipe, plan: dict[str, Any]) -> Recipe:
    """The recipe whose evaluation is ``plan``: the job's environment, or another one."""
    data = recipe.as_dict()
    kwargs = dict(plan["kwargs"])
    if plan["id"] is not None:
        level = data["env"]["kwargs"].get("feedback", "full")
        data["env"] = {"id": plan["id"], "kwargs": {"feedback": level, **kwargs}}
        kwargs = {}
    data["evaluation"] = {
        "tasks": plan["tasks"],
        "attempts": plan["attempts"],
        "split": plan["split"],
        "env_kwargs": kwargs,
    }
    return from_dict(data)
