"""Weights over NCCL, by vLLM's own weight transfer, from the trainer's GPU to a server's GPUs.

Not tested on a GPU yet: tests hold the calls against vLLM's classes, and the parity probe after
every sync proves what arrived.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

import torch
from torch import Tensor
from vllm.distributed.weight_transfer.base import ParamMeta, WeightSource, materialize_full_tensor
from vllm.distributed.weight_transfer.clients import HTTPVLLMWeightSyncClient
from vllm.distributed.weight_transfer.factory import WeightTransferTrainerFactory
from vllm.distributed.weight_transfer.nccl_engine import NCCLTrainerInitInfo

from corgi_gym.agents.engines.base import EngineError


class _Policy(WeightSource):
    """The weights of the sync under way; vLLM reads names and shapes first, then the tensors."""

    def __init__(self) -> None:
        self.weights: list[tuple[str, Tensor]] = []

    def metadata(self) -> list[ParamMeta]:
        return [ParamMeta(name, t.dtype, tuple(t.shape)) for name, t in self.weights]

    def __iter__(self) -> Iterator[tuple[str, Tensor]]:
        for name, tensor in self.weights:
            yield name, materialize_full_tensor(tensor.detach())


class NcclSender:
    """Sends weights to a server that was started with ``--weight-transfer-config``.

    Args:
        url: The server.
        workers: Its worker processes (tensor, pipeline and data parallel together).

    Raises:
        EngineError: Without a GPU here, or if the server does not join.
    """

    def __init__(self, url: str, workers: int) -> None:
        if not torch.cuda.is_available():
            raise EngineError(
                "weights travel over NCCL from GPU to GPU, and this process has none: set "
                "engine_options.transfer to 'checkpoint'"
            )
        self._policy = _Policy()
        address = _own_address(url)
        info = NCCLTrainerInitInfo(
            rank=0, master_address=address, master_port=_free_port(), world_size=workers + 1
        )
        self._engine: Any = _guarded(
            url,
            WeightTransferTrainerFactory.trainer_init,
            info,
            client=HTTPVLLMWeightSyncClient(url),
            source=self._policy,
        )
        self.url = url

    def send(self, named_params: Iterable[tuple[str, Tensor]]) -> None:
        """Send a policy's weights.

        Raises:
            EngineError: If the server does not take them.
        """
        self._policy.weights = list(named_params)
        try:
            _guarded(self.url, self._engine.send_weights)
        finally:
            self._policy.weights = []


def _guarded(url: str, call: Any, *args: Any, **kwargs: Any) -> Any:
    try:
        return call(*args, **kwargs)
    except Exception as error:
        raise EngineError(f"weights could not be sent to {url} over NCCL: {error}") from error


def _own_address(url: str) -> str:
    """This machine's address as the server sees it."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    with socket.create_connection((parts.hostname or "", port)) as connection:
        return str(connection.getsockname()[0])


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("", 0))
        return int(listener.getsockname()[1])
