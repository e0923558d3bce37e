"""The engine on a vLLM server: every request is answered once, or the run stops and says why."""

import threading
import time
from pathlib import Path

import pytest
import torch

from corgi_gym.agents.engines import CharCodec, EngineError, GenerationRequest, Sampling
from corgi_gym.agents.engines.endpoint import Endpoint, Refused, check_url
from corgi_gym.agents.engines.vllm_server import VLLMServerEngine, serve_command
from corgi_gym.agents.processes import Processes
from corgi_gym.agents.rollout import Session

CODEC = CharCodec()
SAMPLING = Sampling(max_tokens=40, stop_ids=CODEC.stop_ids)
GENERATE = "/v1/completions"


class Letters:
    """A tokenizer with a token per character."""

    name_or_path = "letters"

    def encode(self, text, add_special_tokens):
        return [ord(c) for c in text]


@pytest.fixture
def connect():
    """A function: an engine on a fake server, with short waits; all are closed after the test."""
    made = []

    def connect(server, **options):
        options = {"first_wait": 0.005, "retries": 3, "tokenizer": Letters(), **options}
        made.append(VLLMServerEngine(server.url, **options))
        return made[-1]

    yield connect
    for engine in made:
        engine.close()


def ask(engine, text="go", name="a", seed=7, sampling=SAMPLING):
    engine.submit(GenerationRequest(name, CODEC.start(text), sampling, seed))


def drain(engine, wanted, seconds=20):
    done, end = {}, time.monotonic() + seconds
    while len(done) < wanted and time.monotonic() < end:
        for completion in engine.poll():
            assert completion.id not in done
            done[completion.id] = completion
    assert len(done) == wanted and engine.poll() == []
    return done


def solved(reply, target):
    return 1.0 if reply == "SECOND" else 0.5


def twice(text):
    """Right at the second attempt."""
    return "SECOND" if "first" in text else "first"


def sessions(count):
    return [Session(index=0, seed=i) for i in range(count)]


# ---------------------------------------------------------------- replies


def test_replies_are_the_servers_tokens_and_log_probs(fake_server, connect):
    server = fake_server()
    engine = connect(server)
    ask(engine, "go", "a", seed=2**63 + 5)
    ask(engine, "longer than ten", "b", sampling=Sampling(0.0, max_tokens=10, top_p=0.5))
    done = drain(engine, 2)
    assert CODEC.text(done["a"].token_ids) == "GO" and done["a"].token_ids[-1] == CODEC.END
    assert CODEC.text(done["b"].token_ids) == "LONGER THA"
    assert [done[n].finish_reason for n in "ab"] == ["stop", "length"]
    assert done["a"].logprobs == [-0.5] * 3 and done["a"].cached_tokens == 3
    first, second = sorted(server.bodies(GENERATE)[1:], key=lambda body: body["max_tokens"])[::-1]
    assert first["prompt"] == CODEC.start("go") and first["seed"] == 5
    assert first["stop_token_ids"] == [CODEC.END] and first["temperature"] == 1.0
    assert (second["temperature"], second["top_p"], second["seed"]) == (0.0, 0.5, None)
    # a model's own defaults (generation_config.json) must not change how we sample
    assert (first["top_k"], first["min_p"], first["repetition_penalty"]) == (0, 0.0, 1.0)


def test_failures_that_pass_are_retried_with_the_same_request(fake_server, connect, make_rollout):
    """Sixty sessions of two turns: resets, errors and timeouts change nothing."""

    def episodes(failures):
        server = fake_server(twice)
        engine = connect(server, deadline=2.0, connections=16, retries=8)
        server.failures[GENERATE] = list(failures)
        rollout = make_rollout(engine, solved, SAMPLING, max_attempts=3, feedback="silent")
        return rollout.run(sessions(60)), server

    clean, before = episodes([])
    faults = ["reset", None, 500, None, (503, "busy"), None, 429, "hang", None, 408] * 5
    failed, after = episodes(faults)
    assert [e.token_ids for e in failed] == [e.token_ids for e in clean]
    assert all(e.success and len(e.attempts) == 2 for e in failed)
    sent = [sorted(map(repr, s.bodies(GENERATE))) for s in (before, after)]
    assert set(sent[0]) == set(sent[1])  # the same requests, with the same seeds
    assert len(sent[1]) == len(sent[0]) + sum(f is not None for f in faults)


def test_what_does_not_pass_is_an_error_with_the_address_and_the_last_words(fake_server, connect):
    server = fake_server()
    engine = connect(server)
    server.failures[GENERATE] = ["reset", 500, 500, (500, "CUDA out of memory")]
    ask(engine)
    with pytest.raises(EngineError) as caught:
        drain(engine, 1)
    text = str(caught.value)
    assert server.url in text and "4 attempts" in text and "CUDA out of memory" in text
    ask(engine)  # the engine itself still works
    assert drain(engine, 1)["a"].token_ids


