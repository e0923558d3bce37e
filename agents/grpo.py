"""`GuidedGRPOTrainer`: TRL's GRPO on multi-turn sessions of a Gymnasium environment.

TRL keeps the loss, the schedules, PEFT, accelerate, checkpoints and callbacks. What is ours:

- the rollouts (`rollout_func` and `env_mask`): sessions on an engine of ours, after a weight sync
  that is proven by a probe;
- credit per attempt (`corgi_gym.agents.credit`), through the advantages of shape (B, T) that TRL's
  loss accepts from subclasses;
- the arithmetic around the loss: the head on model tokens only, rows sorted by length, no pass for
  old log-probs (the engine's are used), and no work for sessions whose advantage is zero.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")  # rollout_func is used on purpose

import torch
from accelerate.utils import gather_object
from datasets import Dataset
from torch import Tensor
from trl import GRPOConfig, GRPOTrainer

from corgi_gym.agents.credit import CREDITS, Credit, attempt_advantages
from corgi_gym.agents.episode import Episode, repeat_share, success_by_attempt
from corgi_gym.agents.logps import add_chosen_head
from corgi_gym.agents.rollout import Rollout, Session, timed
from corgi_gym.agents.sync import sync_weights
from corgi_gym.envs import stable_hash

# Prompts used by the parity probe after each sync.
_PROBE_PROMPTS = 8


@dataclass
class GuidedGRPOConfig(GRPOConfig):
    """`trl.GRPOConfig` with what sessions need.

    Args:
        credit: ``"attempt"`` (reward-to-go per attempt) or ``"session"`` (one advantage per
            session); see `corgi_gym.agents.credit`.
        engine_logps: Use the engine's log-probs of the sampled tokens as the old log-probs, which
            saves a forward pass and corrects the mismatch between engine and trainer in the ratio.
        task_offset: First task index of the training stream.
        single_attempt_rounds: Rounds at the start in which a session has one attempt. A curriculum
            from one attempt to several: what a first reply should look like is learned at a
            fraction of the tokens, and what to do with feedback afterwards.
    """

    credit: Credit = field(default="attempt")
    engine_logps: bool = field(default=True)
    task_offset: int = field(default=0)
    single_attempt_rounds: int = field(default=0)

    def __post_init__(self) -> None:
        if self.credit not in CREDITS:
            raise ValueError(f"unknown credit {self.credit!r}; choose from {', '.join(CREDITS)}")
        if self.single_attempt_rounds < 0:
            raise ValueError(
                f"single_attempt_rounds must be 0 or more, got {self.single_attempt_rounds!r}"
            )
        super().__post_init__()


@dataclass(frozen=True, slots=True)
class RolloutReport:
    """One round of sessions, handed to ``on_rollout``: plain data for logs and displays."""

    step: int
    episodes: list[Episode]
    seconds: float
    mismatch: float


def session_reward(prompts: list, completions: list, reward: list, **_: Any) -> list[float | None]:
    """TRL reward function: the session's own reward; None where nothing could be scored."""
    return reward


