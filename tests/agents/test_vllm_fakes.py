"""What vLLM does on machines that tests do not have, held against stand-ins of its classes."""

import sys
import types
from dataclasses import dataclass

import pytest
import torch

from corgi_gym.agents.engines import EngineError, GenerationRequest, Sampling

REQUEST = GenerationRequest("a", [1, 2], Sampling(), seed=0)


class FakeLLM:
    """Records calls, and raises what it is told to raise."""

    def __init__(self, **kwargs):
        self.kwargs, self.calls, self.busy, self.error = kwargs, [], False, {}
        self.llm_engine = self

    def __getattr__(self, name):
        def call(*args, **kwargs):
            if name in self.error:
                raise self.error[name]
            self.calls.append((name, kwargs))
            return name == "reset_prefix_cache"

        return call

    def has_unfinished_requests(self):
        return self.busy

    def step(self):
        raise self.error["step"]


@pytest.fixture
def engine(monkeypatch):
    """A function: an engine on a `FakeLLM`, with a GPU or without."""
    fake = types.SimpleNamespace(
        LLM=FakeLLM,
        SamplingParams=dict,
        TokensPrompt=dict,
        sampling_params=types.SimpleNamespace(
            RequestOutputKind=types.SimpleNamespace(FINAL_ONLY=2)
        ),
    )
    monkeypatch.setitem(sys.modules, "vllm", fake)
    from corgi_gym.agents.engines.vllm_engine import VLLMEngine

    def make(level=0, cuda=True):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
        made = VLLMEngine("m", sleep_level=level)
        made._llm.calls.clear()
        return made

    return make


def names(engine):
    return [name for name, _ in engine._llm.calls]


def test_sleep_frees_memory_until_the_next_sync(engine):
    one = engine(1)
    assert one._llm.kwargs["enable_sleep_mode"] is True
    one.sleep()
    one.sleep()
    assert one._llm.calls == [("sleep", {"level": 1})]
    one.load_weights([("w", torch.ones(1))])
    assert names(one) == ["sleep", "wake_up", "collective_rpc", "wake_up", "reset_prefix_cache"]
    assert [kw["tags"] for n, kw in one._llm.calls if n == "wake_up"] == [["weights"], ["kv_cache"]]
    one.submit(REQUEST)
    assert names(one)[-1] == "add_request" and one.version == 1


@pytest.mark.parametrize("reason", ["abort", "error", "repetition", None])
def test_a_reply_that_vllm_gave_up_is_no_reply(engine, reason):
    from corgi_gym.agents.engines.vllm_engine import _completion

    one = types.SimpleNamespace(token_ids=[5], logprobs=[{5: types.SimpleNamespace(logprob=-1.0)}])
    output = types.SimpleNamespace(outputs=[one], num_cached_tokens=None, request_id="r")
    one.finish_reason = "length"
    assert _completion(output).finish_reason == "length"
    one.finish_reason = reason
    with pytest.raises(EngineError, match="vLLM gave up a reply"):
        _completion(output)


def test_a_request_wakes_it_unless_its_weights_are_gone(engine):
    one = engine(1)
    one.sleep()
    one.submit(REQUEST)
    assert names(one) == ["sleep", "wake_up", "add_request"]
    two = engine(2)
    two.sleep()
    with pytest.raises(EngineError, match="sync before generating"):
        two.submit(REQUEST)
    two.load_weights([])
    two.submit(REQUEST)


def test_sleep_needs_a_gpu_and_no_reply_under_way(engine):
    with pytest.raises(ValueError, match="sleep_level=1 frees the memory of a GPU, and there is"):
        engine(1, cuda=False)
    with pytest.raises(ValueError, match="must be 0, 1 or 2, got 3"):
        engine(3)
    off = engine(0, cuda=False)
    off.sleep()
    assert off._llm.calls == [] and off._llm.kwargs["enable_sleep_mode"] is False
    on = engine(1)
    on._llm.busy = True
    with pytest.raises(EngineError, match="cannot sleep while"):
        on.sleep()


