"""What a recipe names, as objects: the policy with its engine, environments, rollouts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import gymnasium as gym

from corgi_gym.agents.algorithms import get_algorithm
from corgi_gym.benchmarks.needs import check_packages
from corgi_gym.benchmarks.recipe import Recipe
from corgi_gym.envs import SUITES, GuidedEnv, TaskSource
from corgi_gym.rewards import check_examples

if TYPE_CHECKING:
    from corgi_gym.agents.engines import Engine
    from corgi_gym.agents.rollout import Codec, Rollout

# Sessions under way at once in an evaluation.
_CONCURRENCY = 128
# Arguments of an environment that its task sources are made of.
_SOURCES = (
    "tasks", "prompts", "checker", "task_options", "level", "unseen_options", "request",
)  # fmt: skip


@dataclass
class Policy:
    """A model with its chat codec and an engine that generates with it.

    Behind an endpoint that is only evaluated there is neither model nor tokenizer. ``version`` is
    the number of optimizer steps that a run has trained it for.
    """

    model: Any
    tokenizer: Any
    codec: Codec
    engine: Engine
    version: int = 0


def load_policy(recipe: Recipe, model: Any = None) -> Policy:
    """Load the recipe's model, tokenizer and engine.

    Args:
        recipe: A checked recipe.
        model: A loaded model to use instead of ``recipe.model``'s weights (engine
            ``transformers`` only, since vLLM loads its own copy by name).
    """
    if recipe.engine == "openai":
        from corgi_gym.agents.engines.openai_engine import OpenAIEngine, TextCodec

        client = OpenAIEngine(
            model=recipe.model, system=recipe.sampling.system, **recipe.engine_options
        )
        return Policy(None, None, TextCodec(), client)
    from corgi_gym.agents.build import make_engine
    from corgi_gym.agents.codec import ChatCodec
    from corgi_gym.agents.models import load_model, load_tokenizer

    tokenizer = load_tokenizer(recipe.model)
    codec = ChatCodec(tokenizer, system=recipe.sampling.system)
    if model is None:
        model = load_model(recipe.model)
    engine = make_engine(
        recipe.engine,
        recipe.model,
        model,
        max_length=recipe.sampling.max_length,
        batch=min(_CONCURRENCY, max(recipe.train.sessions, recipe.evaluation.tasks)),
        options=recipe.engine_options,
        codec=codec,
        bf16=recipe.train.options.get("bf16", True),
    )
    return Policy(model, tokenizer, codec, engine)


def make_env(
    recipe: Recipe, *, train: bool, sources: Mapping[str, TaskSource] | None = None
) -> gym.Env[str, str]:
    """One environment of a recipe, as training or evaluation uses it.

    Args:
        recipe: Names the environment and its arguments.
        train: Whether it is for training.
        sources: Task sources of another such environment, to be used instead of making them.

    Raises:
        ValueError: For an environment or an argument that does not exist.
    """
    spec = recipe.evaluation
    kwargs = {
        **recipe.env.kwargs,
        **({} if train else spec.env_kwargs),
        "split": "train" if train else spec.split,
        "max_attempts": recipe.train.max_attempts if train else spec.attempts,
        **(get_algorithm(recipe.algorithm).env if train else {}),
    }
    if sources is not None:
        kwargs = {k: v for k, v in kwargs.items() if k not in _SOURCES} | {"tasks": sources}
    try:
        return gym.make(recipe.env.id, disable_env_checker=True, **kwargs)
    except gym.error.UnregisteredEnv as error:
        raise ValueError(
            f"environment {recipe.env.id!r} cannot be made: there is no such id; of this package "
            f"are {', '.join(SUITES)}, SelfImprovement-v0 and one per family (corgi-gym tasks)"
        ) from error
    except (gym.error.Error, TypeError) as error:
        # Gymnasium appends all arguments to the error of an environment's constructor
        text = str(error).partition(" was raised from the environment creator")[0]
        raise ValueError(f"environment {recipe.env.id!r} cannot be made: {text}") from error


def check_inputs(recipe: Recipe, *, train: bool = True) -> None:
    """Try everything that is cheap to try, before anything is loaded or overwritten.

    Raises:
        ValueError: For an impossible value, environment, option or model name, or a checker that
            contradicts its own examples.
        ImportError: If vLLM is asked for and not installed, or the extra ``train`` is not.
        EngineError: If the engine's server does not answer.
    """
    recipe.check()
    check_packages("torch", "transformers", *(("trl",) if train else ()))
    from corgi_gym.agents.build import check_engine
    from corgi_gym.agents.models import resolve_model

    _checked_env(recipe, train=False).close()
    check_engine(recipe.engine, recipe.engine_options, train=train)
    if recipe.engine != "openai":  # whose models only the endpoint knows
        resolve_model(recipe.model)
    if train:
        from corgi_gym.agents.training import check_training

        env = _checked_env(recipe, train=True)
        check_training(recipe.algorithm, recipe.train, env, recipe.engine)
        env.close()
        _find_other_models(recipe)


def _find_other_models(recipe: Recipe) -> None:
    """Find the models that training asks besides the policy, and their servers."""
    from corgi_gym.agents.models import resolve_model
    from corgi_gym.agents.teacher import find_teacher

    for teacher in (
        recipe.train.options.get("teacher"),
        recipe.train.curriculum.get("reference"),
    ):
        if teacher:
            find_teacher(teacher)
    if scorer := recipe.train.options.get("scorer"):
        resolve_model(scorer)


def _checked_env(recipe: Recipe, *, train: bool) -> gym.Env[str, str]:
    """An environment whose checkers do what their examples say."""
    env = make_env(recipe, train=train)
    if isinstance(env.unwrapped, GuidedEnv):
        for source in env.unwrapped.sources.values():
            check_examples(source.checker)
    return env


def make_rollout(
    recipe: Recipe, policy: Policy, *, train: bool, sampled: bool | None = None
) -> Rollout:
    """The rollouts of a recipe: sampled on ``train`` tasks, or greedy on the evaluation split.

    ``sampled=True`` samples on the evaluation split as well. The environments share their task
    sources, which are pure, and so what these keep in memory.
    """
    from corgi_gym.agents.engines import Sampling
    from corgi_gym.agents.rollout import Rollout

    sampling = recipe.sampling
    first = make_env(recipe, train=train).unwrapped
    sources = first.sources if isinstance(first, GuidedEnv) else None
    first.close()
    return Rollout(
        lambda: make_env(recipe, train=train, sources=sources),
        policy.engine,
        policy.codec,
        Sampling(sampling.temperature if train or sampled else 0.0, sampling.max_tokens),
        max_length=sampling.max_length * getattr(policy.codec, "ids_per_token", 1),
        concurrency=_CONCURRENCY,
    )
