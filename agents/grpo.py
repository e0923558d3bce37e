"""`GuidedGRPOTrainer`: TRL's GRPO on multi-turn sessions of a Gymnasium environment.

TRL keeps the loss, the schedules, PEFT, accelerate, checkpoints and callbacks. What is ours:

- the rollouts (`rollout_func` and `env_mask`): sessions on an engine of ours, after a weight sync
  that is checked by a probe;
- credit per attempt (`corgi_gym.agents.credit`), through the advantages of shape (B, T) that TRL's
  loss accepts from subclasses;
- the arithmetic around the loss (`corgi_gym.agents.lean`): the head on model tokens only, rows
  that share work together, no pass for old log-probs (the engine's are used), and no work for
  sessions whose advantage is zero;
- no step on numbers that are not finite (`corgi_gym.agents.finite`), and checkpoints that survive
  (`corgi_gym.agents.checkpoints`).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("TRL_EXPERIMENTAL_SILENCE", "1")  # rollout_func is used on purpose

import gymnasium as gym
import torch
from accelerate.utils import gather_object
from datasets import Dataset
from torch import Tensor
from trl import GRPOConfig, GRPOTrainer

from corgi_gym.agents.batches import prompt_length, trl_rollout
from corgi_gym.agents.checkpoints import SurvivingTrainer
from corgi_gym.agents.cpu import keep_freed_memory, repeat_products
from corgi_gym.agents.credit import Credit, attempt_advantages, check_credit
from corgi_gym.agents.curriculum_trainer import CurriculumTrainer
from corgi_gym.agents.episode import Episode, repeat_share, success_by_attempt
from corgi_gym.agents.finite import FiniteTrainer, GradientCheck
from corgi_gym.agents.health import check_episodes, round_health
from corgi_gym.agents.lean import LeanTrainer
from corgi_gym.agents.logps import add_chosen_head
from corgi_gym.agents.lora import check_embedding
from corgi_gym.agents.processes import Processes
from corgi_gym.agents.rollout import Rollout, Session
from corgi_gym.agents.sync import PROBE_TOKENS, save_policy, sync_weights
from corgi_gym.agents.teacher import Teacher
from corgi_gym.envs import stable_hash

# Prompts used by the parity probe after each sync.
_PROBE_PROMPTS = 8
# Tasks whose prompts are tried before training: a round that meets one too long for the context
# ends the run, and so does every resume.
_TRIED_TASKS = 256
# TRL hands prompts on and makes nothing of them: sessions ask their environment.
_NO_PROMPT = [{"role": "user", "content": ""}]
# A third of six tasks is two, whatever 6 * (1 / 3) is in floats.
_ROUNDING = 1e-9


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
        single_attempt_until: Share of the sessions, from 0 to 1, that a round must solve at the
            first attempt before sessions get more than one, however many rounds that takes. Who
            solves nothing yet has nothing to correct, and partial credit for the wrong form pays
            more often in four attempts than in one.
        single_attempt_share: Share of each round's tasks, from 0 to 1, whose sessions have one
            attempt: a mixture of both, in which first replies go on being learned cheaply.
        max_pass_tokens: Tokens of one pass through the model at most, padding included; a
            micro-batch with more is computed in parts, and each of these once more for its
            gradient. It bounds the memory where some sessions are much longer than others. 0 is no
            limit. Not for several processes.

    Raises:
        ValueError: For a credit that does not exist, a negative number of rounds or tokens, less
            than one iteration, a share that is none, and optimizer steps that reach over a round's
            end.
    """

    credit: Credit = field(default="attempt")
    scale_rewards: str | bool = field(default="batch")
    engine_logps: bool = field(default=True)
    task_offset: int = field(default=0)
    single_attempt_rounds: int = field(default=0)
    single_attempt_until: float = field(default=0.0)
    single_attempt_share: float = field(default=0.0)
    max_pass_tokens: int = field(default=0)

    def __post_init__(self) -> None:
        # TRL's two names for a scale that are no words
        scale = {True: "group", False: "none"}.get(self.scale_rewards, self.scale_rewards)
        check_credit(self.credit, scale)
        if self.num_iterations < 1:
            raise ValueError(f"num_iterations must be 1 or more, got {self.num_iterations!r}")
        if self.single_attempt_rounds < 0:
            raise ValueError(
                f"single_attempt_rounds must be 0 or more, got {self.single_attempt_rounds!r}"
            )
        for name in ("single_attempt_until", "single_attempt_share"):
            if not 0.0 <= (share := getattr(self, name)) <= 1.0:
                raise ValueError(f"{name} must be from 0 to 1, got {share!r}")
        if self.max_pass_tokens < 0:
            raise ValueError(f"max_pass_tokens must be 0 or more, got {self.max_pass_tokens!r}")
        if self.max_pass_tokens and Processes.current().count > 1:
            raise ValueError(
                f"max_pass_tokens={self.max_pass_tokens} repeats passes in one process, and the "
                "others would wait for it: leave it out, or lower train.micro_batch"
            )
        super().__post_init__()
        if self.steps_per_generation % self.gradient_accumulation_steps:
            raise ValueError(
                f"steps_per_generation={self.steps_per_generation} must be a multiple of "
                f"gradient_accumulation_steps={self.gradient_accumulation_steps}: an optimizer "
                "step's micro-batches are of one round"
            )


