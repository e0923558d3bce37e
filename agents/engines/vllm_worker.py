"""What runs inside vLLM's worker, in process or in a server: new weights, and what makes it fast.

A server loads it through ``--worker-extension-cls``, see `WorkerExtension`.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch

# The file that a trainer leaves in the folder it names.
WEIGHTS_FILE = "model.safetensors"
# Tokens whose probabilities are summed first: about the root of a vocabulary's size.
_SUM_BLOCK = 256


class WorkerExtension:
    """Methods that vLLM adds to its worker, for ``POST /collective_rpc`` of a server.

    vllm serve ... --worker-extension-cls corgi_gym.agents.engines.vllm_worker.WorkerExtension
    """

    def corgi_setup(self) -> dict[str, Any]:
        """Prepare the worker; returns its device, its dtype and its weight-transfer backend."""
        make_fast(self)
        config: Any = self.vllm_config  # type: ignore[attr-defined]
        transfer = config.weight_transfer_config
        return {
            "device": self.device.type,  # type: ignore[attr-defined]
            "dtype": str(config.model_config.dtype).removeprefix("torch."),
            "transfer": transfer.backend if transfer is not None else None,
        }

    def corgi_load_weights(self, folder: str) -> dict[str, Any]:
        """Load the policy from ``folder``; returns how many tensors it holds."""
        weights = dict(_read(Path(folder, WEIGHTS_FILE)))
        load_weights(self, weights.items())
        return {"tensors": len(weights)}


def _read(path: Path) -> Iterator[tuple[str, torch.Tensor]]:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        for name in file.keys():  # noqa: SIM118 (not a dict)
            yield name, file.get_tensor(name)


def load_weights(worker: Any, weights: Iterable[tuple[str, torch.Tensor]]) -> None:
    """Replace the weights of a worker's model, the packed LM head of the CPU backend included."""
    worker.reload_weights(weights_iterator=iter(weights))
    repack_tied_head(worker.model_runner.get_model())


def repack_tied_head(model: Any) -> None:
    """Pack a tied LM head again on the CPU backend (the sync is wrong without it).

    The CPU backend multiplies with a packed copy of the head. ``reload_weights`` replaces the
    embedding matrix, to which the head is tied, and leaves the packed copy on the old weights.
    """
    head = getattr(model, "lm_head", None)
    if not hasattr(head, "cpu_linear") or not model.config.tie_word_embeddings:
        return
    from vllm.model_executor.layers.utils import dispatch_cpu_unquantized_gemm
    from vllm.model_executor.layers.vocab_parallel_embedding import VocabParallelEmbedding

    embeddings = [m for m in model.modules() if isinstance(m, VocabParallelEmbedding)]
    head.weight = next(m.weight for m in embeddings if m is not head)
    dispatch_cpu_unquantized_gemm(head, remove_weight=False)


def make_fast(worker: Any) -> None:
    """What vLLM leaves out on a CPU; GPUs are left alone, and a second call does nothing."""
    if worker.device.type != "cpu":
        return
    sample_by_one_uniform(worker)
    use_compiled_kernels(worker)


def use_compiled_kernels(worker: Any, use: bool = True) -> None:
    """Compute norms and gated activations by vLLM's own compiled CPU kernels (or no longer).

    vLLM 0.31 has them, and on x86 runs a sequence of eager PyTorch operations instead. In a small
    model, whose steps are made of many small operations, that is time.
    """
    from vllm.model_executor.layers.activation import SiluAndMul
    from vllm.model_executor.layers.layernorm import RMSNorm

    kernels = {RMSNorm: ("fused_add_rms_norm", _rms_norm), SiluAndMul: ("silu_and_mul", _silu)}
    for module in worker.model_runner.get_model().modules():
        name, function = kernels.get(type(module), ("", None))
        if function is None or not hasattr(torch.ops._C, name):
            continue
        if use and _is_plain(module):
            module._forward_method = types.MethodType(function, module)
        elif not use:
            module._forward_method = module.forward_native


def _is_plain(module: Any) -> bool:
    """Whether a norm is over the whole row, with a weight; activations always are."""
    return getattr(module, "has_weight", True) and not getattr(
        module, "variance_size_override", None
    )