def test_a_refused_request_is_not_repeated(fake_server, connect):
    server = fake_server()
    engine = connect(server)
    server.failures[GENERATE] = [(400, "this model's context has 20 tokens")]
    before = len(server.bodies(GENERATE))
    ask(engine)
    with pytest.raises(Refused, match=r"400: this model's context has 20 tokens"):
        drain(engine, 1)
    assert len(server.bodies(GENERATE)) == before + 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"token_ids": None}, "without token ids"),
        ({"logprobs": {"token_logprobs": [-0.5]}}, "without token ids or their log-probs"),
        ({"logprobs": {"token_logprobs": [None, -0.5, -0.5]}}, "without token ids"),
        ({"logprobs": None}, "another form"),
        ({"finish_reason": "abort"}, "gave up a reply"),
    ],
)
def test_answers_of_another_form_are_errors(fake_server, connect, change, words):
    server = fake_server()
    engine = connect(server)
    whole = server.completion

    def changed(body):
        answer = whole(body)
        answer["choices"][0].update(change)
        return answer

    server.completion = changed
    ask(engine)
    with pytest.raises(EngineError, match=words):
        drain(engine, 1)


def test_finished_replies_are_handed_over_before_an_error(fake_server, connect):
    server = fake_server()
    engine = connect(server)
    ask(engine, name="good")
    server_answered = time.monotonic() + 10
    while engine._arrived.empty() and time.monotonic() < server_answered:
        time.sleep(0.005)
    server.failures[GENERATE] = [(400, "no")]
    ask(engine, name="bad")
    while engine._arrived.qsize() < 2 and time.monotonic() < server_answered:
        time.sleep(0.005)
    assert [c.id for c in engine.poll()] == ["good"]
    with pytest.raises(EngineError):
        engine.poll()


def test_an_id_is_used_once_at_a_time(fake_server, connect):
    engine = connect(fake_server())
    ask(engine)
    with pytest.raises(EngineError, match="'a' is under way already"):
        ask(engine)
    drain(engine, 1)
    ask(engine)
    drain(engine, 1)


def test_a_cancelled_request_closes_its_connection_and_is_never_answered(fake_server, connect):
    server = fake_server()
    engine = connect(server)
    server.failures[GENERATE] = ["hang"]
    ask(engine, name="dropped")
    assert engine.poll() == []
    while not server.bodies(GENERATE)[1:]:
        time.sleep(0.005)
    engine.cancel(["dropped", "unknown"])
    assert server.hung_up.wait(5)  # the server can stop working on it
    ask(engine, "again", name="dropped")
    assert CODEC.text(drain(engine, 1)["dropped"].token_ids) == "AGAIN"


@pytest.mark.parametrize("connections", [3, 30])
def test_connections_are_limited(fake_server, connect, connections):
    server = fake_server(lambda text: time.sleep(0.01) or text)
    engine = connect(server, connections=connections)
    for i in range(30):
        ask(engine, name=str(i))
    assert len(drain(engine, 30)) == 30
    assert server.most <= 3 if connections == 3 else server.most > 3


# ---------------------------------------------------------------- a server that dies


def test_a_server_that_dies_stops_the_run_after_what_had_ended(fake_server, connect, make_rollout):
    server = fake_server(twice)
    engine = connect(server, connections=4)
    rollout = make_rollout(engine, solved, SAMPLING, max_attempts=3, feedback="silent")
    ended = []

    def keep(episode):
        ended.append(episode)
        if len(ended) == 10:
            server.stop()

    with pytest.raises(EngineError, match="no answer from http") as caught:
        rollout.run(sessions(60), on_episode=keep)
    assert "4 attempts" in str(caught.value)
    assert 10 <= len(ended) < 60 and all(e.success and len(e.attempts) == 2 for e in ended)
    assert engine._pending == {}  # nothing is left under way


def test_a_server_that_comes_back_without_its_weights_is_noticed(fake_server, connect):
    server = fake_server()
    engine = connect(server)
    engine.load_weights([("w", torch.ones(2))])
    ask(engine)
    drain(engine, 1)
    server.weight_version = "default"  # as after a restart
    server.failures[GENERATE] = ["reset"]
    ask(engine, name="retried")
    ask(engine, name="other")
    with pytest.raises(EngineError, match="no longer has the weights"):
        drain(engine, 2)
    engine.cancel(["retried", "other"])
    ask(engine, name="alone")  # without any failure: noticed when the last reply is in
    with pytest.raises(EngineError, match="no longer has the weights"):
        drain(engine, 1)


# ---------------------------------------------------------------- what the server must be


