"""A recipe: everything that defines a run, as data.

Recipes are YAML files in ``benchmarks/recipes/``; unknown keys and impossible values are errors
that name the key, so a typing mistake never runs for an hour first.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from corgi_gym.agents.algorithms import get_algorithm
from corgi_gym.agents.build import check_engine_options
from corgi_gym.agents.curriculum_settings import UNIFORM, check_curriculum
from corgi_gym.agents.models import PACKAGED_MODEL
from corgi_gym.agents.option_types import check_types
from corgi_gym.envs.tasks import WORDS
from corgi_gym.rewards.names import did_you_mean

RECIPES = Path(__file__).parent / "recipes"
EVALUATION_SPLITS = ("test", "validation")

# Arguments of the environment that a run sets itself.
_SET_ELSEWHERE = {
    "max_attempts": "train.max_attempts and evaluation.attempts",
    "split": "evaluation.split (training uses the train split)",
}

# Arguments of an environment that say which tasks it has.
_OF_TASKS = ("tasks", "task_options", "prompts", "checker")

# What the ``config.json`` of a run has beside its recipe: what a part of the run ran with.
ENVIRONMENT = ("command", "git_commit", "machine", "versions")
# Mappings of a recipe, with those inside them: in a file, one with nothing below it says nothing.
_SECTIONS = {
    "engine_options": (),
    "env": ("kwargs",),
    "sampling": (),
    "train": ("lora", "curriculum", "options"),
    "evaluation": ("env_kwargs",),
}


@dataclass(slots=True)
class EnvSpec:
    """An environment: ``gym.make(id, **kwargs)``."""

    id: str = "ConstrainedGen-v0"
    kwargs: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class SamplingSpec:
    """How replies are sampled in training (evaluation is greedy).

    Attributes:
        temperature: Positive.
        max_tokens: Longest reply, in training and in evaluation.
        max_length: Longest conversation in tokens.
        system: System prompt; "" sends an empty one, null leaves it to the chat template.
    """

    temperature: float = 1.0
    max_tokens: int = 48
    max_length: int = 1024
    system: str | None = ""


@dataclass(slots=True)
class TrainSpec:
    """The training part.

    Attributes:
        rounds: Rounds of rollouts.
        sessions: Sessions per round; a multiple of ``num_generations``.
        num_generations: Sessions per task (the group of GRPO), at least 2.
        updates: Optimizer steps per round; sessions are split evenly over them.
        micro_batch: Sessions per forward pass in the mean; updates x micro_batch must divide
            sessions.
        learning_rate: Of AdamW.
        max_attempts: Attempts per training session.
        single_attempt_rounds: Rounds at the start with one attempt per session, at most
            ``rounds``; see `corgi_gym.agents.grpo.GuidedGRPOConfig`. Where only ``rounds`` is set
            anew (``--set``, `corgi_gym.benchmarks.train`), its share stays (`assign`).
        beta: Weight of the KL term to the initial model (0: none, and no reference is loaded).
        max_seconds: Start no new round after this many seconds of training (0: no limit). What is
            trained then depends on the machine; the rounds that ran are recorded.
        max_tokens: Start no new round after the model has written this many tokens in training (0:
            no limit).
        save_every: Rounds between checkpoints to resume from (0: none before training ends); does
            not change what is trained. The time that a checkpoint takes counts as training.
        lora: Arguments of a LoRA adapter, such as ``{r: 16}`` (`corgi_gym.agents.lora`); empty
            trains all weights, unless the algorithm has an adapter of its own.
        curriculum: Which tasks a round plays: ``{name: uniform}``, or another name with its numbers
            (`corgi_gym.agents.curriculum`).
        options: Further fields of the algorithm's config, such as those of
            `corgi_gym.agents.grpo.GuidedGRPOConfig`.
    """

    rounds: int = 20
    sessions: int = 64
    num_generations: int = 8
    updates: int = 4
    micro_batch: int = 8
    learning_rate: float = 5e-5
    max_attempts: int = 4
    single_attempt_rounds: int = 0
    beta: float = 0.0
    max_seconds: int = 0
    max_tokens: int = 0
    save_every: int = 5
    lora: dict[str, Any] = field(default_factory=dict)
    curriculum: dict[str, Any] = field(default_factory=lambda: dict(UNIFORM))
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class EvaluationSpec:
    """Greedy evaluation on fixed tasks, before and after.

    Attributes:
        tasks: Number of tasks (items 0, 1, ... of the split).
        attempts: Attempts per task; may exceed the training budget.
        split: ``"test"`` or ``"validation"``.
        every: Rounds between further evaluations while training, whose numbers go to
            ``curve.jsonl`` (0: none). Their time does not count as training.
        env_kwargs: Arguments of the environment that differ from training, such as other prompts
            or another feedback level.
    """

    tasks: int = 256
    attempts: int = 4
    split: str = "test"
    every: int = 0
    env_kwargs: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Recipe:
    """Everything that defines a run; see the parts.

    Attributes:
        engine: A key of `corgi_gym.agents.build.ENGINES`.
        engine_options: What that engine takes, such as ``{"url": "http://127.0.0.1:8000"}``.
    """

    name: str = "custom"
    model: str = PACKAGED_MODEL
    algorithm: str = "turn_grpo"
    engine: str = "auto"
    engine_options: dict[str, Any] = field(default_factory=dict)
    env: EnvSpec = field(default_factory=EnvSpec)
    sampling: SamplingSpec = field(default_factory=SamplingSpec)
    train: TrainSpec = field(default_factory=TrainSpec)
    evaluation: EvaluationSpec = field(default_factory=EvaluationSpec)
    seed: int = 0

    def check(self) -> Recipe:
        """Return self if every value is possible.

        Raises:
            ValueError: Naming the field, its value and what is allowed.
        """
        get_algorithm(self.algorithm)
        check_engine_options(self.engine, self.engine_options)
        check_curriculum(self.train.curriculum)
        t = self.train
        for where, spec, names in (
            ("train", t, ("rounds", "sessions", "updates", "micro_batch", "max_attempts")),
            ("evaluation", self.evaluation, ("tasks", "attempts")),
            ("sampling", self.sampling, ("max_tokens", "max_length")),
        ):
            for name in names:
                value = getattr(spec, name)
                if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                    raise ValueError(f"{where}.{name} must be a positive integer, got {value!r}")
        if self.sampling.max_tokens >= self.sampling.max_length:
            raise ValueError(
                f"sampling.max_length holds prompt and replies, so it must be above "
                f"sampling.max_tokens, got {self.sampling.max_length} and "
                f"{self.sampling.max_tokens}"
            )
        for where, spec, name in (
            ("train", t, "max_seconds"),
            ("train", t, "max_tokens"),
            ("train", t, "save_every"),
            ("evaluation", self.evaluation, "every"),
        ):
            if (value := getattr(spec, name)) < 0:
                raise ValueError(f"{where}.{name} must be 0 or more, got {value!r}")
        if not 0 <= t.single_attempt_rounds <= t.rounds:
            raise ValueError(
                f"train.single_attempt_rounds must be from 0 to train.rounds = {t.rounds}, "
                f"got {t.single_attempt_rounds!r}"
            )
        if t.num_generations < 2 or t.sessions % t.num_generations:
            raise ValueError(
                f"train.num_generations must be at least 2 and divide train.sessions, got "
                f"{t.num_generations!r} and {t.sessions!r}"
            )
        if t.sessions % (t.updates * t.micro_batch):
            raise ValueError(
                f"train.updates x train.micro_batch must divide train.sessions, got "
                f"{t.updates} x {t.micro_batch} and {t.sessions}"
            )
        for name, number, low in (
            ("sampling.temperature", self.sampling.temperature, "positive"),
            ("train.learning_rate", t.learning_rate, "positive"),
            ("train.beta", t.beta, "at least 0"),
        ):
            if not math.isfinite(number) or number < 0 or (number == 0 and low == "positive"):
                raise ValueError(f"{name} must be a finite number, {low}, got {number!r}")
        if not 0 <= self.seed < 2**32:
            raise ValueError(f"seed must be at least 0 and below 2**32, got {self.seed!r}")
        if self.evaluation.split not in EVALUATION_SPLITS:
            raise ValueError(
                f"unknown evaluation.split {self.evaluation.split!r}; "
                f"choose from {', '.join(EVALUATION_SPLITS)}"
            )
        for where, kwargs in (
            ("env.kwargs", self.env.kwargs),
            ("evaluation.env_kwargs", self.evaluation.env_kwargs),
        ):
            for name, instead in _SET_ELSEWHERE.items():
                if name in kwargs:
                    raise ValueError(f"{where}.{name} has no effect: set {instead}")
        return self

    def as_dict(self) -> dict[str, Any]:
        """The recipe as plain data."""
        return dataclasses.asdict(self)


def from_dict(data: dict[str, Any], cls: type = Recipe, where: str = "recipe") -> Any:
    """Build a recipe (or a part of one) from plain data.

    Raises:
        ValueError: For an unknown key, naming the nearest known one, or a value of a wrong type.

    Example:
        >>> from_dict({"train": {"rounds": 3}}).train.rounds
        3
    """
    if not isinstance(data, dict):
        raise ValueError(f"{where} must be a mapping, got {data!r}")
    parts = {"env": EnvSpec, "sampling": SamplingSpec, "train": TrainSpec}
    parts["evaluation"] = EvaluationSpec
    fields = {f.name: f for f in dataclasses.fields(cls)}
    values: dict[str, Any] = {}
    for key, value in data.items():
        if key not in fields:
            near = [f"{name}.{key}" for name, part in parts.items() if _has(part, key)]
            hint = f"; did you mean {near[0]!r}?" if near else did_you_mean(key, fields, ".")
            raise ValueError(f"unknown key {key!r} in {where}{hint} Known: {', '.join(fields)}")
        if cls is Recipe and key in parts:
            value = from_dict(value, parts[key], f"{where}.{key}")
        values[key] = value
    made = cls(**values)
    _check_types(made, where)
    return made


def _check_types(spec: Any, where: str) -> None:
    """Numbers must be numbers (YAML reads ``1e-5`` as text) and names strings."""
    for f in dataclasses.fields(spec):
        value = getattr(spec, f.name)
        if f.type == "float" and isinstance(value, int | str) and not isinstance(value, bool):
            with suppress(ValueError):
                setattr(spec, f.name, float(value))
    values = {f.name: getattr(spec, f.name) for f in dataclasses.fields(spec)}
    check_types(values, type(spec), where)


def load_recipe(name: str) -> Recipe:
    """Load a recipe by name (from ``benchmarks/recipes``) or path.

    A recipe with ``base: NAME`` has everything from that recipe (a shipped one, or a file beside
    it) that it does not say itself; mappings are merged key by key. Its name is its own, by default
    that of its file. The ``config.json`` of a run is a recipe too: that of the run.

    Raises:
        FileNotFoundError: If there is none; the message lists the shipped ones.
        ValueError: If it is not a valid recipe, or its own base.
    """
    path = find(name, Path())
    return from_dict(_contents(path, ()), where=path.name).check()


def find(name: str, folder: Path, shipped: Path = RECIPES, what: str = "recipe") -> Path:
    """The file of a recipe: a path, seen from ``folder``, or the name of one in ``shipped``.

    Raises:
        FileNotFoundError: If there is none; the message lists the shipped ones.
    """
    for path in (folder / name, shipped / f"{name}.yaml"):
        if path.is_file():
            return path
    names = ", ".join(sorted(p.stem for p in shipped.glob("*.yaml")))
    if Path(name).suffix in (".yaml", ".yml") or "/" in name:
        raise FileNotFoundError(f"no file {name!r}; shipped {what}s are: {names}")
    raise FileNotFoundError(f"no {what} {name!r}: give a YAML file, or one of: {names}")


def _contents(path: Path, above: tuple[Path, ...]) -> Any:
    """What a recipe's file says, on top of what its base says."""
    import yaml

    chain = (*above, path.resolve())
    if path.resolve() in above:
        raise ValueError(f"a recipe is its own base: {' -> '.join(p.name for p in chain)}")
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"recipe {str(path)!r} is not valid YAML: {_one_line(error)}") from error
    if not data:
        raise ValueError(f"recipe {str(path)!r} is empty")
    if not isinstance(data, dict):
        return data
    data = _without_empty(data)
    if "recipe" in data and data.keys() >= set(ENVIRONMENT):  # a run's config.json (JSON is YAML)
        data = {key: value for key, value in data.items() if key not in ENVIRONMENT}
        if (weights := data.get("weights")) is not None:
            raise ValueError(
                f"{path} is of a run that began with a policy that was trained before (weights "
                f"{weights}), not with its model: write the folder of one that you have as model, "
                "and remove the key weights"
            )
        data["name"] = data.pop("recipe")
    if "base" not in data:
        return {"name": path.stem, **data}
    base = data.pop("base")
    if not isinstance(base, str):
        raise ValueError(f"{path.name}: base must be the name of a recipe, got {base!r}")
    try:
        place = find(base, path.parent)
    except FileNotFoundError as error:
        raise FileNotFoundError(f"base of {path.name}: {error}") from error
    below = _contents(place, chain)
    if isinstance(below, dict) and data.get("engine") not in (None, below.get("engine")):
        below.pop("engine_options", None)  # those of another engine
    own, old = data.get("env"), below.get("env") if isinstance(below, dict) else None
    if isinstance(own, dict) and isinstance(old, dict) and isinstance(old.get("kwargs"), dict):
        kwargs = own.get("kwargs") if isinstance(own.get("kwargs"), dict) else {}
        _drop_stale(
            old["kwargs"],
            another_env=own.get("id") not in (None, old.get("id")),
            tasks=kwargs.get("tasks"),
            has_options="task_options" in kwargs,
        )
    return merged(below, {"name": path.stem, **data})