class GuidedGRPOTrainer(GRPOTrainer):
    """GRPO on sessions.

    Args:
        model: Causal language model, or its name for transformers.
        args: `GuidedGRPOConfig`; ``max_steps`` must be set. One generation round has
            ``generation_batch_size`` sessions, ``num_generations`` per task.
        rollout: Runs the sessions (`corgi_gym.agents.rollout.Rollout`).
        on_rollout: Called with a `RolloutReport` after each round.
        **kwargs: As for `trl.GRPOTrainer` (``processing_class``, ``callbacks``, ``peft_config``…).

    Raises:
        ValueError: If ``max_steps`` is not set.
        EngineError: From ``train``, if the engine fails or its weights are not the trainer's.
    """

    _tag_names = ("trl", "grpo", "corgi-gym")

    def __init__(
        self,
        model: Any,
        args: GuidedGRPOConfig,
        rollout: Rollout,
        *,
        on_rollout: Callable[[RolloutReport], None] | None = None,
        **kwargs: Any,
    ) -> None:
        if args.max_steps <= 0:
            raise ValueError(f"GuidedGRPOConfig.max_steps must be positive, got {args.max_steps}")
        self.rollout = rollout
        self.on_rollout = on_rollout or (lambda report: None)
        self.mismatch = 0.0
        self._synced_at: int | None = None
        self._rows: list[dict[str, Any]] = []
        self._episodes: list[Episode] = []
        self._score_mask: Tensor | None = None
        self._skip_scoring = False
        super().__init__(
            model=model,
            args=args,
            reward_funcs=session_reward,
            train_dataset=self._tasks(args),
            rollout_func=lambda prompts, trainer: trainer._run_sessions(len(prompts)),
            **kwargs,
        )
        base = self.model.get_base_model() if hasattr(self.model, "peft_config") else self.model
        add_chosen_head(base, self.temperature)
        if self.ref_model is not None:
            add_chosen_head(self.ref_model, self.temperature)

    def _tasks(self, args: GuidedGRPOConfig) -> Dataset:
        """Task indices for the whole run; each row's prompt is what the environment asks."""
        rounds = -(-args.max_steps * args.gradient_accumulation_steps // args.steps_per_generation)
        count = rounds * args.generation_batch_size // args.num_generations
        env = self.rollout.make_env()
        rows = []
        for index in range(args.task_offset, args.task_offset + count):
            message, _ = env.reset(options={"index": index})
            rows.append({"prompt": [{"role": "user", "content": message}], "index": index})
        env.close()
        return Dataset.from_list(rows)

    # ---------------------------------------------------------------- rollouts

    def sync(self) -> None:
        """Bring the engine to the current weights, once per optimizer step, and prove it."""
        if self._synced_at == self.state.global_step:
            return
        prompts = [
            self.rollout.codec.start(
                self.train_dataset[i % len(self.train_dataset)]["prompt"][0]["content"]
            )
            for i in range(_PROBE_PROMPTS)
        ]
        model = self.accelerator.unwrap_model(self.model)
        self.mismatch = sync_weights(model, self.rollout.engine, prompts)
        self._synced_at = self.state.global_step

    def _run_sessions(self, count: int) -> dict[str, list[Any]]:
        """TRL's ``rollout_func``: sessions for the rows stashed by the caller."""
        self.sync()
        first = self.accelerator.process_index * count
        updates = self.args.steps_per_generation // self.args.gradient_accumulation_steps
        single = self.state.global_step // updates < self.args.single_attempt_rounds
        sessions = [
            Session(
                index=row["index"],
                seed=stable_hash(self.args.seed, self.state.global_step, row["index"], first + i),
                max_attempts=1 if single else None,
            )
            for i, row in enumerate(self._rows)
        ]
        self._episodes, seconds = timed(
            self.rollout, sessions, policy_version=self.state.global_step
        )
        self._log_episodes(self._episodes, seconds)
        self.on_rollout(
            RolloutReport(self.state.global_step, self._episodes, seconds, self.mismatch)
        )
        return _trl_rollout(self._episodes)

    def _log_episodes(self, episodes: Sequence[Episode], seconds: float) -> None:
        metrics = self._metrics["train" if self.model.training else "eval"]
        longest = max(len(e.attempts) for e in episodes)
        for k, share in enumerate(success_by_attempt(episodes, longest), start=1):
            metrics[f"session/success@{k}"].append(share)
        attempts = [a for e in episodes for a in e.attempts]
        metrics["session/repeats"].append(repeat_share(episodes))
        metrics["session/attempts"].append(len(attempts) / len(episodes))
        metrics["session/unscored"].append(sum(a.unscored for a in attempts) / len(attempts))
        metrics["session/truncated"].append(sum(a.truncated for a in attempts) / len(attempts))
        metrics["sampling/sync_logp_difference"].append(self.mismatch)
        metrics["rollout_time"].append(seconds)

    # ---------------------------------------------------------------- advantages

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        self._rows = inputs
        # TRL would score the round once more for the old log-probs; the engine's are used instead.
        # With a LoRA reference that pass is the same model without its adapter, and is needed.
        self._skip_scoring = self.args.engine_logps and (
            self.beta == 0.0 or self.ref_model is not None
        )
        try:
            batch = super()._generate_and_score_completions(inputs)
        finally:
            self._skip_scoring = False
        width = batch["completion_ids"].shape[1]
        batch["advantages"] = self._token_advantages(width).to(batch["completion_ids"].device)
        sampled = batch.pop("sampling_per_token_logps", None)
        if self.args.engine_logps and sampled is not None:
            batch["old_per_token_logps"] = sampled
        return batch

    def _token_advantages(self, width: int) -> Tensor:
        """Advantages of shape (B, ``width``): each attempt's on its own tokens, 0 elsewhere."""
        size = self.num_generations if self.model.training else self.num_generations_eval
        local = [_scored_rewards(episode) for episode in self._episodes]
        everywhere = gather_object(local)
        groups = [everywhere[i : i + size] for i in range(0, len(everywhere), size)]
        flat = [
            session
            for group in attempt_advantages(
                groups, self.args.credit, scale=self.args.scale_rewards != "none"
            )
            for session in group
        ]
        offset = self.accelerator.process_index * len(local)
        result = torch.zeros(len(local), width)
        for row, (episode, values) in enumerate(
            zip(self._episodes, flat[offset : offset + len(local)], strict=True)
        ):
            prompt = _prompt_length(episode)
            scored = [t for t, a in enumerate(episode.attempts) if not a.unscored]
            for t, value in zip(scored, values, strict=True):
                end = episode.turn_ends[t] - prompt
                result[row, end - episode.attempts[t].tokens : end] = value
        return result

    # ---------------------------------------------------------------- micro-batches

    def _prepare_inputs(self, generation_batch: Any) -> dict[str, Any]:
        if not self.model.training:
            return super()._prepare_inputs(generation_batch)
        every = self.args.steps_per_generation * self.num_iterations
        if self._step % every == 0 or self._buffered_inputs is None:
            batch = self._generate_and_score_completions(generation_batch)
            self._buffered_inputs = self._micro_batches(batch)
        return self._buffered_inputs[self._step % self.args.steps_per_generation]

    def _micro_batches(self, batch: dict[str, Any]) -> list[dict[str, Any]]:
        """Split a round: rows at random over optimizer steps, sorted by length within each.

        Rows without any advantage add nothing to the loss (unless it has other terms) and are left
        out.
        """
        rows = len(batch["advantages"])
        weight = batch["advantages"].abs() * batch["completion_mask"] * batch["tool_mask"]
        lengths = (batch["prompt_mask"].sum(1) + batch["completion_mask"].sum(1)).tolist()
        has_other_terms = self.beta != 0.0 or self._entropy_bonus_enabled
        # only losses normalised by the round's token count are unchanged by leaving rows out
        by_tokens = self.loss_type in ("dapo", "cispo", "vespo")
        can_skip = by_tokens and not has_other_terms
        # the other losses are means over the rows of a micro-batch: only equal numbers weigh alike
        sizes = lengths if by_tokens else [1] * rows
        active = (weight.sum(1) > 0).tolist()
        generator = torch.Generator().manual_seed(
            stable_hash(self.args.seed, "order", self.state.global_step) % 2**63
        )
        order = torch.randperm(rows, generator=generator).tolist()
        parts = self.args.steps_per_generation
        windows = max(1, parts // self.args.gradient_accumulation_steps)
        result = []
        for w in range(windows):
            window = order[w * rows // windows : (w + 1) * rows // windows]
            if can_skip:
                window = [i for i in window if active[i]]
            window.sort(key=lambda i: lengths[i])
            for chunk in _chunks(window, parts // windows, sizes):
                result.append(_take(batch, chunk))
        return result

    # ---------------------------------------------------------------- log-probs

    def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> Tensor:
        self._score_mask = inputs["completion_mask"] * inputs["tool_mask"]
        try:
            return super()._compute_loss(model, inputs)
        finally:
            self._score_mask = None

    def _get_per_token_logps_and_entropies(
        self,
        model: Any,
        input_ids: Tensor,
        attention_mask: Tensor,
        logits_to_keep: int,
        batch_size: int | None = None,
        compute_entropy: bool = False,
        compute_aux_loss: bool = False,
        **vision: Any,
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        if compute_aux_loss or any(value is not None for value in vision.values()):
            return super()._get_per_token_logps_and_entropies(
                model, input_ids, attention_mask, logits_to_keep, batch_size,
                compute_entropy, compute_aux_loss, **vision,
            )  # fmt: skip
        wanted = attention_mask.clone()
        wanted[:, :-logits_to_keep] = 0
        if self._score_mask is not None:
            wanted[:, -logits_to_keep:] = self._score_mask
        if self._skip_scoring and model is self.model:
            zeros = torch.zeros(wanted[:, -logits_to_keep:].shape, device=input_ids.device)
            return zeros, zeros, None
        step = batch_size or len(input_ids)
        logps, entropies = [], []
        for i in range(0, len(input_ids), step):
            part = slice(i, i + step)
            with self.accelerator.autocast():
                a, b = _score(model, input_ids[part], attention_mask[part], wanted[part])
            logps.append(a[:, -logits_to_keep:])
            entropies.append(b[:, -logits_to_keep:])
        return torch.cat(logps), torch.cat(entropies) if compute_entropy else None, None


def _score(model: Any, ids: Tensor, mask: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
    """Log-probs and entropies of the wanted tokens, shape of ``ids``.

    Rows arrive with padding on both sides of a contiguous run of tokens; they are moved to the left
    edge, so that padding is on the right alone and as short as the longest row allows.
    """
    width = int(mask.sum(1).max())
    source = mask.argmax(1)[:, None] + torch.arange(width, device=ids.device)
    inside = source < ids.shape[1]
    source = source.clamp(max=ids.shape[1] - 1)
    logps, entropy = model(
        input_ids=ids.gather(1, source), score_mask=wanted.gather(1, source) * inside
    )
    back = logps.new_zeros(ids.shape)
    return back.scatter_add(1, source, logps * inside), back.scatter_add(
        1, source, entropy * inside
    )


def _prompt_length(episode: Episode) -> int:
    return episode.turn_ends[0] - episode.attempts[0].tokens


def _scored_rewards(episode: Episode) -> list[float]:
    """Step rewards of the attempts that were scored."""
    pairs = zip(episode.step_rewards, episode.attempts, strict=True)
    return [reward for reward, attempt in pairs if not attempt.unscored]


def _trl_rollout(episodes: Sequence[Episode]) -> dict[str, list[Any]]:
    """Episodes in the form that TRL asks of a ``rollout_func``."""
    output: dict[str, list[Any]] = {
        "prompt_ids": [], "completion_ids": [], "logprobs": [], "env_mask": [], "reward": [],
    }  # fmt: skip
    for episode in episodes:
        start, end = _prompt_length(episode), episode.turn_ends[-1]
        mask = episode.model_mask[start:end]
        for t, attempt in enumerate(episode.attempts):
            if attempt.unscored:  # the checker failed: these tokens say nothing
                stop = episode.turn_ends[t] - start
                mask[stop - attempt.tokens : stop] = [0] * attempt.tokens
        output["prompt_ids"].append(episode.token_ids[:start])
        output["completion_ids"].append(episode.token_ids[start:end])
        output["logprobs"].append(episode.logprobs[start:end])
        output["env_mask"].append(mask)
        output["reward"].append(None if episode.unscored else episode.reward)
    return output


def _chunks(rows: list[int], parts: int, lengths: list[int]) -> list[list[int]]:
    """Split rows, in their order, into ``parts`` runs of about equal total length."""
    if len(rows) <= parts:
        return [[row] for row in rows] + [[] for _ in range(parts - len(rows))]
    total = sum(lengths[i] for i in rows)
    result: list[list[int]] = []
    current: list[int] = []
    taken = 0
    for position, row in enumerate(rows):
        current.append(row)
        taken += lengths[row]
        left = parts - len(result) - 1
        full = taken >= total * (len(result) + 1) / parts
        if left and (full or len(rows) - position - 1 == left):
            result.append(current)
            current = []
    return [*result, current]


def _take(batch: dict[str, Any], rows: list[int]) -> dict[str, Any]:
    """The given rows of every per-row tensor; totals are kept as they are.

    No rows at all gives the first one without its advantage: every process must run every
    micro-batch, and this one adds nothing.
    """
    size = len(batch["advantages"])
    index = torch.tensor(rows or [0], device=batch["advantages"].device)
    part = {
        key: value[index]
        if isinstance(value, Tensor) and value.dim() and len(value) == size
        else value
        for key, value in batch.items()
    }
    if not rows:
        part["advantages"] = torch.zeros_like(part["advantages"])
    return part
