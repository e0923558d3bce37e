"""Registers the environment ids with Gymnasium; called once by ``import corgi_gym``."""

from __future__ import annotations

import gymnasium as gym

from corgi_gym.envs.tasks import FAMILIES, SUITES


def register_envs() -> None:
    """Register the mixtures, one id per family, and self-improvement.

    Does nothing for ids that are registered already.
    """
    for suite in SUITES:
        _register(suite, {"suite": suite})
    for name, family in FAMILIES.items():
        _register(f"corgi/{family.env_id}", {"family": name})
    here = "corgi_gym.envs.self_improvement"
    _register("SelfImprovement-v0", {}, f"{here}:make_env", f"{here}:make_vector")


def _register(
    env_id: str,
    kwargs: dict[str, str],
    entry_point: str = "corgi_gym.envs.guided:GuidedEnv",
    vector_entry_point: str = "corgi_gym.envs.vector:GuidedVectorEnv",
) -> None:
    if env_id not in gym.registry:
        gym.register(
            env_id,
            entry_point=entry_point,
            vector_entry_point=vector_entry_point,
            # no wrappers: our environments say themselves when a step comes before a reset, and
            # the tests run Gymnasium's checker on every id
            order_enforce=False,
            disable_env_checker=True,
            kwargs=kwargs,
        )
