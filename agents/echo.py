"""ECHO: learn to predict the feedback as well, with cross-entropy on the environment's tokens.

ECHO (Shrivastava et al., arXiv 2605.24517) adds the mean cross-entropy on the tokens that the
environment wrote after each action to the policy-gradient loss, from the same forward pass:
L = L_policy + weight x L_feedback. Sessions without any advantage then teach something too. Here
the tokens are those of the feedback messages between a session's attempts, with the markers of the
chat template around them; the first prompt is none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from corgi_gym.agents.batches import prompt_length
from corgi_gym.agents.grpo import GuidedGRPOConfig, GuidedGRPOTrainer


@dataclass
class EchoConfig(GuidedGRPOConfig):
    """`GuidedGRPOConfig` with the weight of the auxiliary loss.

    Args:
        feedback_weight: Weight of the mean cross-entropy on feedback tokens, at least 0.
    """

    feedback_weight: float = field(default=0.05)

    def __post_init__(self) -> None:
        if not self.feedback_weight >= 0.0:
            raise ValueError(f"feedback_weight must be at least 0, got {self.feedback_weight!r}")
        super().__post_init__()


class EchoTrainer(GuidedGRPOTrainer):
    """GRPO plus cross-entropy on feedback tokens.

    The auxiliary term is a mean over the feedback tokens of a round, each optimizer step taking its
    share, whatever the policy's loss type. Log-probs are those of the sampling temperature.
    """

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        batch = super()._generate_and_score_completions(inputs)
        ids = batch["completion_ids"]
        mask = torch.zeros(ids.shape, dtype=torch.long, device=ids.device)
        for row, episode in enumerate(self._episodes):
            written = torch.tensor(episode.model_mask[prompt_length(episode) :])
            mask[row, : len(written)] = 1 - written
        batch["feedback_mask"] = mask
        batch["feedback_tokens"] = self.accelerator.gather(mask.sum()).sum()
        return batch

    def _has_other_terms(self) -> bool:
        return self.args.feedback_weight > 0 or super()._has_other_terms()

    def _scored_tokens(self, inputs: dict[str, Any]) -> Tensor:
        return super()._scored_tokens(inputs) + inputs["feedback_mask"]

    def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> Tensor:
        loss = super()._compute_loss(model, inputs)
        logps, self._loss_logps = self._loss_logps, None
        total = -(logps * inputs["feedback_mask"]).sum()
        share = self._share_of(inputs["feedback_tokens"])
        self._log_mean("feedback_loss", total, inputs["feedback_tokens"])
        return loss + self.args.feedback_weight * total / share
