"""`GuidedPPOTrainer`: PPO with a critic on multi-turn sessions.

Proximal Policy Optimization (Schulman et al. 2017, arXiv 1707.06347) as CORGI (arXiv 2411.01483)
uses it on whole chats. Rollouts, engines, micro-batches and the clipped loss are those of
`corgi_gym.agents.grpo` and TRL, whose loss takes advantages of shape (B, T). What is ours:

- the critic (`corgi_gym.agents.critic`), trained in the same pass as the policy;
- advantages per token by GAE over the model tokens of a session (`corgi_gym.agents.gae`): an
  attempt is credited with what later attempts earn, as far as the critic did not expect it;
- a KL penalty to the reference, in the rewards or in the loss, with a coefficient that is fixed or
  steered to a target.

Values come from one forward pass without gradients at the start of a round. They cannot come from
the first epoch for free: advantages are needed before its first optimizer step, and after that step
the critic is another one. The pass gives the trainer's own log-probs as well, from which the KL
penalty is computed; the old log-probs of the ratio are the engine's, as in GRPO.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor
from trl.trainer.utils import use_adapter

from corgi_gym.agents.batches import prompt_length, score_tokens
from corgi_gym.agents.critic import (
    CRITICS,
    CriticKind,
    add_critic,
    load_critic,
    save_critic,
    without_critic,
)
from corgi_gym.agents.episode import Episode
from corgi_gym.agents.gae import KLController, gae, mean_and_variance, moments, value_loss, whiten
from corgi_gym.agents.grpo import GuidedGRPOConfig, GuidedGRPOTrainer
from corgi_gym.agents.rollout import Rollout

RewardOn = Literal["attempt", "session"]
REWARDS_ON: tuple[RewardOn, ...] = ("attempt", "session")
KLPlace = Literal["reward", "loss"]
KL_PLACES: tuple[KLPlace, ...] = ("reward", "loss")


@dataclass
class GuidedPPOConfig(GuidedGRPOConfig):
    """`GuidedGRPOConfig` with what PPO needs.

    From TRL come ``num_iterations`` (PPO's epochs over a round), ``epsilon`` (clip range of the
    policy), ``loss_type`` (``"dapo"``, the default, is the mean over model tokens) and ``beta``
    (the KL coefficient, the first one if it adapts; 0 needs no reference model).
    ``num_generations`` may be 1: no group is needed. ``credit`` and ``scale_rewards`` are GRPO's
    and refused.

    Args:
        gamma: Discount per model token, in (0, 1].
        lam: Lambda of GAE, in [0, 1].
        critic: ``"detached"``, ``"shared"`` or ``"separate"``; see `corgi_gym.agents.critic`.
        critic_model: Name of a separate critic's model, with the policy's tokenizer; ``None``
            copies the policy's checkpoint.
        critic_learning_rate: Of all the critic's own parameters; ``None`` for the policy's. A step
            moves the values of a head by about its learning rate times the width of the hidden
            states, so 1e-4 suits 576. A separate model takes as much as a policy.
        critic_warmup_rounds: Rounds at the start in which the critic learns alone.
        vf_coef: Weight of the value loss, at least 0.
        cliprange_value: Largest change of a value in a round that counts; ``None`` for any.
        whiten_advantages: Shift and scale the advantages of a round to mean 0 and variance 1.
        reward_on: ``"attempt"`` pays each attempt's step reward on its last token, ``"session"``
            the session's reward once, on its last model token (CORGI).
        kl_in: ``"reward"``: ``-beta * (log p - log p_ref)`` per token joins the rewards, and so the
            critic's targets (CORGI). ``"loss"``: TRL's KL term, an unbiased estimate per token.
        kl_target: Nats per session to hold by adapting ``beta``; ``None`` keeps it fixed.
        kl_gain: How strongly an error of the divergence moves ``beta``.

    Raises:
        ValueError: For a value out of range; the message names the field.
    """

    gamma: float = field(default=1.0)
    lam: float = field(default=0.95)
    critic: CriticKind = field(default="detached")
    critic_model: str | None = field(default=None)
    critic_learning_rate: float | None = field(default=None)
    critic_warmup_rounds: int = field(default=0)
    vf_coef: float = field(default=0.5)
    cliprange_value: float | None = field(default=0.2)
    whiten_advantages: bool = field(default=True)
    reward_on: RewardOn = field(default="attempt")
    kl_in: KLPlace = field(default="reward")
    kl_target: float | None = field(default=None)
    kl_gain: float = field(default=0.1)

    def __post_init__(self) -> None:
        self._check_fields()
        wanted = self.num_generations
        if wanted == 1:
            # TRL compares the sessions of a group and insists on two. It checks that the group
            # divides the round and that it is not 1, and the size of the round passes both.
            steps = self.steps_per_generation or self.gradient_accumulation_steps
            sessions = self.generation_batch_size or self.per_device_train_batch_size * steps
            _require("sessions per round", sessions, sessions > 1, "2 or more")
            self.num_generations = sessions
            self.num_generations_eval = self.num_generations_eval or 1
        super().__post_init__()
        self.num_generations = wanted

    def _check_fields(self) -> None:
        for name, default in (("credit", "attempt"), ("scale_rewards", "batch")):
            if (value := getattr(self, name)) != default:
                raise ValueError(
                    f"{name} compares the sessions of a group, and PPO has a critic instead: leave "
                    f"{name}={value!r} out, or choose another algorithm"
                )
        for name, known in (("critic", CRITICS), ("reward_on", REWARDS_ON), ("kl_in", KL_PLACES)):
            value = getattr(self, name)
            _require(name, value, value in known, f"one of {', '.join(known)}")
        positive = ("critic_learning_rate", "cliprange_value", "kl_target")
        for name in positive:
            value = getattr(self, name)
            _require(name, value, value is None or value > 0, "positive, or None")
        for name in ("vf_coef", "beta", "critic_warmup_rounds"):
            value = getattr(self, name)
            _require(name, value, value >= 0, "0 or more")
        _require("gamma", self.gamma, 0 < self.gamma <= 1, "above 0 and at most 1")
        _require("lam", self.lam, 0 <= self.lam <= 1, "between 0 and 1")
        _require("kl_gain", self.kl_gain, self.kl_gain > 0, "positive")
        if self.kl_target is not None:
            _require("beta", self.beta, self.beta > 0, "positive where kl_target is set")
        if self.sync_ref_model:
            raise ValueError(
                "sync_ref_model=True moves the reference parameter by parameter, and the critic "
                "makes the policy have more of them: leave it out with PPO"
            )
        if self.critic_model is not None:
            _require(
                "critic", self.critic, self.critic == "separate", "'separate' for a critic_model"
            )


class GuidedPPOTrainer(GuidedGRPOTrainer):
    """PPO on sessions.

    Args:
        model: As for `GuidedGRPOTrainer`.
        args: `GuidedPPOConfig`; ``max_steps`` counts optimizer steps, of which a round has
            ``num_iterations`` times as many as with one epoch.
        rollout: As for `GuidedGRPOTrainer`.
        **kwargs: As for `GuidedGRPOTrainer`.

    Attributes:
        critic: The `corgi_gym.agents.critic.Critic`; checkpoints have it beside the policy.
        kl: The `corgi_gym.agents.gae.KLController`.
    """

    _tag_names = ("trl", "ppo", "corgi-gym")
    _compares = False  # a critic does, token by token
    shards = False  # the critic's file of a checkpoint is written by the first process alone

    def __init__(self, model: Any, args: GuidedPPOConfig, rollout: Rollout, **kwargs: Any) -> None:
        super().__init__(model, args, rollout, **kwargs)
        wrapped = hasattr(self.model, "peft_config")
        self._policy = self.model.get_base_model() if wrapped else self.model
        self.critic = add_critic(self._policy, args.critic, args.critic_model)
        self.kl = KLController(args.beta, args.kl_target, args.kl_gain)
        self.beta = 0.0  # TRL's term in the loss: set in `_compute_loss` where it is wanted
        self._values: list[Tensor] | None = None
        self._round: dict[str, Any] = {}

    # ---------------------------------------------------------------- a round's advantages

    def sync(self) -> None:
        """Bring the engine to the current weights; it has the policy without the critic."""
        with without_critic(self._policy):
            super().sync()

    def _token_advantages(self, width: int) -> Tensor:
        """Zeros: these advantages need the critic, see `_generate_and_score_completions`."""
        return torch.zeros(len(self._episodes), width)

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        batch = super()._generate_and_score_completions(inputs)
        kept = batch["completion_mask"] * batch["tool_mask"]
        logps, values = self._score_round(self.model, batch, values=True)
        rewards = token_rewards(self._episodes, kept.shape[1], self.args.reward_on).to(logps)
        log_ratio = torch.zeros_like(logps)
        if self.args.beta > 0:
            reference = self._reference_logps(batch)
            log_ratio = (logps - reference) * kept
            if self.args.kl_in == "reward":
                rewards = rewards - self.kl.coef * log_ratio
            else:
                batch["ref_per_token_logps"] = reference
        advantages, returns = gae(rewards, values, kept, gamma=self.args.gamma, lam=self.args.lam)
        spread = self._log_round(advantages, returns, values, log_ratio, kept)
        if self.args.whiten_advantages:
            advantages = whiten(advantages, kept, spread)
        batch.update(advantages=advantages, returns=returns, old_values=values)
        self._round = batch
        return batch

    def _score_round(self, model: Any, batch: dict[str, Any], *, values: bool) -> list[Tensor]:
        """Log-probs of the model tokens, and values if asked for: (B, T), no gradients."""
        ids, attention = (
            torch.cat([batch[f"prompt_{part}"], batch[f"completion_{part}"]], 1)
            for part in ("ids", "mask")
        )
        kept = batch["completion_mask"] * batch["tool_mask"]
        order = attention.sum(1).argsort()  # rows of like length share a pass
        size = self.args.per_device_train_batch_size
        self._score_mask = kept[order]
        try:
            with torch.no_grad(), self._recording_values(values) as seen:
                logps, _, _ = self._get_per_token_logps_and_entropies(
                    model, ids[order], attention[order], kept.shape[1], size
                )
        finally:
            self._score_mask = None
        scores = [logps, torch.cat(seen)[:, -kept.shape[1] :]] if values else [logps]
        return [score[order.argsort()] for score in scores]

    def _reference_logps(self, batch: dict[str, Any]) -> Tensor:
        """Log-probs under the reference: a model of its own, or the policy without its adapter."""
        if self.ref_model is not None:
            return self._score_round(self.ref_model, batch, values=False)[0]
        model = self.accelerator.unwrap_model(self.model)
        with use_adapter(model, "ref" if "ref" in model.peft_config else None):
            return self._score_round(self.model, batch, values=False)[0]

    def _log_round(
        self, advantages: Tensor, returns: Tensor, values: Tensor, log_ratio: Tensor, kept: Tensor
    ) -> Tensor:
        """Log the round over all processes, adapt the KL coefficient; the advantages' moments."""
        pairs = [(x, kept) for x in (advantages, returns, values, returns - values)]
        pairs.append((log_ratio.sum(1), kept.sum(1)))
        totals = self.accelerator.reduce(torch.stack([moments(*pair) for pair in pairs]), "sum")
        _, (mean_return, spread), (mean_value, _), (_, left), (divergence, _) = map(
            mean_and_variance, totals
        )
        metrics = self._metrics["train"]
        metrics["ppo/return"].append(mean_return)
        metrics["ppo/value"].append(mean_value)
        metrics["ppo/explained_variance"].append(1 - left / spread if spread > 0 else 0.0)
        if self.args.beta > 0:
            metrics["ppo/kl"].append(divergence)
            used = self.kl.coef
            self.kl.update(divergence)
            # the rewards have had theirs; a term of the loss is still to come
            metrics["ppo/kl_coef"].append(self.kl.coef if self.args.kl_in == "loss" else used)
        return totals[0]

    # ---------------------------------------------------------------- the loss

    def _has_other_terms(self) -> bool:
        """The value loss needs every row."""
        return True

    def _prepare_inputs(self, generation_batch: Any) -> dict[str, Any]:
        """The micro-batches of a new epoch are drawn anew from the same sessions."""
        steps = self.args.steps_per_generation
        later_epoch = self._step % (steps * self.num_iterations) and self._step % steps == 0
        if later_epoch and self._round:
            self._buffered_inputs = self._micro_batches(self._round)
        return super()._prepare_inputs(generation_batch)

    def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> Tensor:
        warming_up = self.state.global_step < self.args.critic_warmup_rounds * self.steps_per_round
        if warming_up:
            inputs = {**inputs, "advantages": torch.zeros_like(inputs["advantages"])}
        kind = self.args.critic
        self.critic.detached = kind == "detached" or (kind == "shared" and warming_up)
        # the policy rests: of a loss that is zero, rounding would leave full steps of the optimizer
        self.beta = self.kl.coef if "ref_per_token_logps" in inputs and not warming_up else 0.0
        bonus = self._entropy_bonus_enabled
        self._entropy_bonus_enabled = bonus and not warming_up
        try:
            with self._recording_values() as seen:
                loss = super()._compute_loss(model, inputs)
        finally:
            self.beta, self._entropy_bonus_enabled = 0.0, bonus
        values = torch.cat(seen)[:, -inputs["returns"].shape[1] :]
        return loss + self.args.vf_coef * self._value_loss(values, inputs)

    def _value_loss(self, values: Tensor, inputs: dict[str, Any]) -> Tensor:
        """The mean over the tokens of an optimizer step, as the policy's loss is taken."""
        kept = inputs["completion_mask"] * inputs["tool_mask"]
        old, clip = inputs["old_values"], self.args.cliprange_value
        loss = (value_loss(values, inputs["returns"], old, clip) * kept).sum()
        tokens = inputs["num_items_in_batch"].clamp(min=1) / self.accelerator.num_processes
        # the tokens of all of a round's steps, of which this is one
        accumulated = self.current_gradient_accumulation_steps
        tokens = tokens * accumulated / self.args.steps_per_generation
        moved = ((values - old).abs() > clip) * kept if clip else torch.zeros_like(kept)
        share = torch.stack([loss.detach(), moved.sum(), kept.sum()])
        total, outside, count = self.accelerator.reduce(share, "sum").tolist()
        self._metrics["train"]["ppo/value_loss"].append(total / max(1.0, count))
        self._metrics["train"]["ppo/value_clipped"].append(outside / max(1.0, count))
        return loss / tokens

    @contextmanager
    def _recording_values(self, on: bool = True) -> Iterator[list[Tensor]]:
        """Collects the values of the rows that are scored while this is open."""
        values: list[Tensor] = []
        self._values = values if on else None
        try:
            yield values
        finally:
            self._values = None

    def _score_rows(
        self, model: Any, ids: Tensor, mask: Tensor, wanted: Tensor
    ) -> tuple[Tensor, Tensor]:
        if self._values is None:
            return super()._score_rows(model, ids, mask, wanted)
        most = self.args.max_pass_tokens
        logps, entropies, values = score_tokens(model, ids, mask, wanted, most=most, values=True)
        self._values.append(values)
        return logps, entropies

    # ---------------------------------------------------------------- optimizer and checkpoints

    def create_optimizer(self, model: Any = None) -> Any:
        """TRL's optimizer, in which the critic has a group and a learning rate of its own."""
        optimizer = super().create_optimizer(model)
        if any(group.get("name") == "critic" for group in optimizer.param_groups):
            return optimizer
        named = (self.model if model is None else model).named_parameters()
        critic = [p for name, p in named if ".critic." in f".{name}"]
        own = {id(p) for p in critic}
        for group in optimizer.param_groups:
            group["params"] = [p for p in group["params"] if id(p) not in own]
        rate = self.args.critic_learning_rate or self.args.learning_rate
        optimizer.add_param_group(
            {"params": critic, "lr": rate, "weight_decay": 0.0, "name": "critic"}
        )
        return optimizer

    def _clip_grad_norm(self, model: Any) -> Any:
        """Clip policy and critic apart: the critic's errors must not shrink the policy's step."""
        if self.is_fsdp_enabled or self.is_deepspeed_enabled:
            return super()._clip_grad_norm(model)  # these clip all parameters together
        own = {id(p) for p in self.critic.parameters()}
        policy = [p for p in model.parameters() if id(p) not in own]
        norm = self.accelerator.clip_grad_norm_(policy, self.args.max_grad_norm)
        critic = torch.nn.utils.clip_grad_norm_(self.critic.parameters(), self.args.max_grad_norm)
        self._metrics["train"]["ppo/critic_grad_norm"].append(float(critic))
        return norm

    def checkpoint_state(self) -> dict[str, Any]:
        """The KL coefficient as well; the critic is a file of the checkpoint."""
        return {**super().checkpoint_state(), "kl_coef": self.kl.coef}

    def load_checkpoint_state(self, state: dict[str, Any]) -> None:
        """Take over what `checkpoint_state` returned."""
        super().load_checkpoint_state(state)
        self.kl.coef = state["kl_coef"]

    def _save(
        self, output_dir: str | None = None, state_dict: dict[str, Any] | None = None
    ) -> None:
        super()._save(output_dir, state_dict)
        save_critic(self.critic, output_dir or self.args.output_dir)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        super()._load_from_checkpoint(resume_from_checkpoint, model)
        load_critic(self.critic, resume_from_checkpoint)


def token_rewards(episodes: Sequence[Episode], width: int, reward_on: RewardOn) -> Tensor:
    """Rewards on tokens after the prompt: shape (B, ``width``).

    Each scored attempt's step reward is on its last token, or their sum on the last token of the
    last scored attempt (``reward_on="session"``).
    """
    result = torch.zeros(len(episodes), width)
    for row, episode in enumerate(episodes):
        scored = [t for t, attempt in enumerate(episode.attempts) if not attempt.unscored]
        for t in scored:
            end = episode.turn_ends[t if reward_on == "attempt" else scored[-1]]
            result[row, end - prompt_length(episode) - 1] += episode.step_rewards[t]
    return result


def _require(name: str, value: Any, holds: bool, wanted: str) -> None:
    if not holds:
        raise ValueError(f"{name} must be {wanted}, got {value!r}")
