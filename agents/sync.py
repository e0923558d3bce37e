"""New weights into an engine, and the check that they arrived.

A weight update of vLLM can go wrong without an error (see `engines.vllm_engine`), so after every
sync a probe compares the engine's log-probs with the trainer's on freshly sampled tokens, and a
mismatch beyond the noise of the two bf16 implementations stops the run.

Weights that FSDP or DeepSpeed ZeRO-3 has split over the processes are put together first, with
TRL's and torch's own means. That is work for all processes together: each must call what is here,
also those whose engine needs nothing (`corgi_gym.agents.engines.vllm_server`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.distributed.tensor import DTensor

from corgi_gym.agents.engines.base import (
    Engine,
    EngineError,
    GenerationRequest,
    Sampling,
    plain_engine,
)
from corgi_gym.agents.health import PARITY_LIMIT
from corgi_gym.agents.processes import Processes

PROBE_TOKENS = 12


@contextmanager
def engine_weights(model: Any, accelerator: Any = None) -> Iterator[Iterator[tuple[str, Tensor]]]:
    """The policy's weights under the names of its checkpoint, with any LoRA adapter merged in.

    Args:
        model: The policy, as accelerate has prepared it for FSDP, else without its wrapper.
        accelerator: Of a trainer whose weights may be sharded; each tensor is then a whole one.
    """
    with _gathered(model, accelerator), _merged(model):
        peft = hasattr(model, "merge_adapter")
        named = _named_weights(model.get_base_model()) if peft else model.named_parameters()
        yield ((name, _whole(tensor, accelerator)) for name, tensor in named)


@contextmanager
def _gathered(model: Any, accelerator: Any) -> Iterator[None]:
    """Whole parameters under ZeRO-3 and FSDP 1; those of FSDP 2 can be read one by one."""
    if accelerator is None:
        yield
        return
    from trl.distributed import DistributedBackend

    shards = DistributedBackend(accelerator)
    with (
        shards.gather_params(list(model.parameters())),
        shards.summon_full_params(model, writeback=False),
    ):
        yield


@contextmanager
def _merged(model: Any) -> Iterator[None]:
    """Any LoRA adapter merged into the weights, which are afterwards what they were."""
    if not hasattr(model, "merge_adapter"):
        yield
        return
    # taking the adapter out again rounds, and the frozen weights would drift sync by sync
    layers = ((n, p) for n, p in model.named_parameters() if ".base_layer." in n)
    frozen = {name: parameter.detach().clone() for name, parameter in layers}
    model.merge_adapter()
    try:
        yield
    finally:
        model.unmerge_adapter()
        parameters = dict(model.named_parameters())
        with torch.no_grad():
            for name, tensor in frozen.items():
                parameters[name].copy_(tensor)


def _whole(tensor: Tensor, accelerator: Any) -> Tensor:
    """A tensor that FSDP 2 has split over the processes, in one piece."""
    if not isinstance(tensor, DTensor):
        return tensor
    tensor = tensor.detach()
    # parameters that were moved to the CPU go through the processes' own devices
    return tensor.to(accelerator.device).full_tensor() if accelerator else tensor.full_tensor()


def _named_weights(base: Any) -> Iterator[tuple[str, Tensor]]:
    for name, tensor in base.named_parameters():
        # a module that is trained whole: PEFT keeps the old one beside it
        if ".lora_" not in name and ".original_module." not in name:
            name = re.sub(r"\.modules_to_save\.[^.]+\.", ".", name)
            yield name.replace(".base_layer.", "."), tensor


def save_policy(model: Any, folder: str | Path, accelerator: Any = None) -> None:
    """Save the policy as a whole checkpoint, with any LoRA adapter merged in.

    So every checkpoint loads alike, with transformers and with vLLM, and without PEFT. Of several
    processes, which must all call it, the first one writes.
    """
    here = Processes.current()
    peft = hasattr(model, "merge_adapter")
    if not peft and not here.sharded:
        if here.main:
            model.save_pretrained(folder)
        return
    with engine_weights(model, accelerator) as weights:
        state = {name: tensor.detach() for name, tensor in weights}
        if here.main:
            (model.get_base_model() if peft else model).save_pretrained(folder, state_dict=state)


def without_adapter(model: Any) -> Any:
    """The plain policy that a trainer made its adapters in: any of them merged in and taken out.

    For what trains the same policy again: PEFT puts adapters into the model that it is given, and
    a second trainer would put others into those.
    """
    return model.merge_and_unload() if hasattr(model, "merge_and_unload") else model


def parity(
    model: Any,
    engine: Engine,
    prompts: Sequence[list[int]],
    seed: int = 0,
    *,
    bf16: bool = True,
) -> float:
    """Mean absolute difference of log-probs between ``engine`` and ``model``, in nats.

    Samples a short reply to each prompt (token ids) and scores it with ``model`` as trained
    (``bf16``: in bf16 autocast). ``engine`` must be idle. Of an engine that asks another one
    several times for a reply the other one is probed: the reply's log-probs are under prompts of
    its parts.
    """
    engine = plain_engine(engine)
    sampling = Sampling(temperature=1.0, max_tokens=PROBE_TOKENS)
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
            with torch.no_grad(), torch.autocast(device.type, torch.bfloat16, enabled=bf16):
                logits = model(input_ids=tokens, use_cache=False).logits[0, -count - 1 : -1]
            logps = logits.float().log_softmax(-1).gather(1, tokens[0, -count:, None])[:, 0]
            differences.append((logps.cpu() - torch.tensor(completion.logprobs)).abs())
    return float(torch.cat(differences).mean())


def sync_weights(
    model: Any,
    engine: Engine,
    prompts: Sequence[list[int]],
    limit: float = PARITY_LIMIT,
    *,
    accelerator: Any = None,
    bf16: bool = True,
) -> float:
    """Load ``model``'s weights into ``engine``, probe, and return the mismatch.

    Args:
        model: See `engine_weights`.
        engine: Idle, in every process.
        prompts: Of the probe, as token ids.
        limit: Largest mean difference of log-probs, in nats.
        accelerator: See `engine_weights`.
        bf16: See `parity`.

    Raises:
        EngineError: If engine and model disagree by more than ``limit``.
    """
    with engine_weights(model, accelerator) as weights:
        engine.load_weights(weights)
    was_training = model.training
    model.eval()
    mismatch = parity(model, engine, prompts, bf16=bf16)
    model.train(was_training)
    if not mismatch <= limit:
        raise EngineError(
            "after a weight sync the engine's log-probs differ from the trainer's by "
            f"{mismatch:.3f} nats on average (limit {limit}): the new weights have not arrived. "
            "Use engine='transformers', or report your vLLM version"
        )
    return mismatch