def _drop_stale(
    kwargs: dict[str, Any], *, another_env: bool, tasks: Any, has_options: bool
) -> None:
    """Take out of an environment's arguments what fits only the tasks that it had."""
    if another_env:
        for name in _OF_TASKS:
            kwargs.pop(name, None)
    options = kwargs.get("task_options")
    if tasks is None or has_options or tasks in WORDS or not isinstance(options, dict):
        return
    names = [tasks] if isinstance(tasks, str) else tasks
    kwargs["task_options"] = {name: options[name] for name in options if name in names}


def merged(base: Any, own: Any) -> Any:
    """``own`` on top of ``base``: mappings key by key, anything else as ``own`` has it."""
    if not isinstance(base, dict) or not isinstance(own, dict):
        return own
    return {**base, **{key: merged(base.get(key), value) for key, value in own.items()}}


def _without_empty(data: dict[str, Any]) -> dict[str, Any]:
    """A recipe's data without the sections that have nothing below them."""
    kept = {key: value for key, value in data.items() if value is not None or key not in _SECTIONS}
    for name, inside in _SECTIONS.items():
        if isinstance(section := kept.get(name), dict):
            kept[name] = {k: v for k, v in section.items() if v is not None or k not in inside}
    return kept


def override(
    recipe: Recipe, assignments: list[str], given: Mapping[str, Any] | None = None
) -> Recipe:
    """Apply ``"train.rounds=3"`` style assignments (values are YAML) and check the result.

    Args:
        recipe: Stays as it is.
        assignments: ``"key=value"``, keys with dots.
        given: Values by key that the assignments may replace.

    Raises:
        ValueError: For an assignment without ``=``, an unknown key, or an impossible value.
    """
    import yaml

    values = dict(given or {})
    for text in assignments:
        key, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"--set needs key=value, got {text!r}")
        try:
            values[key.strip()] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise ValueError(f"--set {text!r} is not valid YAML: {_one_line(error)}") from error
    data = recipe.as_dict()
    assign(data, values)
    return from_dict(data).check()