@dataclass(frozen=True, slots=True)
class RolloutReport:
    """One round of sessions, handed to ``on_rollout``: plain data for logs and displays.

    ``episodes`` is every session that was played, also those that the loss does not use;
    ``mismatch`` is what the last sync measured in this round, None if the engine needed none;
    ``credit`` is how the method compares the sessions of a task, None for one that does not;
    ``curriculum`` is what a `corgi_gym.agents.curriculum.Curriculum` says of the round.
    """

    step: int
    episodes: list[Episode]
    seconds: float
    mismatch: float | None
    credit: Credit | None = None
    curriculum: dict[str, Any] | None = None

    @property
    def tokens(self) -> int:
        """All that the policy wrote, with what it wrote to be scored."""
        scoring = self.curriculum["scoring_tokens"] if self.curriculum else 0
        return sum(e.model_tokens for e in self.episodes) + int(scoring)


def session_reward(prompts: list, completions: list, reward: list, **_: Any) -> list[float | None]:
    """TRL reward function: the session's own reward; None where nothing could be scored."""
    return reward


class GuidedGRPOTrainer(
    CurriculumTrainer, SurvivingTrainer, FiniteTrainer, LeanTrainer, GRPOTrainer
):
    """GRPO on sessions.

    Args:
        model: Causal language model, or its name for transformers.
        args: `GuidedGRPOConfig`; ``max_steps`` must be set. One generation round has
            ``generation_batch_size`` sessions, ``num_generations`` per task.
        rollout: Runs the sessions (`corgi_gym.agents.rollout.Rollout`).
        on_rollout: Called with a `RolloutReport` after each round.
        **kwargs: As for `trl.GRPOTrainer` (``processing_class``, ``callbacks``, ``peft_config``…).

    Raises:
        ValueError: If ``max_steps`` is not set, for an ``eval_dataset``, and for a task among the
            first ones whose prompt leaves no room for a reply.
        EngineError: From ``train``, if the engine fails or its weights are not the trainer's.
    """

    _tag_names = ("trl", "grpo", "corgi-gym")
    # Whether sessions are sampled, so that the engine needs the current weights in every round.
    _samples = True
    # Whether it learns from what tells the sessions of a task apart.
    _compares = True
    # Whether the loss needs the engine's log-probs of the conversation (`engine_logps`).
    needs_logps = True
    # Whether all that it trains can be split over the processes (FSDP, ZeRO-3) and put together.
    shards = True

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
        if kwargs.get("eval_dataset") is not None:
            raise ValueError(
                "eval_dataset has no use, since sessions ask their environment: measure a policy "
                "with corgi_gym.benchmarks (evaluation.every in a recipe)"
            )
        self.rollout = rollout
        self.on_rollout = on_rollout or (lambda report: None)
        # Called with the sessions that had ended when a round's rollouts failed.
        self.on_unfinished: Callable[[list[Episode]], None] = lambda episodes: None
        # Called with each session of this process as it ends.
        self.on_session: Callable[[Episode], None] = lambda episode: None
        self.mismatch: float | None = None
        self._synced_at: int | None = None
        # a method that plays demonstrations never solves anything itself
        self._retries = args.single_attempt_until == 0 or not self._samples
        self._most_attempts = 0
        self._rows: list[dict[str, Any]] = []
        self._episodes: list[Episode] = []
        self._finished: list[Episode] = []
        self._step_inputs: list[dict[str, Any]] = []
        super().__init__(
            model=model,
            args=args,
            reward_funcs=session_reward,
            train_dataset=self._tasks(args),
            rollout_func=lambda prompts, trainer: trainer._run_sessions(len(prompts)),
            **kwargs,
        )
        # which would take the whole forward pass back to TRL, and its log-probs out of our reach
        self.aux_loss_enabled = False
        base = self.model
        if hasattr(self.model, "peft_config"):
            check_embedding(self.model)
            base = self.model.get_base_model()
        for policy in (base, self.ref_model):
            if policy is not None:
                add_chosen_head(policy, self.temperature)
        if self.accelerator.device.type == "cpu":
            keep_freed_memory()
            repeat_products()
        self.add_callback(GradientCheck(self))

    @staticmethod
    def check_env(env: gym.Env[str, str]) -> None:
        """Check that the method can train on an environment; a `ValueError` says why not."""

    @staticmethod
    def check_settings(settings: Mapping[str, Any], env: gym.Env[str, str]) -> None:
        """Check what fields of the config mean for an environment; likewise."""

    def _tasks(self, args: GuidedGRPOConfig) -> Dataset:
        """Task indices for the whole run, after a look at the prompts of the first ones."""
        micro_batches = args.max_steps * args.gradient_accumulation_steps
        rounds = -(-micro_batches // (args.steps_per_generation * args.num_iterations))
        count = rounds * args.generation_batch_size // args.num_generations
        indices = range(args.task_offset, args.task_offset + count)
        env = self.rollout.make_env()
        self._probes: list[list[int]] = []
        for index in indices[:_TRIED_TASKS]:
            message, info = env.reset(options={"index": index})
            ids = self.rollout.codec.start(message)
            if self._samples:
                self.rollout.check_length(len(ids), info["task_id"])
            if len(self._probes) < _PROBE_PROMPTS:
                self._probes.append(ids[: self.rollout.max_length - PROBE_TOKENS])
        env.close()
        return Dataset.from_dict({"prompt": [_NO_PROMPT] * count, "index": indices})

    # ---------------------------------------------------------------- checkpoints

    def checkpoint_state(self) -> dict[str, Any]:
        """What has been done and reached and, where it moves, the reference model.

        See `SurvivingTrainer`.
        """
        state: dict[str, Any] = {
            "micro_batches": self._step,
            "processes": self.accelerator.num_processes,
            "retries": self._retries,
        }
        if self.ref_model is not None and self.args.sync_ref_model:
            state["reference"] = self.ref_model.state_dict()
        return {**super().checkpoint_state(), **state}

    def load_checkpoint_state(self, state: dict[str, Any]) -> None:
        """Take over what `checkpoint_state` returned.

        Raises:
            ValueError: If another number of processes wrote it.
        """
        here = self.accelerator.num_processes
        if (wrote := state.get("processes", here)) != here:
            raise ValueError(
                f"the checkpoint was written by {wrote} processes and {here} would go on: rounds, "
                f"random states and micro-batches are split among them. Resume with {wrote} "
                f"(accelerate launch --num_processes {wrote})"
            )
        super().load_checkpoint_state(state)
        self._step, self._retries = state["micro_batches"], state.get("retries", True)
        if "reference" in state:
            self.ref_model.load_state_dict(state["reference"])

    def save_policy(self, folder: str | Path) -> None:
        """Save the policy as a checkpoint that loads anywhere, any adapter merged in.

        Every process must call it, and the first one writes.
        """
        save_policy(self._bare_model(), folder, self.accelerator)

    def _bare_model(self) -> Any:
        """The model without a wrapper; FSDP's stays, since it puts the weights together."""
        return self.model if self.is_fsdp_enabled else self.accelerator.unwrap_model(self.model)

    # ---------------------------------------------------------------- rollouts

    def teachers(self) -> list[Teacher]:
        """The engines besides the policy's that the method asks."""
        reference = self._pool_scorer.reference if self._pool_scorer else None
        return [reference] if reference else []

    def close(self) -> None:
        """End what was started for this training: the engines of its teachers."""
        for teacher in self.teachers():
            teacher.close()

    def sync(self) -> None:
        """Bring the engine to the current weights, once per optimizer step, and prove it."""
        if self._synced_at == self.state.global_step:
            return
        self.mismatch = sync_weights(
            self._bare_model(),
            self.rollout.engine,
            self._probes,
            accelerator=self.accelerator,
            bf16=self.args.bf16,
        )
        self._synced_at = self.state.global_step

    def _run_sessions(self, count: int) -> dict[str, list[Any]]:
        """TRL's ``rollout_func``: sessions for the rows stashed by the caller."""
        if self._synced_at != self.state.global_step:
            self.mismatch = None
        if self._samples:
            self.sync()
        started = time.perf_counter()
        self._score_pool()
        sessions = self._sessions([row["index"] for row in self._rows])
        self._finished = []
        try:
            self._episodes, played = self._play(sessions)
        except BaseException:  # Ctrl-C as well: what was played is not lost
            self.on_unfinished(self._finished)
            raise
        seconds = time.perf_counter() - started
        played = gather_object(played)  # one report of the round, the same in every process
        sampled = [e for e in played if not (e.unscored or e.demonstrated)]
        if sampled and success_by_attempt(sampled, 1)[0] >= self.args.single_attempt_until:
            self._retries = True
        self._log_episodes(played, seconds)
        drawn = self._curriculum_row(played)
        step, credit = self.state.global_step, self.args.credit if self._compares else None
        self.on_rollout(RolloutReport(step, played, seconds, self.mismatch, credit, drawn))
        check_episodes(played)
        return trl_rollout(self._episodes)

    def _sessions(self, indices: Sequence[int]) -> list[Session]:
        """This round's sessions on the tasks that the curriculum draws for the given ones."""
        return self._sessions_at(range(len(indices)), indices)

    def _sessions_at(self, places: Sequence[int], indices: Sequence[int]) -> list[Session]:
        """Sessions on the tasks that the curriculum draws for the given ones.

        Their seeds follow from run, step and place.

        Args:
            places: Where the sessions stand among this process's of the round.
            indices: Their tasks.
        """
        step = self.state.global_step
        first = self.accelerator.process_index * len(self._rows)
        return [
            Session(
                index=self.curriculum.task(index, self.round_number),
                seed=stable_hash(self.args.seed, step, index, first + i),
                max_attempts=1 if self._one_attempt_only or self._is_single(first + i) else None,
            )
            for i, index in zip(places, indices, strict=True)
        ]

    @property
    def _one_attempt_only(self) -> bool:
        """Whether no session of the round has a second attempt yet."""
        return self.round_number < self.args.single_attempt_rounds or not self._retries

    def _is_single(self, place: int) -> bool:
        """Whether the group of the session at ``place`` of a round has one attempt.

        Such groups are spread evenly, and whole: sessions are compared with those of their group.
        """
        group, share = place // self.num_generations, self.args.single_attempt_share
        return int((group + 1) * share + _ROUNDING) > int(group * share + _ROUNDING)

    def _one_task_each(self, indices: Sequence[int]) -> list[int]:
        """A task of its own for each place in a group, where repeats would teach nothing."""
        size, first = self.num_generations, self.accelerator.process_index * len(indices)
        return [index * size + (first + i) % size for i, index in enumerate(indices)]

    def _play(self, sessions: list[Session]) -> tuple[list[Episode], list[Episode]]:
        """Run sessions.

        Returns:
            The episodes to train on, one per session, and all that were played, for the report.
        """
        episodes = self._sample(sessions)
        return episodes, episodes

    def _sample(self, sessions: Sequence[Session]) -> list[Episode]:
        """Let the policy play sessions; those that have ended are kept if the rest fails."""
        return self.rollout.run(
            sessions,
            policy_version=self.state.global_step,
            on_episode=self._ended,
        )

    def _ended(self, episode: Episode) -> None:
        self._finished.append(episode)
        self.on_session(episode)

    def _log_episodes(self, episodes: Sequence[Episode], seconds: float) -> None:
        metrics = self._metrics["train"]
        # as many numbers as in the rounds before, also where all is solved by the second attempt
        self._most_attempts = max(self._most_attempts, *(len(e.attempts) for e in episodes))
        for k, share in enumerate(success_by_attempt(episodes, self._most_attempts), start=1):
            metrics[f"session/success@{k}"].append(share)
        metrics["session/repeats"].append(repeat_share(episodes))
        metrics["session/attempts"].append(sum(len(e.attempts) for e in episodes) / len(episodes))
        health = round_health(episodes)
        metrics["session/unscored"].append(health["unscored_share"])
        metrics["session/truncated"].append(health["truncated"])
        if self.mismatch is not None:
            metrics["sampling/sync_logp_difference"].append(self.mismatch)
        metrics["rollout_time"].append(seconds)

    def _log_share(self, name: str, part: float, whole: float) -> None:
        """Log a share, of which every process knows its part and its whole; all must call it."""
        parts = gather_object([(part, whole)])
        total = sum(whole for _, whole in parts)
        self._metrics["train"][name].append(sum(part for part, _ in parts) / max(1, total))

    # ---------------------------------------------------------------- advantages

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        self._rows = inputs
        # TRL would score the round once more for the old log-probs; the engine's are used instead.
        self._skip_scoring = self.args.engine_logps
        try:
            batch = super()._generate_and_score_completions(inputs)
        finally:
            self._skip_scoring = False
        width = batch["completion_ids"].shape[1]
        batch["advantages"] = self._token_advantages(width).to(batch["completion_ids"].device)
        # which session a row is, so that a number that is not finite can be traced to it
        completions = batch["completion_ids"]
        batch["session"] = torch.arange(len(completions), device=completions.device)
        sampled = batch.pop("sampling_per_token_logps", None)
        if self.args.engine_logps and sampled is not None:
            batch["old_per_token_logps"] = sampled
        elif (old := batch.get("old_per_token_logps")) is not None:
            # TRL's pass scores feedback as well, which the loss leaves out: its ratio there could
            # overflow
            batch["old_per_token_logps"] = old * batch["completion_mask"] * batch["tool_mask"]
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
        rewards = [self._rewards(episode) for episode in self._episodes]
        values = self._compared(rewards, self.num_generations)
        return [[value for value in session if value is not None] for session in values]

    def _compared(
        self, local: Sequence[Sequence[float | None]], size: int
    ) -> list[list[float | None]]:
        """Advantages of this process's sessions, in groups of ``size`` over all processes.

        Args:
            local: Reward of each attempt of each session; None where it was not scored.
            size: Sessions per task.
        """
        everywhere = gather_object(local)
        groups = [everywhere[i : i + size] for i in range(0, len(everywhere), size)]
        advantages = attempt_advantages(groups, self.args.credit, scale=self.args.scale_rewards)
        flat = [session for group in advantages for session in group]
        offset = self.accelerator.process_index * len(local)
        return flat[offset : offset + len(local)]

    def _rewards(self, episode: Episode) -> list[float | None]:
        """The reward of each attempt; None where it was not scored."""
        pairs = zip(episode.step_rewards, episode.attempts, strict=True)
        return [None if attempt.unscored else reward for reward, attempt in pairs]
