"""PPO's rows of the algorithm table as plain data: fields of `GuidedPPOConfig`, no torch import."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# PPO with a critic: one reward per attempt, a value head that leaves the policy's trunk alone.
# Tasks and sessions of a round are the recipe's, so that a run compares with GRPO's task by task.
PPO_SETTINGS: Mapping[str, Any] = {
    "loss_type": "dapo",  # the mean over model tokens, as PPO takes it
    "epsilon": 0.2,
    "num_iterations": 2,
    "gamma": 1.0,
    "lam": 0.95,
    "critic": "detached",
    "critic_learning_rate": 1e-4,
    "vf_coef": 0.5,
    "cliprange_value": 0.2,
    "whiten_advantages": True,
    "reward_on": "attempt",
}

# CORGI's own setting (arXiv 2411.01483). From its released code: one reward on the last model token
# of a session, the KL penalty in the reward with a first coefficient of 0.075, whitened
# advantages, a value head on the policy, one session per task. The rest was not set there and is
# what TRL's PPOTrainer had as defaults at the time, recalled and not verified: learning rate
# 1.41e-5, 4 epochs, clip ranges 0.2, vf_coef 0.1, gamma 1, lambda 0.95, an adaptive coefficient
# with target 6 nats per session and gain batch / horizon = 32 / 10,000.
CORGI_SETTINGS: Mapping[str, Any] = {
    "loss_type": "dapo",
    "learning_rate": 1.41e-5,
    "num_generations": 1,
    "num_iterations": 4,
    "epsilon": 0.2,
    "gamma": 1.0,
    "lam": 0.95,
    "critic": "shared",
    "vf_coef": 0.1,
    "cliprange_value": 0.2,
    "beta": 0.075,
    "kl_in": "reward",
    "kl_target": 6.0,
    "kl_gain": 0.0032,
    "whiten_advantages": True,
    "reward_on": "session",
}

# Arguments of `peft.LoraConfig` in CORGI's released code; give the trainer
# ``peft_config=LoraConfig(**CORGI_LORA)``.
CORGI_LORA: Mapping[str, Any] = {
    "r": 16,
    "lora_alpha": 16,
    "bias": "none",
    "task_type": "CAUSAL_LM",
}