@pytest.mark.parametrize(
    ("prepare", "options", "words"),
    [
        (lambda s: None, {"model": "big"}, "serves 'tiny', not 'big'"),
        (lambda s: s.models.append({"id": "b"}), {}, "serves 'tiny', 'b', not None"),
        (lambda s: None, {"max_model_len": 4096}, "--max-model-len 4096"),
        (lambda s: setattr(s, "total", 0.5), {}, "--logprobs-mode processed_logprobs"),
    ],
)
def test_a_wrong_server_is_an_error_at_the_start(fake_server, connect, prepare, options, words):
    server = fake_server()
    prepare(server)
    with pytest.raises(EngineError, match=words):
        connect(server, **options)


def test_another_tokenizer_is_an_error_at_the_start(fake_server, connect, tiny_tokenizer):
    with pytest.raises(EngineError, match="whose tokenizer is not that of"):
        connect(fake_server(), tokenizer=tiny_tokenizer)


def test_one_of_several_models_by_name(fake_server, connect):
    server = fake_server()
    server.models.append({"id": "other", "max_model_len": None})
    engine = connect(server, model="other")
    ask(engine)
    drain(engine, 1)
    assert server.bodies(GENERATE)[-1]["model"] == "other"


def test_no_server_at_all():
    with pytest.raises(EngineError, match=r"no answer from http://127.0.0.1:9/v1/models in 2 att"):
        VLLMServerEngine("http://127.0.0.1:9", first_wait=0.0)
    with pytest.raises(ValueError, match="unknown transfer 'ftp'; choose from auto, checkpoint"):
        VLLMServerEngine("http://127.0.0.1:9", transfer="ftp")


# ---------------------------------------------------------------- weights


def test_weights_arrive_as_a_checkpoint_in_the_servers_dtype(fake_server, connect, tmp_path):
    server = fake_server()
    engine = connect(server, weights_dir=str(tmp_path))
    server.cache_held = 3  # requests that were cancelled hold on to the cache for a moment
    weights = {"a.weight": torch.rand(3, 2).T, "b": torch.rand(4)}
    engine.load_weights(weights.items())
    ((method, loaded, folder),) = server.loaded
    assert method == "corgi_load_weights" and Path(folder).parent == tmp_path
    assert list(tmp_path.iterdir()) == []  # read, so no longer needed
    assert {n: t.dtype for n, t in loaded.items()} == dict.fromkeys(weights, torch.bfloat16)
    assert all(torch.equal(loaded[n], t.bfloat16()) for n, t in weights.items())
    assert server.paths().count("/reset_prefix_cache") == 3
    assert server.weight_version != "default" and engine.version == 1
    engine.load_weights(weights.items())
    assert engine.version == 2 and len(server.loaded) == 2


def test_without_the_extension_vllm_reloads_the_folder_itself(fake_server, connect):
    server = fake_server()
    server.extension = False
    engine = connect(server)
    engine.load_weights([("b", torch.rand(4))])
    ((method, loaded, _),) = server.loaded
    assert method == "reload_weights" and loaded["b"].dtype == torch.float32


def test_a_server_that_takes_no_weights_says_how_to_start_it(fake_server, connect):
    server = fake_server()
    server.dev = False
    engine = connect(server)
    assert not engine.takes_weights
    ask(engine)
    drain(engine, 1)
    with pytest.raises(
        EngineError, match=r"VLLM_SERVER_DEV_MODE=1 and --worker-extension-cls corg"
    ):
        engine.load_weights([("b", torch.rand(4))])


def test_weights_do_not_change_under_a_reply(fake_server, connect):
    server = fake_server()
    engine = connect(server)
    server.failures[GENERATE] = ["hang"]
    ask(engine)
    with pytest.raises(EngineError, match="must not change while"):
        engine.load_weights([("b", torch.rand(4))])
    assert server.loaded == []


def test_weights_that_fail_to_load_leave_no_file(fake_server, connect, tmp_path):
    server = fake_server()
    engine = connect(server, weights_dir=str(tmp_path))
    server.failures["/collective_rpc"] = [(500, "shapes differ")] * 4
    with pytest.raises(EngineError, match="shapes differ"):
        engine.load_weights([("b", torch.rand(4))])
    assert list(tmp_path.iterdir()) == [] and engine.version == 0


