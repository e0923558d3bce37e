"""ReVISE: decide after an answer whether it stands or is refined, by likelihood and preference.

ReVISE (Lee et al., arXiv 2502.14565) teaches the choice between the end of the text and a token
``[refine]`` in two stages, each with the loss

    L = L_SFT + 0.1 L_DPO.

Stage 1 learns the decision from answers of the policy that are known to be right or wrong; stage 2
learns to refine wrong ones with a correct answer. Here the decision is the verdict line of
``GuidedEnv(self_check=True)``, in words that every tokenizer has (a new token would need a row of
the embedding that nothing has trained), and a refined answer is the task's witness. DPO (Rafailov
et al., arXiv 2305.18290) compares the two verdicts after the same answer:

    L_DPO = -log sigmoid(beta (m - m_ref)),   m = log p(right verdict) - log p(other verdict).

Changed: the reference is the policy at the beginning of each round, since each round has answers of
the newest policy; the preference is about the verdict alone, not about the refined answer that
follows it, which is learned by likelihood. The answers that the verdicts are on are context; what
the policy itself got right is learned in stage 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import gymnasium as gym
import torch
from accelerate.utils import gather_object
from torch import Tensor
from torch.nn.functional import logsigmoid

from corgi_gym.agents.batches import prompt_length, score_tokens
from corgi_gym.agents.demonstrations import check_witnesses, tasks_of
from corgi_gym.agents.episode import Episode
from corgi_gym.agents.replay import Example, Piece, encode
from corgi_gym.agents.rollout import Session
from corgi_gym.agents.self_checked import (
    RIGHT,
    SelfCheckedConfig,
    check_self_checked,
    corrected,
    demonstrations,
    own_verdicts,
)
from corgi_gym.agents.weighted import AfterWarmUp, ExampleTrainer, ImitationConfig
from corgi_gym.envs import Task
from corgi_gym.rewards.self_verdict import REQUEST, judged

# Marks the tokens of a verdict while an example is encoded: no weight that training uses.
_VERDICT = 1.0


@dataclass
class ReviseConfig(ImitationConfig, SelfCheckedConfig):
    """`ImitationConfig` with ReVISE's stages and its preference.

    Args:
        decision_rounds: Rounds of stage 1, after the warm-up; stage 2 follows.
        preference_weight: Weight of the preference loss, at least 0 (the paper's: 0.1).
        preference_beta: DPO's beta, positive (0.1: not verified against the paper's code).
    """

    decision_rounds: int = field(default=1)
    preference_weight: float = field(default=0.1)
    preference_beta: float = field(default=0.1)

    def __post_init__(self) -> None:
        if self.decision_rounds < 0:
            raise ValueError(f"decision_rounds must be 0 or more, got {self.decision_rounds!r}")
        if not self.preference_weight >= 0.0:
            raise ValueError(
                f"preference_weight must be at least 0, got {self.preference_weight!r}"
            )
        if not self.preference_beta > 0.0:
            raise ValueError(f"preference_beta must be positive, got {self.preference_beta!r}")
        super().__post_init__()


@dataclass(frozen=True, slots=True)
class Pair:
    """Two verdicts on one answer: the checker's, with what is learned from it, and the other."""

    chosen: Example
    rejected: Example


def make_pair(task: Task, episode: Episode, stage: int) -> Pair | None:
    """The examples of a session's first attempt; ``None`` where nothing could be scored.

    Args:
        task: The session's task.
        episode: The session.
        stage: 1 (learn right answers and the decision) or 2 (learn the decision and to refine).
    """
    attempt = episode.attempts[0]
    said = own_verdicts(episode)[0]
    if attempt.unscored or not said.answer.strip():
        return None
    right = attempt.score == 1.0
    answer, verdict = _decision(said.answer, right)
    prompt = task.prompt + REQUEST
    other = Example.single(
        "other verdict", prompt, Piece(answer, 0.0), _decision("", not right)[1],
        task_id=task.task_id,
    )  # fmt: skip
    if right or stage == 1:
        learned = Piece(answer, float(right and stage == 1))
        return Pair(Example.single(RIGHT, prompt, learned, verdict, task_id=task.task_id), other)
    return Pair(corrected(task, answer, verdict), other)


def _decision(answer: str, correct: bool) -> tuple[str, str]:
    """An answer with the marker that ends it, and the word that is decided.

    The marker goes with the answer: a likelihood of it after a wrong answer that stops too early
    would teach to stop there.
    """
    text, verdict = judged(answer, correct)
    marker, word = verdict.split(":")
    return f"{text}{marker}:", word


