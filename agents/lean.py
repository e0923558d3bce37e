"""The arithmetic around a round's loss: what is computed, in which rows together, and no more.

Mixed into TRL's GRPO trainer by `corgi_gym.agents.grpo`. TRL's loss stays as it is; around it, the
head is applied to the model's tokens only, rows that begin alike or have like lengths share a pass,
nothing is scored a second time for old log-probs, and sessions without any advantage are left out
where that changes nothing.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

from corgi_gym.agents.batches import score_tokens, split_evenly, take_rows
from corgi_gym.agents.cpu import LONGEST
from corgi_gym.agents.cpu_layers import shares_prefixes
from corgi_gym.agents.lora import is_adapted
from corgi_gym.envs import stable_hash


class LeanTrainer:
    """Mixed into a `trl.GRPOTrainer` whose batches have advantages of shape (B, T)."""

    # what TRL's trainer brings
    args: Any
    state: Any
    accelerator: Any
    model: Any
    ref_model: Any
    beta: float
    loss_type: str
    num_iterations: int
    current_gradient_accumulation_steps: int
    _step: int
    _metrics: Any
    _buffered_inputs: Any

    # Which tokens of the rows that are scored get a log-prob; None for all of the completion's.
    _score_mask: Tensor | None = None
    # Log-probs of the loss's pass, shape (B, T): a subclass that adds terms takes them.
    _loss_logps: Tensor | None = None
    # Whether a pass for old log-probs is under way that is not needed.
    _skip_scoring = False

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
        """Whether rows without any advantage matter to the loss of the others, or add to it."""
        return self.beta != 0.0 or self._entropy_bonus_enabled or self.top_entropy_quantile < 1.0

    def _micro_batches(self, batch: dict[str, Any]) -> list[dict[str, Any]]:
        """Split a round: rows at random over optimizer steps, those that share work together.

        These are rows of one prompt where tokens that rows begin with are computed once
        (`corgi_gym.agents.prefixes`), else rows of like length. Rows without any advantage add
        nothing to the loss (unless it has other terms) and are left out. Where the loss is a mean
        over a micro-batch's rows, ``"share"`` says how many of them are left, as a part of what
        there would be. What TRL logs of the tokens (entropy, clipped shares) is that of the rows
        that are left.
        """
        rows = len(batch["advantages"])
        weight = batch["advantages"].abs() * batch["completion_mask"] * batch["tool_mask"]
        lengths = (batch["prompt_mask"].sum(1) + batch["completion_mask"].sum(1)).tolist()
        prompts = _prompts(batch) if self._shares(max(lengths)) else [0] * rows
        longest = [0] * (max(prompts) + 1)
        for i, prompt in enumerate(prompts):
            longest[prompt] = max(longest[prompt], lengths[i])
        # TRL's metrics are gathered row by row: every process needs as many rows as the others
        alone = self.accelerator.num_processes == 1
        by_tokens = self.loss_type in ("dapo", "cispo", "vespo") and alone
        # the other losses are means over a micro-batch: only equal numbers of rows weigh alike, and
        # for bnpo, a mean over its tokens, rows must stand in it by chance and not by length, those
        # without advantage among them
        can_skip = alone and self.loss_type != "bnpo" and not self._has_other_terms()
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
            if self.loss_type != "bnpo":
                window.sort(key=lambda i: (longest[prompts[i]], prompts[i], lengths[i]))
            for chunk in split_evenly(window, parts // windows, sizes):
                result.append(take_rows(batch, chunk))
                if can_skip and not by_tokens:
                    result[-1]["share"] = len(chunk) * parts / rows
        return result

    def _shares(self, longest: int) -> bool:
        """Whether rows that begin alike share the work on those tokens."""
        model = self.accelerator.unwrap_model(self.model)
        plain = self.accelerator.device.type == "cpu" and not hasattr(model, "peft_config")
        return plain and longest <= LONGEST and shares_prefixes(model)

    # ---------------------------------------------------------------- log-probs

    def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> Tensor:
        self._score_mask = self._scored_tokens(inputs)
        metrics = self._metrics["train"]
        before = len(metrics["entropy"])
        try:
            loss: Tensor = super()._compute_loss(model, inputs)
        finally:
            self._score_mask = None
        if inputs.get("empty"):  # that of a row which has no part in the loss
            del metrics["entropy"][before:]
        if not metrics["entropy"]:
            del metrics["entropy"]  # TRL takes a mean of what is there
        return loss * inputs.get("share", 1.0)

    def _share_of(self, total: Tensor) -> Tensor:
        """What a micro-batch's sum is divided by to add to a mean over a round.

        Args:
            total: How many the round has, in all processes.
        """
        share = total.clamp(min=1) / self.accelerator.num_processes
        return share * self.current_gradient_accumulation_steps / self.args.steps_per_generation

    def _log_mean(self, name: str, total: Tensor, count: Tensor) -> None:
        """Log a mean over a round, of which every micro-batch has a part.

        TRL logs the mean of what micro-batches append: each appends its part times their number.

        Args:
            name: Name of the metric.
            total: Sum over this micro-batch, of one process.
            count: How many the round has, in all processes.
        """
        part = self.accelerator.gather(total.detach()).sum() / count.clamp(min=1)
        value = (part * self.args.steps_per_generation).item()
        self._metrics["train"][name].append(value)

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
        if self._skip_scoring and self._is_policy(model):
            zeros = torch.zeros(wanted[:, -logits_to_keep:].shape, device=input_ids.device)
            return zeros, zeros, None
        step = batch_size or len(input_ids)
        logps, entropies = [], []
        for i in range(0, len(input_ids), step):
            part = slice(i, i + step)
            with self.accelerator.autocast(), self._arithmetic_of_the_loss(model):
                a, b = self._score_rows(model, input_ids[part], attention_mask[part], wanted[part])
            if not torch.is_grad_enabled():
                a, b = a.detach(), b.detach()
            logps.append(a[:, -logits_to_keep:])
            entropies.append(b[:, -logits_to_keep:])
        if self._score_mask is not None:  # the pass of the loss, not one for old log-probs
            self._loss_logps = torch.cat(logps)
        return torch.cat(logps), torch.cat(entropies) if compute_entropy else None, None

    def _is_policy(self, model: Any) -> bool:
        """Whether it is the policy that is to be scored, and not its reference.

        The reference of an adapter is the same model without it.
        """
        if self.beta != 0.0 and self.ref_model is None:
            return model is self.model and is_adapted(self.accelerator.unwrap_model(model))
        return model is self.model

    def _arithmetic_of_the_loss(self, model: Any) -> AbstractContextManager[Any]:
        """For old log-probs: the layers that the loss's pass uses on a CPU, not transformers' own.

        The two round bfloat16 differently, by 0.03 nats per token and 0.008 in the mean over a
        sequence (SmolLM2-135M). GSPO clips at 0.0003: half of its sessions lost their gradient to
        rounding before the policy had moved at all.
        """
        old = self._score_mask is None and model is self.model and not torch.is_grad_enabled()
        alone = self.accelerator.num_processes == 1  # DDP would wait for a backward pass
        if old and alone and self.accelerator.device.type == "cpu":
            return torch.enable_grad()
        return nullcontext()

    def _score_rows(
        self, model: Any, ids: Tensor, mask: Tensor, wanted: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Log-probs and entropies of the wanted tokens; a trainer that needs more scores more."""
        most = self.args.max_pass_tokens
        logps, entropies = score_tokens(model, ids, mask, wanted, most=most)
        return logps, entropies


def _prompts(batch: dict[str, Any]) -> list[int]:
    """A number for each row, the same for rows of one prompt."""
    tokens = torch.where(batch["prompt_mask"].bool(), batch["prompt_ids"], -1)
    numbers: list[int] = tokens.unique(dim=0, return_inverse=True)[1].tolist()
    return numbers
