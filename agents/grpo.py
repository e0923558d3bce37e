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
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")  # rollout_func is used on purpose

import gymnasium as gym
import torch
from accelerate.utils import gather_object
from datasets import Dataset
from torch import Tensor
from transformers import TrainerCallback
from trl import GRPOConfig, GRPOTrainer

from corgi_gym.agents.batches import (
    prompt_length,
    row_count,
    score_tokens,
    split_evenly,
    take_rows,
    trl_rollout,
)
from corgi_gym.agents.checkpoints import SurvivingTrainer
from corgi_gym.agents.cpu import keep_freed_memory
from corgi_gym.agents.credit import Credit, attempt_advantages, check_credit
from corgi_gym.agents.episode import Episode, repeat_share, success_by_attempt
from corgi_gym.agents.health import (
    UnhealthyError,
    check_episodes,
    round_health,
    session_name,
)
from corgi_gym.agents.logps import add_chosen_head
from corgi_gym.agents.rollout import Rollout, Session
from corgi_gym.agents.sync import save_policy, sync_weights
from corgi_gym.envs import stable_hash

# Prompts used by the parity probe after each sync.
_PROBE_PROMPTS = 8
# Sessions that an error names.
_NAMED = 4


@dataclass
class GuidedGRPOConfig(GRPOConfig):
    """`trl.GRPOConfig` with what sessions need.

    Args:
        credit: ``"attempt"`` (reward-to-go per attempt), ``"session"`` (one advantage per session)
            or another of `corgi_gym.agents.credit`.
        scale_rewards: What advantages are divided by: the root mean square of the ``"batch"``, of
            the ``"group"``, or nothing (``"none"``).
        engine_logps: Use the engine's log-probs of the sampled tokens as the old log-probs, which
            saves a forward pass and corrects the mismatch between engine and trainer in the ratio.
        task_offset: First task index of the training stream.
        single_attempt_rounds: Rounds at the start in which a session has one attempt. A curriculum
            from one attempt to several: what a first reply should look like is learned at a
            fraction of the tokens, and what to do with feedback afterwards.
    """

    credit: Credit = field(default="attempt")
    scale_rewards: str = field(default="batch")
    engine_logps: bool = field(default=True)
    task_offset: int = field(default=0)
    single_attempt_rounds: int = field(default=0)

    def __post_init__(self) -> None:
        # TRL's two names for a scale that are no words
        scale = {True: "group", False: "none"}.get(self.scale_rewards, self.scale_rewards)
        check_credit(self.credit, scale)
        if self.single_attempt_rounds < 0:
            raise ValueError(
                f"single_attempt_rounds must be 0 or more, got {self.single_attempt_rounds!r}"
            )
        super().__post_init__()


@dataclass(frozen=True, slots=True)
class RolloutReport:
    """One round of sessions, handed to ``on_rollout``: plain data for logs and displays.

    ``episodes`` is every session that was played, also those that the loss does not use.
    """

    step: int
    episodes: list[Episode]
    seconds: float
    mismatch: float


def session_reward(prompts: list, completions: list, reward: list, **_: Any) -> list[float | None]:
    """TRL reward function: the session's own reward; None where nothing could be scored."""
    return reward


