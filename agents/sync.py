"""New weights into an engine, and the proof that they arrived.

A weight update of vLLM can go wrong without an error (see `engines.vllm_engine`), so after every
sync a probe compares the engine's log-probs with the trainer's on freshly sampled tokens, and a
mismatch beyond the noise of the two bf16 implementations stops the run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from corgi_gym.agents.engines.base import Engine, EngineError, GenerationRequest, Sampling
from corgi_gym.agents.health import PARITY_LIMIT

_PROBE_TOKENS = 12


@contextmanager
def engine_weights(model: Any) -> Iterator[Iterator[tuple[str, Tensor]]]:
    """The policy's weights under the names of its checkpoint, with any LoRA adapter merged in."""
    peft = hasattr(model, "merge_adapter")
    frozen: dict[str, Tensor] = {}
    if peft:
        # taking the adapter out again rounds, and the frozen weights would drift sync by sync
        layers = ((n, p) for n, p in model.named_parameters() if ".base_layer." in n)
        frozen = {name: parameter.detach().clone() for name, parameter in layers}
        model.merge_adapter()
    try:
        yield (_named_weights(model.get_base_model()) if peft else model.named_parameters())
    finally:
        if peft:
            model.unmerge_adapter()
            parameters = dict(model.named_parameters())
            with torch.no_grad():
                for name, tensor in frozen.items():
                    parameters[name].copy_(tensor)


def _named_weights(base: Any) -> Iterator[tuple[str, Tensor]]:
    for name, tensor in base.named_parameters():
        # a module that is trained whole: PEFT keeps the old one beside it
        if ".lora_" not in name and ".original_module." not in name:
            name = re.sub(r"\.modules_to_save\.[^.]+\.", ".", name)
            yield name.replace(".base_layer.", "."), tensor


def save_policy(model: Any, folder: str | Path) -> None:
    """Save the policy as a whole checkpoint, with any LoRA adapter merged in.

    So every checkpoint loads alike, with transformers and with vLLM, and without PEFT.
    """
    if not hasattr(model, "merge_adapter"):
        model.save_pretrained(folder)
        return
    with engine_weights(model) as weights:
        state = {name: tensor.detach() for name, tensor in weights}
        model.get_base_model().save_pretrained(folder, state_dict=state)


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