def test_of_several_processes_the_first_one_loads_and_the_others_check(
    fake_server, connect, monkeypatch
):
    calls, told = [], {}

    class Process(Processes):
        def wait(self):
            calls.append(("wait", self.index))

        def from_main(self, make):
            if self.main:
                told["name"] = make()
            return told["name"]

    def as_process(index):
        monkeypatch.setattr(Processes, "current", lambda: Process(index, 2))

    def weights():
        yield "b", torch.rand(4)
        calls.append(("read", Processes.current().index))

    server = fake_server()
    first, second = connect(server), connect(server)
    for index, engine in enumerate((first, second)):
        as_process(index)
        engine.load_weights(weights())
    assert calls == [("wait", 0), ("read", 0), ("wait", 1), ("read", 1)]
    assert len(server.loaded) == 1 and first.version == second.version == 1
    for engine in (first, second):  # both know which weights their replies must be of
        ask(engine)
        drain(engine, 1)
    told["name"] = "other"  # as if the server had been restarted in between
    with pytest.raises(EngineError, match="no longer has the weights"):
        second.load_weights(weights())


def test_a_cache_that_stays_is_an_error(fake_server, connect, monkeypatch):
    from corgi_gym.agents.engines import vllm_server

    monkeypatch.setattr(vllm_server, "_CACHE_SECONDS", 0.1)
    server = fake_server()
    server.cache_held = 10**6
    with pytest.raises(EngineError, match="kept its prefix cache"):
        connect(server).load_weights([("b", torch.rand(4))])


def test_a_server_elsewhere_needs_a_folder_that_both_see(fake_server, connect):
    engine = connect(fake_server())
    engine.endpoint.host = "far.example"
    with pytest.raises(EngineError, match=r"set engine_options\.weights_dir"):
        engine.load_weights([("b", torch.rand(4))])


def test_the_temporary_folder_goes_with_the_engine(fake_server, connect):
    server = fake_server()
    engine = connect(server)
    engine.load_weights([("b", torch.rand(4))])
    folder = Path(server.loaded[0][2]).parent
    assert folder.is_dir()
    engine.close()
    engine.close()
    assert not folder.exists()


# ---------------------------------------------------------------- the connection


def test_the_key_comes_from_the_environment_and_is_in_no_message(fake_server, monkeypatch):
    server = fake_server()
    monkeypatch.setenv("SERVER_KEY", "s3cret")
    endpoint = Endpoint(server.url, api_key_env="SERVER_KEY", retries=0)
    server.failures["/v1/models"] = [(401, "Incorrect key: s3cret")]
    with pytest.raises(Refused, match=r"401: Incorrect key: \(key\)") as caught:
        endpoint.call("GET", "/v1/models")
    assert caught.value.status == 401 and "s3cret" not in str(caught.value)
    assert server.seen[0][2]["Authorization"] == "Bearer s3cret"
    endpoint.close()
    other = Endpoint(server.url)
    other.call("GET", "/v1/models")
    assert "Authorization" not in server.seen[1][2]
    other.close()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("127.0.0.1:8000", "a url such as"),
        ("ftp://x", "a url such as"),
        ("", "a url such as"),
        (8000, "a url such as"),
        ("http://me:s3cret@host", "for host holds a user name or password"),
    ],
)
def test_an_address_that_is_none(url, words):
    with pytest.raises(ValueError, match=words) as caught:
        check_url(url)
    assert "s3cret" not in str(caught.value)
    with pytest.raises(ValueError, match="connections must be at least 1, got 0"):
        Endpoint("http://127.0.0.1:9", connections=0)


def test_waits_grow_and_the_server_may_ask_for_another(fake_server, monkeypatch):
    import asyncio

    server = fake_server()
    waits = []
    real = asyncio.sleep

    async def sleep(seconds):
        waits.append(seconds)
        await real(0)

    endpoint = Endpoint(server.url, retries=4, first_wait=0.5)
    endpoint.call("GET", "/v1/models")
    monkeypatch.setattr("corgi_gym.agents.engines.endpoint.asyncio.sleep", sleep)
    server.failures["/v1/models"] = [500, 500, 429, 500]
    assert endpoint.call("GET", "/v1/models")["data"]
    assert waits == [0.0, 0.5, 1.0, 0.0, 4.0]  # 429 came with "Retry-After: 0"
    endpoint.close()


def test_an_endpoint_can_be_used_again_and_leaves_no_thread(fake_server):
    server = fake_server()
    before = threading.active_count()
    endpoint = Endpoint(server.url)
    assert endpoint.call("GET", "/v1/models")["data"]
    endpoint.close()
    endpoint.close()
    assert endpoint.call("GET", "/v1/models")["data"]
    loop = endpoint._loop
    del endpoint  # without close: as a judge that is dropped
    assert loop.is_closed()
    end = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < end:
        time.sleep(0.01)  # the server's own threads end with their connections
    assert threading.active_count() <= before


def test_the_command_names_what_the_engine_needs():
    command = serve_command("org/model", port=1234, max_model_len=9000)
    assert command[command.index("--model") + 1] == "org/model"
    assert command[command.index("--max-num-batched-tokens") + 1] == "9000"
    page = (Path(__file__).parents[2] / "docs" / "engines.md").read_text()
    assert all(flag in page for flag in command if flag.startswith("--"))
