"""vLLM in this process, on CPU or GPU, driven step by step so that no reply waits for another."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import torch

from corgi_gym.agents.engines.base import NO_VLLM, Completion, EngineError, GenerationRequest

# Environment that vLLM reads at import, set only where the user has not set it:
# - one process, so that weights can be handed over directly;
# - "nobind" on the CPU: vLLM's default binds its threads to cores, and a trainer in the same
#   process then runs several times slower (measured: 130 s instead of 37 s for one step).
_ENVIRONMENT = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
    "VLLM_LOGGING_LEVEL": "ERROR",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_DO_NOT_TRACK": "1",
    # one compile process: the pool would compete with the few cores that decode
    "TORCHINDUCTOR_COMPILE_THREADS": "1",
}

# Prompt tokens computed in one step at most.
_PREFILL_TOKENS = 4096


class VLLMEngine:
    """An engine on `vllm.LLM`.

    Args:
        model: Folder or hub id (see `corgi_gym.agents.models.resolve_model`).
        max_model_len: Longest conversation in tokens.
        max_num_seqs: Replies decoded at once.
        kv_cache_gib: Memory for keys and values on the CPU, in GiB.
        gpu_memory_utilization: Share of a GPU's memory (unused on the CPU).
        dtype: Weights and activations.

    Raises:
        ImportError: If vLLM is not installed, with the command that installs it.
        EngineError: If vLLM cannot start or fails while generating.
    """

    def __init__(
        self,
        model: str,
        *,
        max_model_len: int = 1024,
        max_num_seqs: int = 64,
        kv_cache_gib: float = 1.0,
        gpu_memory_utilization: float = 0.45,
        dtype: str = "bfloat16",
        seed: int = 0,
    ) -> None:
        for key, value in _ENVIRONMENT.items():
            os.environ.setdefault(key, value)
        os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", str(max(1, round(kv_cache_gib))))
        try:
            import vllm
        except ImportError as error:
            raise ImportError(NO_VLLM) from error
        self._vllm = vllm
        try:
            self._llm: Any = vllm.LLM(
                model=model,
                dtype=dtype,
                max_model_len=max_model_len,
                max_num_seqs=max_num_seqs,
                enforce_eager=True,
                enable_prefix_caching=True,
                # whole prompts only: vLLM 0.31 rewinds a seeded generator after a partial one,
                # which CPU generators cannot do ("CPU Generator does not use offset")
                enable_chunked_prefill=False,
                max_num_batched_tokens=max(_PREFILL_TOKENS, max_model_len),
                gpu_memory_utilization=gpu_memory_utilization,
                # the log-probs after temperature: those of the distribution that was sampled from
                logprobs_mode="processed_logprobs",
                seed=seed,
                disable_log_stats=True,
                use_tqdm_on_load=False,
            )
        except Exception as error:
            raise EngineError(f"vLLM could not start with model {model!r}: {error}") from error
        self._engine = self._llm.llm_engine
        self._llm.collective_rpc(_sample_by_one_uniform)

    def submit(self, request: GenerationRequest) -> None:
        """Queue a request."""
        sampling = request.sampling
        params = self._vllm.SamplingParams(
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            max_tokens=sampling.max_tokens,
            stop_token_ids=list(sampling.stop_ids),
            seed=request.seed % 2**63 if sampling.temperature > 0 else None,
            logprobs=0,  # the sampled token's only
            detokenize=False,
            output_kind=self._vllm.sampling_params.RequestOutputKind.FINAL_ONLY,
        )
        prompt = self._vllm.TokensPrompt(prompt_token_ids=list(request.prompt_ids))
        self._engine.add_request(request.id, prompt, params)

    def poll(self) -> list[Completion]:
        """Run one engine step."""
        if not self._engine.has_unfinished_requests():
            return []
        try:
            outputs = self._engine.step()
        except Exception as error:
            raise EngineError(f"vLLM failed while generating: {error}") from error
        return [_completion(output) for output in outputs if output.finished]

    def cancel(self, ids: Iterable[str]) -> None:
        """Abort requests; vLLM ignores ids that it does not know."""
        self._engine.abort_request(list(ids))

    def load_weights(self, named_params: Iterable[tuple[str, torch.Tensor]]) -> None:
        """Load new weights and drop the prefix cache, which belongs to the old ones."""
        if self._engine.has_unfinished_requests():
            raise EngineError("weights must not change while replies are being generated")
        weights = [(name, tensor.detach()) for name, tensor in named_params]
        self._llm.collective_rpc("reload_weights", kwargs={"weights_iterator": iter(weights)})
        self._llm.apply_model(_repack_tied_head)
        if not self._llm.reset_prefix_cache():
            raise EngineError("vLLM kept its prefix cache after a weight update")

    def close(self) -> None:
        """Shut vLLM down."""
        if getattr(self, "_llm", None) is not None:
            self._engine = self._llm = None


def _completion(output: Any) -> Completion:
    result = output.outputs[0]
    token_ids = list(result.token_ids)
    logprobs = [step[token].logprob for step, token in zip(result.logprobs, token_ids, strict=True)]
    reason = "length" if result.finish_reason == "length" else "stop"
    return Completion(output.request_id, token_ids, logprobs, reason)


def _sample_by_one_uniform(worker: Any) -> None:
    """Sample seeded requests on the CPU by inverting the distribution function.

    vLLM's CPU sampler draws one exponential per vocabulary entry, twice when requests are seeded,
    one row after the other: as long as the model itself at 64 rows of 49,152. One uniform number
    per row does the same. Rows with top-k or top-p, unseeded rows and GPUs keep vLLM's own sampler.
    """
    if worker.device.type != "cpu":
        return
    sampler = worker.model_runner.sampler.topk_topp_sampler
    original = sampler.forward

    def forward(logits: Any, generators: dict[int, Any], k: Any, p: Any) -> Any:
        if len(generators) != len(logits) or k is not None or p is not None:
            return original(logits, generators, k, p)
        logprobs = logits.log_softmax(-1, dtype=torch.float32)
        uniform = torch.cat([torch.rand(1, generator=generators[i]) for i in range(len(logits))])
        total = logprobs.exp().cumsum_(-1)
        # scaled by the row's total, which float32 sums to almost one
        chosen = torch.searchsorted(total, uniform[:, None] * total[:, -1:], right=True)[:, 0]
        return chosen.clamp_(max=logits.shape[-1] - 1), logprobs

    sampler.forward = forward


def _repack_tied_head(model: Any) -> None:
    """Pack a tied LM head again on the CPU backend (traps: the sync is wrong without it).

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
