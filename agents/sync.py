"""New weights into an engine, and the proof that they arrived.

A weight update of vLLM can go wrong without an error (see `engines.vllm_engine`), so after every
sync a probe compares the engine's log-probs with the trainer's on freshly sampled tokens, and a
mismatch beyond the noise of the two bf16 implementations stops the run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from corgi_gym.agents.engines.base import Engine, EngineError, GenerationRequest, Sampling

# Mean |difference of log-probs| between vLLM and transformers, both in bf16, over sampled tokens of
# SmolLM2-135M: 0.040 to 0.044 with equal weights, 0.097 when a small update had not reached the
# tied head. The probe has about 100 tokens, so its own error is near 0.005.
PARITY_LIMIT = 0.075
_PROBE_TOKENS = 12


@contextmanager
def engine_weights(model: Any) -> Iterator[Iterator[tuple[str, Tensor]]]:
    """The policy's weights under the names of its checkpoint, with any LoRA adapter merged in."""
    peft = hasattr(model, "merge_adapter")
    if peft:
        model.merge_adapter()
    try:
        yield (_named_weights(model.get_base_model()) if peft else model.named_parameters())
    finally:
        if peft:
            model.unmerge_adapter()


def _named_weights(base: Any) -> Iterator[tuple[str, Tensor]]:
    for name, tensor in base.named_parameters():
        # a module that is trained whole: PEFT keeps the old one beside it
        if ".lora_" not in name and ".original_module." not in name:
            name = re.sub(r"\.modules_to_save\.[^.]+\.", ".", name)
            yield name.replace(".base_layer.", "."), tensor


def parity(model: Any, engine: Engine, prompts: Sequence[list[int]], seed: int = 0) -> float:
    """Mean absolute difference of log-probs between ``engine`` and ``model``, in nats.

    Samples a short reply to each prompt (token ids) and scores it with ``model`` as trained
    (bf16 autocast). ``engine`` must be idle.
    """
    sampling = Sampling(temperature=1.0, max_tokens=_PROBE_TOKENS)
    for i, ids in enumerate(prompts):
        engine.submit(GenerationRequest(f"parity-{i}", list(ids), sampling, seed + i))
    differences: list[Tensor] = []
    pending = len(prompts)
    device = next(model.parameters()).device
    while pending:
        for completion in engine.poll():
            if not completion.id.startswith("parity-"):
                continue  # asked for by a rollout that was interrupted
            pending -= 1
            ids = [*prompts[int(completion.id.removeprefix("parity-"))], *completion.token_ids]
            count = len(completion.token_ids)
            tokens = torch.tensor([ids], device=device)
            with torch.no_grad(), torch.autocast(device.type, dtype=torch.bfloat16):
                logits = model(input_ids=tokens, use_cache=False).logits[0, -count - 1 : -1]
            logps = logits.float().log_softmax(-1).gather(1, tokens[0, -count:, None])[:, 0]
            differences.append((logps.cpu() - torch.tensor(completion.logprobs)).abs())
    return float(torch.cat(differences).mean())


def sync_weights(
    model: Any, engine: Engine, prompts: Sequence[list[int]], limit: float = PARITY_LIMIT
) -> float:
    """Load ``model``'s weights into ``engine``, probe, and return the mismatch.

    Raises:
        EngineError: If engine and model disagree by more than ``limit``.
    """
    with engine_weights(model) as weights:
        engine.load_weights(weights)
        was_training = model.training
        model.eval()
        mismatch = parity(model, engine, prompts)
        model.train(was_training)
    if not mismatch <= limit:
        raise EngineError(
            "after a weight sync the engine's log-probs differ from the trainer's by "
            f"{mismatch:.3f} nats on average (limit {limit}): the new weights have not arrived. "
            "Use engine='transformers', or report your vLLM version"
        )
    return mismatch