def _rms_norm(self: Any, x: torch.Tensor, residual: torch.Tensor | None = None) -> Any:
    kernels, weight = torch.ops._C, self.weight.data
    if weight.dtype != x.dtype:
        return self.forward_native(x, residual)
    if residual is None:
        out = torch.empty(x.shape, dtype=x.dtype)
        kernels.rms_norm(out, x.contiguous(), weight, self.variance_epsilon)
        return out
    x, residual = x.contiguous(), residual.contiguous()
    kernels.fused_add_rms_norm(x, residual, weight, self.variance_epsilon)
    return x, residual  # both overwritten


def _silu(self: Any, x: torch.Tensor) -> torch.Tensor:
    out = torch.empty(*x.shape[:-1], x.shape[-1] // 2, dtype=x.dtype)
    torch.ops._C.silu_and_mul(out, x.contiguous())
    return out


def sample_by_one_uniform(worker: Any) -> None:
    """Sample seeded requests by inverting the distribution function.

    vLLM's CPU sampler draws one exponential per vocabulary entry, twice when requests are seeded,
    one row after the other: as long as the model itself at 64 rows of 49,152. One uniform number
    per row does the same, and without a matrix of log-probs where only the sampled token's is asked
    for. Rows with top-k or top-p, unseeded rows and those that ask for more log-probs keep vLLM's
    own sampler. A second call does nothing.
    """
    sampler = worker.model_runner.sampler
    original, gather = sampler.sample, sampler.gather_logprobs
    if getattr(original, "by_one_uniform", False):
        return

    def sample(logits: torch.Tensor, metadata: Any, *args: Any, **kwargs: Any) -> Any:
        simple = (
            metadata.all_random
            and len(metadata.generators) == len(logits)
            and metadata.top_k is None
            and metadata.top_p is None
            and not metadata.max_num_logprobs  # beyond the sampled token's
            and not metadata.logprob_token_ids
        )
        if not simple:
            return original(logits, metadata, *args, **kwargs)
        logits = sampler.apply_temperature(logits, metadata.temperature, True)
        for processor in metadata.logitsprocs.argmax_invariant:
            logits = processor.apply(logits)
        draws = [torch.rand(1, generator=metadata.generators[i]) for i in range(len(logits))]
        chosen, logprobs = invert(logits, torch.cat(draws))
        return chosen, logprobs[:, None]

    def gather_logprobs(logprobs: torch.Tensor, number: int, token_ids: torch.Tensor) -> Any:
        if logprobs.shape[-1] > 1:
            return gather(logprobs, number, token_ids=token_ids)
        from vllm.v1.outputs import LogprobsTensors

        # nobody reads the tokens' ranks
        return LogprobsTensors(token_ids[:, None].int(), logprobs, torch.zeros_like(token_ids))

    sample.by_one_uniform = True  # type: ignore[attr-defined]
    sampler.sample, sampler.gather_logprobs = sample, gather_logprobs


def invert(logits: torch.Tensor, uniform: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The token of each row at which its distribution function passes ``uniform``.

    In two levels, since a running sum over a whole row is the slowest part: first over the sums of
    blocks of tokens, then within one block.

    Args:
        logits: Shape (N, V).
        uniform: In [0, 1), shape (N,).

    Returns:
        Token ids of shape (N,), and their log-probs.
    """
    probs = logits.softmax(-1, dtype=torch.float32)
    size = probs.shape[1]
    whole = size - size % _SUM_BLOCK
    sums = probs[:, :whole].unflatten(1, (-1, _SUM_BLOCK)).sum(-1)
    ends = torch.cat([sums, probs[:, whole:].sum(-1, keepdim=True)], 1).cumsum(-1)
    block, target = _passes(ends, uniform[:, None] * ends[:, -1:])
    before = torch.where(block > 0, ends.gather(1, (block - 1).clamp_(min=0)), 0.0)
    tokens = block * _SUM_BLOCK + torch.arange(_SUM_BLOCK)
    part = probs.gather(1, tokens.clamp(max=size - 1)).masked_fill_(tokens >= size, 0.0)
    place, _ = _passes(part.cumsum(-1), (target - before).clamp_(min=0.0))
    chosen = tokens.gather(1, place)
    return chosen[:, 0], probs.gather(1, chosen).log()[:, 0]


def _passes(sums: torch.Tensor, target: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Where running sums first exceed the target, and the target, kept below the last of them.

    So what is found has a share of its own: an entry without any probability is never chosen.
    """
    target = torch.minimum(target, sums[:, -1:] * (1 - torch.finfo(sums.dtype).eps))
    return torch.searchsorted(sums, target, right=True), target
