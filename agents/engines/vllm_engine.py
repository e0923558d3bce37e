"""vLLM in this process, on CPU or GPU, driven step by step so that no reply waits for another."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch

from corgi_gym.agents.cpu import keep_freed_memory
from corgi_gym.agents.engines import vllm_worker
from corgi_gym.agents.engines.base import (
    BUSY,
    NO_VLLM,
    Completion,
    EngineError,
    GenerationRequest,
)
from corgi_gym.agents.processes import Processes

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
# Tokens that the prefix cache keeps or drops together. The CPU's default, 128, is more than most
# conversations have when their second turn begins (measured: 13 % of prompt tokens reused).
_BLOCK_TOKENS = 32


class VLLMEngine:
    """An engine on `vllm.LLM`.

    Args:
        model: Folder or hub id (see `corgi_gym.agents.models.resolve_model`).
        max_model_len: Longest conversation in tokens.
        max_num_seqs: Replies decoded at once.
        kv_cache_gib: Memory for keys and values on the CPU, in whole GiB; in a process with several
            engines the first one's holds for all.
        gpu_memory_utilization: Share of a GPU's memory (unused on the CPU).
        dtype: Weights and activations.
        sleep_level: What `sleep` frees on a GPU while the trainer works: 0 nothing, 1 the cache
            (weights move to the CPU), 2 the weights as well (the next sync brings new ones).

    Attributes:
        version: How often the weights were replaced.

    Raises:
        ValueError: For an unknown sleep level, or one without a GPU, and a cache of less than a GiB
            or a fraction of one.
        ImportError: If vLLM is not installed, with the command that installs it.
        EngineError: If vLLM cannot start or fails while generating.
    """

    def __init__(
        self,
        model: str,
        *,
        max_model_len: int = 1024,
        max_num_seqs: int = 64,
        kv_cache_gib: int = 1,
        gpu_memory_utilization: float = 0.45,
        dtype: str = "bfloat16",
        sleep_level: int = 0,
        seed: int = 0,
    ) -> None:
        _check_sleep_level(sleep_level)
        if isinstance(kv_cache_gib, bool) or kv_cache_gib < 1 or kv_cache_gib % 1:
            raise ValueError(f"kv_cache_gib must be a whole number from 1 on, got {kv_cache_gib!r}")
        self.version = 0
        self._sleep_level, self._asleep = sleep_level, False
        for key, value in _ENVIRONMENT.items():
            os.environ.setdefault(key, value)
        os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", str(int(kv_cache_gib)))
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
                block_size=_BLOCK_TOKENS,
                # whole prompts only: vLLM 0.31 rewinds a seeded generator after a partial one,
                # which CPU generators cannot do ("CPU Generator does not use offset")
                enable_chunked_prefill=False,
                max_num_batched_tokens=max(_PREFILL_TOKENS, max_model_len),
                gpu_memory_utilization=gpu_memory_utilization,
                # the log-probs after temperature: those of the distribution that was sampled from
                logprobs_mode="processed_logprobs",
                seed=seed,
                enable_sleep_mode=sleep_level > 0,
                disable_log_stats=True,
                use_tqdm_on_load=False,
                **_launched(),
            )
        except Exception as error:
            raise EngineError(f"vLLM could not start with model {model!r}: {error}") from error
        self._engine = self._llm.llm_engine
        self._llm.collective_rpc(vllm_worker.make_fast)
        if not torch.cuda.is_available():
            keep_freed_memory()  # the logits of a step are 13 MB that would be mapped anew

    def submit(self, request: GenerationRequest) -> None:
        """Queue a request."""
        self._wake()
        sampling = request.sampling
        params = self._vllm.SamplingParams(
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            max_tokens=sampling.max_tokens,
            stop_token_ids=list(sampling.stop_ids),
            ignore_eos=True,  # further ends that a model declares, which no other engine stops at
            seed=request.seed % 2**63 if sampling.temperature > 0 else None,
            logprobs=0,  # the sampled token's only
            detokenize=False,
            output_kind=self._vllm.sampling_params.RequestOutputKind.FINAL_ONLY,
        )
        prompt = self._vllm.TokensPrompt(prompt_token_ids=list(request.prompt_ids))
        with _as_engine_error("refused a request"):
            self._engine.add_request(request.id, prompt, params)

    def poll(self) -> list[Completion]:
        """Run one engine step."""
        if not self._engine.has_unfinished_requests():
            return []
        with _as_engine_error("failed while generating"):
            outputs = self._engine.step()
        return [_completion(output) for output in outputs if output.finished]

    def cancel(self, ids: Iterable[str]) -> None:
        """Abort requests; vLLM ignores ids that it does not know."""
        self._engine.abort_request(list(ids))

    def load_weights(self, named_params: Iterable[tuple[str, torch.Tensor]]) -> None:
        """Load new weights and drop the prefix cache, which belongs to the old ones."""
        if self._engine.has_unfinished_requests():
            raise EngineError(BUSY)
        weights = [(name, tensor.detach()) for name, tensor in named_params]
        with _as_engine_error("could not load new weights"):
            if self._asleep:  # the cache gets its memory back when loading needs none any more
                self._llm.wake_up(tags=["weights"])
            self._llm.collective_rpc(vllm_worker.load_weights, args=(weights,))
            if self._asleep:
                self._llm.wake_up(tags=["kv_cache"])
            self._asleep = False
            if not self._llm.reset_prefix_cache():
                raise EngineError("vLLM kept its prefix cache after a weight update")
        self.version += 1

    def sleep(self) -> None:
        """Free GPU memory until the next request or sync (see ``sleep_level``)."""
        if not self._sleep_level or self._asleep:
            return
        if self._engine.has_unfinished_requests():
            raise EngineError("vLLM cannot sleep while replies are being generated")
        with _as_engine_error("could not be put to sleep"):
            self._llm.sleep(level=self._sleep_level)
        self._asleep = True

    def _wake(self) -> None:
        if not self._asleep:
            return
        if self._sleep_level > 1:
            raise EngineError("vLLM sleeps without weights (sleep_level 2): sync before generating")
        with _as_engine_error("could not be woken"):
            self._llm.wake_up()
        self._asleep = False

    def close(self) -> None:
        """Shut vLLM down."""
        if getattr(self, "_llm", None) is not None:
            self._engine = self._llm = None


def _launched() -> dict[str, Any]:
    """What vLLM must be told where a launcher has started several processes, each with its own."""
    if Processes.current().count == 1:
        return {}
    return {"distributed_executor_backend": "external_launcher", "tensor_parallel_size": 1}


def _check_sleep_level(level: object) -> None:
    if level not in (0, 1, 2):
        raise ValueError(f"sleep_level must be 0, 1 or 2, got {level!r}")
    if level and not torch.cuda.is_available():
        raise ValueError(f"sleep_level={level} frees the memory of a GPU, and there is none: use 0")


@contextmanager
def _as_engine_error(what: str) -> Iterator[None]:
    """Whatever vLLM raises (out of memory, a crash) is a failed engine, with its own words."""
    try:
        yield
    except EngineError:
        raise
    except Exception as error:
        raise EngineError(f"vLLM {what}: {type(error).__name__}: {error}") from error


def _completion(output: Any) -> Completion:
    result = output.outputs[0]
    token_ids = list(result.token_ids)
    logprobs = [step[token].logprob for step, token in zip(result.logprobs, token_ids, strict=True)]
    if (reason := result.finish_reason) not in ("stop", "length"):
        raise EngineError(f"vLLM gave up a reply ({reason!r})")
    cached = output.num_cached_tokens or 0
    return Completion(output.request_id, token_ids, logprobs, reason, cached)
