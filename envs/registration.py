"""Registers the environment ids with Gymnasium; called once by ``import corgi_gym``."""

from __future__ import annotations

import gymnasium as gym

from corgi_gym.envs.tasks import FAMILIES, SUITES


def register_envs() -> None:
    """Register the mixtures and one id per family; does nothing for ids registered already."""
    for suite in SUITES:
        _register(suite, {"suite": suite})
    for name, family in FAMILIES.items():
        _register(f"corgi/{family.env_id}", {"tasks": name})


def _register(env_id: str, kwargs: dict[str, str]) -> None:
    if env_id not in gym.registry:
        gym.register(
            env_id,
            entry_point="corgi_gym.envs.guided:GuidedEnv",
            vector_entry_point="corgi_gym.envs.vector:GuidedVectorEnv",
            kwargs=kwargs,
        )