class ReviseTrainer(AfterWarmUp, ExampleTrainer):
    """Cross-entropy on decisions and refinements, and DPO between the two decisions."""

    args: ReviseConfig
    rounds_before = ("warmup_rounds", "decision_rounds")

    @staticmethod
    def check_env(env: gym.Env[str, str]) -> None:
        """Check that the writer judges itself, and that refinements can be made."""
        check_self_checked(env)
        check_witnesses(env)

    # ---------------------------------------------------------------- pairs

    def _play(self, sessions: list[Session]) -> tuple[list[Episode], list[Episode]]:
        warmup = self.args.warmup_rounds
        if self.round_number < warmup:
            self._pairs: list[Pair] = []
            examples, played = demonstrations(self.rollout, sessions)
            rows = self._rows_of(gather_object(examples), len(sessions), played[0])
            episodes, self._weights = rows
            return episodes, played
        played = self._sample(sessions)
        stage = 1 if self.round_number < warmup + self.args.decision_rounds else 2
        made = [
            make_pair(task, episode, stage)
            for task, episode in zip(tasks_of(self.rollout, sessions), played, strict=True)
        ]
        pairs = [pair for pair in gather_object(made) if pair and self._fits(pair)]
        first = self.accelerator.process_index * len(sessions)
        self._pairs = pairs[first : first + len(sessions)]
        episodes, self._weights = self._rows_of(
            [pair.chosen for pair in pairs], len(sessions), played[0]
        )
        return episodes, played

    def _fits(self, pair: Pair) -> bool:
        lengths = [len(encode(e, self.rollout.codec)[1]) for e in (pair.chosen, pair.rejected)]
        return max(lengths) <= self.rollout.max_length

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        batch = super()._generate_and_score_completions(inputs)
        device, width = batch["completion_ids"].device, batch["completion_ids"].shape[1]
        chosen = [self._marked(pair.chosen) for pair in self._pairs]
        rejected = [self._marked(pair.rejected) for pair in self._pairs]
        spare = len(self._episodes) - len(self._pairs)
        marks = torch.zeros(len(self._episodes), width)
        for row, (episode, (_, mark)) in enumerate(
            zip(self._episodes[: len(self._pairs)], chosen, strict=True)
        ):
            own = mark[prompt_length(episode) :]
            marks[row, : len(own)] = torch.tensor(own)
        ids, mask, wanted = (t.to(device) for t in _tensors(rejected, spare))
        margins = self._reference(*(t.to(device) for t in _tensors(chosen, spare)))
        batch["verdicts"] = marks.to(device)
        batch["other_ids"], batch["other_mask"], batch["other_verdicts"] = ids, mask, wanted
        batch["reference_margin"] = margins - self._reference(ids, mask, wanted)
        batch["paired"] = (torch.arange(len(self._episodes)) < len(self._pairs)).float().to(device)
        batch["pair_count"] = self.accelerator.gather(batch["paired"].sum()).sum()
        return batch

    def _marked(self, example: Example) -> tuple[list[int], list[float]]:
        """The tokens of an example, and 1 on those of its first verdict."""
        (answer, verdict), *rest = example.replies
        context = [tuple(Piece(piece.text, 0.0) for piece in reply) for reply in rest]
        first = (Piece(answer.text, 0.0), Piece(verdict.text, _VERDICT))
        episode, marks = encode(replace(example, replies=(first, *context)), self.rollout.codec)
        return episode.token_ids, marks

    def _reference(self, ids: Tensor, mask: Tensor, wanted: Tensor) -> Tensor:
        """Log-prob of each row's marked tokens under the weights as they are, without gradients."""
        size = self.args.per_device_train_batch_size
        parts = [slice(i, i + size) for i in range(0, len(ids), size)]
        with torch.no_grad():
            scores = [self._verdict_logp(self.model, ids[p], mask[p], wanted[p]) for p in parts]
        return torch.cat(scores)

    def _verdict_logp(self, model: Any, ids: Tensor, mask: Tensor, wanted: Tensor) -> Tensor:
        with self.accelerator.autocast():
            most = self.args.max_pass_tokens
            logps = score_tokens(model, ids, mask, wanted, most=most)[0]
        return (logps * wanted).sum(1)

    # ---------------------------------------------------------------- the loss

    def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> Tensor:
        loss = super()._compute_loss(model, inputs)
        logps, self._loss_logps = self._loss_logps, None
        if not self.args.preference_weight or not inputs["pair_count"]:
            return loss
        chosen = (logps * inputs["verdicts"]).sum(1)
        other = self._verdict_logp(
            model, inputs["other_ids"], inputs["other_mask"], inputs["other_verdicts"]
        )
        margin = chosen - other - inputs["reference_margin"]
        losses = -logsigmoid(self.args.preference_beta * margin) * inputs["paired"]
        share = self._share_of(inputs["pair_count"])
        preferred = (chosen > other) * inputs["paired"]
        self._log_mean("preference/loss", losses.sum(), inputs["pair_count"])
        self._log_mean("preference/accuracy", preferred.sum(), inputs["pair_count"])
        return loss + self.args.preference_weight * losses.sum() / share


def _tensors(
    rows: Sequence[tuple[list[int], list[float]]], spare: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Token ids, attention mask and marks of rows, (B, T), with ``spare`` rows of one token."""
    rows = [*rows, *[([0], [0.0])] * spare]
    width = max(len(ids) for ids, _ in rows)
    ids = torch.tensor([ids + [0] * (width - len(ids)) for ids, _ in rows])
    mask = torch.tensor([[1] * len(ids) + [0] * (width - len(ids)) for ids, _ in rows])
    wanted = torch.tensor([marks + [0.0] * (width - len(marks)) for _, marks in rows])
    return ids, mask, wanted