def assign(data: dict[str, Any], values: Mapping[str, Any]) -> None:
    """Set values of a recipe's plain data by their dotted names.

    Another number of rounds keeps the share of rounds with a single attempt, unless that is given
    too: half of 20 rounds become half of 6. Another environment has tasks of its own, so those of
    the one before go; with other tasks go the options of families that are gone, and with another
    engine the options of the old one.

    Args:
        data: A recipe as `Recipe.as_dict` gives it; changed in place.
        values: Values by name, such as ``{"train.rounds": 6}``.

    Raises:
        ValueError: For a name below something that has no names.

    Example:
        >>> data = Recipe(train=TrainSpec(rounds=20, single_attempt_rounds=10)).as_dict()
        >>> assign(data, {"train.rounds": 6})
        >>> data["train"]["single_attempt_rounds"]
        3
    """
    rounds, single = data["train"]["rounds"], data["train"]["single_attempt_rounds"]
    keeps_share = "train.single_attempt_rounds" not in values
    if values.get("engine") not in (None, data["engine"]):
        data["engine_options"] = {}  # the old ones are those of another engine
    whole = values.get("env")
    env_id = values.get("env.id", whole.get("id") if isinstance(whole, dict) else None)
    _drop_stale(
        data["env"]["kwargs"],
        another_env=env_id not in (None, data["env"]["id"]),
        tasks=values.get("env.kwargs.tasks"),
        has_options=any(key.startswith("env.kwargs.task_options") for key in values),
    )
    for key, value in values.items():
        node = data
        *path, last = key.split(".")
        for part in path:
            node = node.setdefault(part, {})
            if not isinstance(node, dict):
                raise ValueError(f"{key}={value!r}: {part!r} has no keys of its own")
        node[last] = value
        if key == "train.rounds" and keeps_share and type(value) is int and value > 0:
            node["single_attempt_rounds"] = single * value // rounds


def evaluates_training_prompts(config: Mapping[str, Any]) -> bool:
    """Whether the evaluation of a run has no prompts but those of its training.

    Args:
        config: Its ``config.json``, or a recipe as plain data.
    """
    prompts = config["env"]["kwargs"].get("prompts")
    if not isinstance(prompts, list):
        return False
    known = set(map(repr, prompts))
    tests = config["evaluation"]["env_kwargs"].get("prompts", prompts)
    return isinstance(tests, list) and known.issuperset(map(repr, tests))


def _has(spec: type, key: str) -> bool:
    return any(f.name == key for f in dataclasses.fields(spec))


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