class GuidedGRPOTrainer(SurvivingTrainer, GRPOTrainer):
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
    # Whether sessions are sampled, so that the engine needs the current weights in every round.
    _samples = True

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
        # Called with the sessions that had ended when a round's rollouts failed.
        self.on_unfinished: Callable[[list[Episode]], None] = lambda episodes: None
        self.mismatch = 0.0
        self._synced_at: int | None = None
        self._rows: list[dict[str, Any]] = []
        self._episodes: list[Episode] = []
        self._finished: list[Episode] = []
        self._score_mask: Tensor | None = None
        self._skip_scoring = False
        self._step_inputs: list[dict[str, Any]] = []
        super().__init__(
            model=model,
            args=args,
            reward_funcs=session_reward,
            train_dataset=self._tasks(args),
            rollout_func=lambda prompts, trainer: trainer._run_sessions(len(prompts)),
            **kwargs,
        )
        base = self.model.get_base_model() if hasattr(self.model, "peft_config") else self.model
        for policy in (base, self.ref_model):
            if policy is not None:
                add_chosen_head(policy, self.temperature)
        if self.accelerator.device.type == "cpu":
            keep_freed_memory()
        self.add_callback(_GradientCheck(self))

    @staticmethod
    def check_env(env: gym.Env[str, str]) -> None:
        """Check that the method can train on an environment; a `ValueError` says why not."""

    def _tasks(self, args: GuidedGRPOConfig) -> Dataset:
        """Task indices for the whole run; each row's prompt is what the environment asks."""
        micro_batches = args.max_steps * args.gradient_accumulation_steps
        rounds = -(-micro_batches // (args.steps_per_generation * args.num_iterations))
        count = rounds * args.generation_batch_size // args.num_generations
        env = self.rollout.make_env()
        rows = []
        for index in range(args.task_offset, args.task_offset + count):
            message, _ = env.reset(options={"index": index})
            rows.append({"prompt": [{"role": "user", "content": message}], "index": index})
        env.close()
        return Dataset.from_list(rows)

    # ---------------------------------------------------------------- checkpoints

    def checkpoint_state(self) -> dict[str, Any]:
        """Micro-batches done and, where it moves, the reference model; see `SurvivingTrainer`."""
        state: dict[str, Any] = {"micro_batches": self._step}
        if self.ref_model is not None and self.args.sync_ref_model:
            state["reference"] = self.ref_model.state_dict()
        return {**super().checkpoint_state(), **state}

    def load_checkpoint_state(self, state: dict[str, Any]) -> None:
        """Take over what `checkpoint_state` returned."""
        super().load_checkpoint_state(state)
        self._step = state["micro_batches"]
        if "reference" in state:
            self.ref_model.load_state_dict(state["reference"])

    def save_policy(self, folder: str | Path) -> None:
        """Save the policy as a checkpoint that loads anywhere, any adapter merged in."""
        save_policy(self.accelerator.unwrap_model(self.model), folder)

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
        if self._samples:
            self.sync()
        started = time.perf_counter()
        sessions = self._sessions([row["index"] for row in self._rows])
        self._finished = []
        try:
            self._episodes, played = self._play(sessions)
        except BaseException:  # Ctrl-C as well: what was played is not lost
            self.on_unfinished(self._finished)
            raise
        seconds = time.perf_counter() - started
        played = gather_object(played)  # one report of the round, the same in every process
        self._log_episodes(played, seconds)
        self.on_rollout(RolloutReport(self.state.global_step, played, seconds, self.mismatch))
        check_episodes(played)
        return trl_rollout(self._episodes)

    def _sessions(self, indices: Sequence[int]) -> list[Session]:
        """This round's sessions on the given tasks; their seeds follow from run, step and place."""
        step = self.state.global_step
        first = self.accelerator.process_index * len(indices)
        single = step // self.steps_per_round < self.args.single_attempt_rounds
        return [
            Session(
                index=index,
                seed=stable_hash(self.args.seed, step, index, first + i),
                max_attempts=1 if single else None,
            )
            for i, index in enumerate(indices)
        ]

    def _play(self, sessions: list[Session]) -> tuple[list[Episode], list[Episode]]:
        """Run sessions.

        Returns:
            The episodes to train on, one per session, and all that were played, for the report.
        """
        episodes = self.rollout.run(
            sessions,
            policy_version=self.state.global_step,
            on_episode=self._finished.append,
        )
        return episodes, episodes

    def _log_episodes(self, episodes: Sequence[Episode], seconds: float) -> None:
        metrics = self._metrics["train" if self.model.training else "eval"]
        longest = max(len(e.attempts) for e in episodes)
        for k, share in enumerate(success_by_attempt(episodes, longest), start=1):
            metrics[f"session/success@{k}"].append(share)
        metrics["session/repeats"].append(repeat_share(episodes))
        metrics["session/attempts"].append(sum(len(e.attempts) for e in episodes) / len(episodes))
        health = round_health(episodes)
        metrics["session/unscored"].append(health["unscored_share"])
        metrics["session/truncated"].append(health["truncated"])
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
        # which session a row is, so that a number that is not finite can be traced to it
        batch["session"] = torch.arange(len(batch["completion_ids"]))
        sampled = batch.pop("sampling_per_token_logps", None)
        if self.args.engine_logps and sampled is not None:
            batch["old_per_token_logps"] = sampled
        return batch

    def _token_advantages(self, width: int) -> Tensor:
        """Advantages of shape (B, ``width``): each attempt's on its own tokens, 0 elsewhere."""
        result = torch.zeros(len(self._episodes), width)
        for row, (episode, values) in enumerate(
            zip(self._episodes, self._attempt_values(), strict=True)
        ):
            prompt = prompt_length(episode)
            scored = [t for t, a in enumerate(episode.attempts) if not a.unscored]
            for t, value in zip(scored, values, strict=True):
                end = episode.turn_ends[t] - prompt
                result[row, end - episode.attempts[t].tokens : end] = value
        return result

    def _attempt_values(self) -> list[list[float]]:
        """For each episode to train on, the advantage of each of its scored attempts."""
        size = self.num_generations if self.model.training else self.num_generations_eval
        return self._compared([self._rewards(episode) for episode in self._episodes], size)

    def _compared(self, local: list[list[float]], size: int) -> list[list[float]]:
        """Advantages of this process's sessions, in groups of ``size`` over all processes.

        Args:
            local: Reward of each scored attempt of each session.
            size: Sessions per task.
        """
        everywhere = gather_object(local)
        groups = [everywhere[i : i + size] for i in range(0, len(everywhere), size)]
        advantages = attempt_advantages(groups, self.args.credit, scale=self.args.scale_rewards)
        flat = [session for group in advantages for session in group]
        offset = self.accelerator.process_index * len(local)
        return flat[offset : offset + len(local)]

    def _rewards(self, episode: Episode) -> list[float]:
        """Rewards of the attempts that were scored."""
        pairs = zip(episode.step_rewards, episode.attempts, strict=True)
        return [reward for reward, attempt in pairs if not attempt.unscored]

    # ---------------------------------------------------------------- micro-batches

    def _prepare_inputs(self, generation_batch: Any) -> dict[str, Any]:
        if not self.model.training:
            return super()._prepare_inputs(generation_batch)
        every = self.args.steps_per_generation * self.num_iterations
        if self._step % every == 0 or self._buffered_inputs is None:
            batch = self._generate_and_score_completions(generation_batch)
            self._buffered_inputs = self._micro_batches(batch)
        return self._buffered_inputs[self._step % self.args.steps_per_generation]

    def _has_other_terms(self) -> bool:
        """Whether rows without any advantage add to the loss."""
        return self.beta != 0.0 or self._entropy_bonus_enabled

    def _micro_batches(self, batch: dict[str, Any]) -> list[dict[str, Any]]:
        """Split a round: rows at random over optimizer steps, sorted by length within each.

        Rows without any advantage add nothing to the loss (unless it has other terms) and are left
        out.
        """
        rows = len(batch["advantages"])
        weight = batch["advantages"].abs() * batch["completion_mask"] * batch["tool_mask"]
        lengths = (batch["prompt_mask"].sum(1) + batch["completion_mask"].sum(1)).tolist()
        # only losses normalised by the round's token count are unchanged by leaving rows out
        # and TRL's metrics are gathered row by row: every process needs as many rows as the others
        alone = self.accelerator.num_processes == 1
        by_tokens = self.loss_type in ("dapo", "cispo", "vespo") and alone
        can_skip = by_tokens and not self._has_other_terms()
        # the other losses are means over the rows of a micro-batch: only equal numbers weigh alike
        sizes = lengths if by_tokens else [1] * rows
        active = (weight.sum(1) != 0).tolist()  # NaN is active: it must not be left out unseen
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
            for chunk in split_evenly(window, parts // windows, sizes):
                result.append(take_rows(batch, chunk))
        return result

    # ---------------------------------------------------------------- log-probs

    def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> Tensor:
        self._score_mask = self._scored_tokens(inputs)
        try:
            return super()._compute_loss(model, inputs)
        finally:
            self._score_mask = None

    def compute_loss(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Tensor:
        """TRL's loss; stops where it is not finite.

        Raises:
            UnhealthyError: Naming the sessions whose loss is not a number.
        """
        loss: Tensor = super().compute_loss(model, inputs, *args, **kwargs)
        if self.model.training:
            self._step_inputs.append(inputs)
            if not loss.isfinite():
                self._stop("loss", lambda row: not self._compute_loss(model, row).isfinite())
        return loss

    def check_gradients(self) -> None:
        """Check the gradients of the step that is about to be taken.

        Raises:
            UnhealthyError: If one is not finite, naming the sessions that it comes from.
        """
        gradients = [p.grad for p in self.model.parameters() if p.grad is not None]
        if not all(norm.isfinite() for norm in torch._foreach_norm(gradients)):
            self._stop("gradient", self._has_broken_gradient)

    def _has_broken_gradient(self, row: dict[str, Any]) -> bool:
        self.model.zero_grad(set_to_none=True)
        self._compute_loss(self.model, row).backward()
        gradients = (p.grad for p in self.model.parameters() if p.grad is not None)
        return not all(bool(g.isfinite().all()) for g in gradients)

    def _stop(self, what: str, broken: Callable[[dict[str, Any]], bool]) -> None:
        """Raise, naming the sessions of this step that are broken when they are looked at alone."""
        rows = [
            take_rows(batch, [i]) for batch in self._step_inputs for i in range(row_count(batch))
        ]
        if self.accelerator.num_processes == 1:  # a pass of one process alone would hang the others
            rows = [row for row in rows if broken(row)] or rows
        self.model.zero_grad(set_to_none=True)
        names = [session_name(self._episodes[int(row["session"])]) for row in rows]
        raise UnhealthyError(
            f"the {what} of step {self.state.global_step} is not finite, because of "
            f"{_list_of(names)}; the weights are those of the step before (a lower learning rate, "
            "or resuming from the last checkpoint with another seed, may get past it)"
        )

    def _scored_tokens(self, inputs: dict[str, Any]) -> Tensor:
        """Which tokens of the completions, shape (B, T), get a log-prob: the model's own."""
        return inputs["completion_mask"] * inputs["tool_mask"]

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
                a, b = self._score_rows(model, input_ids[part], attention_mask[part], wanted[part])
            logps.append(a[:, -logits_to_keep:])
            entropies.append(b[:, -logits_to_keep:])
        return torch.cat(logps), torch.cat(entropies) if compute_entropy else None, None

    def _score_rows(
        self, model: Any, ids: Tensor, mask: Tensor, wanted: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Log-probs and entropies of the wanted tokens; a trainer that needs more scores more."""
        logps, entropies = score_tokens(model, ids, mask, wanted)
        return logps, entropies


class _GradientCheck(TrainerCallback):
    """Looks at the gradients of every step before the optimizer does."""

    def __init__(self, trainer: GuidedGRPOTrainer) -> None:
        self.trainer = trainer

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Called by transformers after clipping."""
        self.trainer.check_gradients()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Called by transformers after each optimizer step."""
        self.trainer._step_inputs.clear()


def _list_of(names: Sequence[str]) -> str:
    """A few names, and how many more there are."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