def test_whatever_vllm_raises_is_a_failed_engine_in_its_own_words(engine):
    memory = torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
    one = engine()
    one._llm.error = {"add_request": ValueError("prompt too long"), "collective_rpc": memory}
    with pytest.raises(EngineError, match="vLLM refused a request: ValueError: prompt too long"):
        one.submit(REQUEST)
    with pytest.raises(EngineError, match="could not load new weights: OutOfMemoryError: CUDA out"):
        one.load_weights([])
    one._llm.busy, one._llm.error["step"] = True, memory
    with pytest.raises(EngineError, match=r"failed while generating: .*Tried to allocate 2 GiB"):
        one.poll()
    assert one.version == 0


# ---------------------------------------------------------------- weights over NCCL


@dataclass
class Info:
    """`NCCLTrainerInitInfo`, as far as it is used."""

    rank: int
    master_address: str
    master_port: int
    world_size: int


class Trainer:
    """vLLM's trainer side; what it sends is what the source gave it."""

    def __init__(self, info, client, source):
        self.info, self.client, self.source, self.sent = info, client, source, []

    def send_weights(self):
        if self.sent == ["fail"]:
            raise RuntimeError("the server left")
        meta = [(m.name, m.dtype, m.shape) for m in self.source.metadata()]
        self.sent.append((meta, dict(self.source)))


@pytest.fixture
def transfer(monkeypatch):
    """The module `vllm_transfer` on stand-ins, and the trainers it made."""
    made = []

    class Factory:
        @staticmethod
        def trainer_init(info, *, client, source):
            made.append(Trainer(info, client, source))
            return made[-1]

    root = "vllm.distributed.weight_transfer"
    contents = {
        "base": {
            "WeightSource": object,
            "ParamMeta": lambda *a: types.SimpleNamespace(name=a[0], dtype=a[1], shape=a[2]),
            "materialize_full_tensor": lambda tensor: tensor,
        },
        "clients": {"HTTPVLLMWeightSyncClient": str},
        "factory": {"WeightTransferTrainerFactory": Factory},
        "nccl_engine": {"NCCLTrainerInitInfo": Info},
    }
    for name in ("vllm", "vllm.distributed", root):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    for name, values in contents.items():
        module = types.ModuleType(f"{root}.{name}")
        vars(module).update(values)
        monkeypatch.setitem(sys.modules, f"{root}.{name}", module)
    path = "corgi_gym.agents.engines.vllm_transfer"
    monkeypatch.delitem(sys.modules, path, raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    import importlib

    yield importlib.import_module(path), made
    sys.modules.pop(path, None)


def test_weights_go_through_vllms_own_transfer(transfer, fake_server):
    from corgi_gym.agents.engines.vllm_server import VLLMServerEngine

    _, made = transfer
    server = fake_server()
    engine = VLLMServerEngine(server.url, transfer="nccl")
    weights = {"a": torch.rand(2, 3), "b": torch.rand(4, dtype=torch.float16)}
    engine.load_weights(weights.items())
    engine.load_weights(weights.items())
    (trainer,) = made  # one group for the whole run
    assert trainer.client == server.url and trainer.info.master_address == "127.0.0.1"
    assert (trainer.info.rank, trainer.info.world_size) == (0, 3)  # two workers and the trainer
    meta, sent = trainer.sent[1]
    assert meta == [("a", torch.float32, (2, 3)), ("b", torch.float16, (4,))]
    assert all(torch.equal(sent[n], w) for n, w in weights.items())
    assert trainer.source.weights == []  # no second copy of the policy is kept
    assert server.loaded == [] and server.weight_version != "default"
    trainer.sent[:] = ["fail"]
    with pytest.raises(EngineError, match="over NCCL: the server left"):
        engine.load_weights(weights.items())
    engine.close()


def test_nccl_is_chosen_where_the_server_has_it_and_needs_a_gpu(transfer, fake_server, monkeypatch):
    from corgi_gym.agents.engines.vllm_server import VLLMServerEngine

    server = fake_server()
    rpc = server.rpc
    server.rpc = lambda *a: (200, {"results": [{"dtype": "bfloat16", "transfer": "nccl"}]})
    engine = VLLMServerEngine(server.url)
    server.rpc = rpc
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(EngineError, match=r"this process has none: set engine_options\.transfer"):
        engine.load_weights([("w", torch.ones(1))])
    engine.close()
    engine = VLLMServerEngine(server.url, transfer="checkpoint")
    engine.load_weights([("w", torch.ones(1))])
    assert len(server.loaded) == 1
    engine.close()
