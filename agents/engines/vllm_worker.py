"""What runs inside vLLM's worker, in process or in a server: new weights, and seeded sampling.

A server loads it through ``--worker-extension-cls``, see `WorkerExtension`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch

# The file that a trainer leaves in the folder it names.
WEIGHTS_FILE = "model.safetensors"


class WorkerExtension:
    """Methods that vLLM adds to its worker, for ``POST /collective_rpc`` of a server.

    vllm serve ... --worker-extension-cls corgi_gym.agents.engines.vllm_worker.WorkerExtension
    """

    def corgi_setup(self) -> dict[str, Any]:
        """Prepare the worker; returns its device, its dtype and its weight-transfer backend."""
        sample_by_one_uniform(self)
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


def sample_by_one_uniform(worker: Any) -> None:
    """Sample seeded requests on the CPU by inverting the distribution function.

    vLLM's CPU sampler draws one exponential per vocabulary entry, twice when requests are seeded,
    one row after the other: as long as the model itself at 64 rows of 49,152. One uniform number
    per row does the same. Rows with top-k or top-p, unseeded rows and GPUs keep vLLM's own sampler.
    A second call does nothing.
    """
    if worker.device.type != "cpu":
        return
    sampler = worker.model_runner.sampler.topk_topp_sampler
    original = sampler.forward
    if getattr(original, "by_one_uniform", False):
        return

    def forward(logits: Any, generators: dict[int, Any], k: Any, p: Any) -> Any:
        if len(generators) != len(logits) or k is not None or p is not None:
            return original(logits, generators, k, p)
        logprobs = logits.log_softmax(-1, dtype=torch.float32)
        uniform = torch.cat([torch.rand(1, generator=generators[i]) for i in range(len(logits))])
        total = logprobs.exp().cumsum_(-1)
        # scaled by the row's total, which float32 sums to almost one
        chosen = torch.searchsorted(total, uniform[:, None] * total[:, -1:], right=True)[:, 0]
        return chosen.clamp_(max=logits.shape[-1] - 1), logprobs

    forward.by_one_uniform = True  # type: ignore[attr-defined]
    sampler.forward = forward
