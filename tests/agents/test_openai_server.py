"""Evaluation behind a chat endpoint: messages out, text in, and no training."""

import json

import pytest

from corgi_gym.__main__ import main
from corgi_gym.agents.build import check_engine
from corgi_gym.agents.engines import EngineError, GenerationRequest, Sampling
from corgi_gym.agents.engines.endpoint import chat_reply
from corgi_gym.agents.engines.openai_engine import OpenAIEngine, TextCodec
from corgi_gym.agents.rollout import Session

CHAT = "/v1/chat/completions"
RECIPE = """
name: tiny
engine: transformers
env: {id: ConstrainedGen-v0, kwargs: {tasks: [num_planning], feedback: silent}}
evaluation: {tasks: 5, attempts: 2}
sampling: {max_tokens: 30, max_length: 128}
"""


@pytest.fixture
def connect():
    """A function: an engine on a fake server; all are closed after the test."""
    made = []

    def connect(server, **options):
        options = {"first_wait": 0.005, "retries": 2, **options}
        made.append(OpenAIEngine(f"{server.url}/v1", "tiny", **options))
        return made[-1]

    yield connect
    for engine in made:
        engine.close()


def shorter(reply, target):
    return 1.0 if reply == "second" else 0.5


def test_a_session_is_a_growing_chat(fake_server, connect, make_rollout):
    replies = {"Say hi.": " first\n"}
    server = fake_server(lambda text: replies.get(text, "second"))
    rollout = make_rollout(
        connect(server, system="Be brief."), shorter, Sampling(0.0, max_tokens=20),
        codec=TextCodec(), max_attempts=3,
    )  # fmt: skip
    (episode,) = rollout.run([Session(index=0, seed=3)])
    assert [a.reply for a in episode.attempts] == ["first", "second"] and episode.success
    assert set(episode.logprobs) == {0.0}
    first, second = server.bodies(CHAT)
    assert first["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Say hi."},
    ]
    assert second["messages"][:2] == first["messages"]
    assert second["messages"][1:] == episode.messages[:3]
    assert (first["model"], first["temperature"], first["max_tokens"]) == ("tiny", 0.0, 20)
    assert first["seed"] != second["seed"]


@pytest.mark.parametrize("text", ["", "  ", "ü 東京 \U0001f415", "\ud800 alone"])
def test_any_text_comes_back_and_goes_out_again(fake_server, connect, text):
    server = fake_server(lambda _: text)
    engine, codec = connect(server), TextCodec()
    ids = codec.start("go")
    engine.submit(GenerationRequest("a", ids, Sampling(), 0))
    done = []
    while not done:
        done = engine.poll()
    assert codec.text(done[0].token_ids) == text.strip() and done[0].finish_reason == "stop"
    ids += done[0].token_ids + codec.follow_up("again", done[0].token_ids)
    engine.submit(GenerationRequest("b", ids, Sampling(), 0))
    while not engine.poll():
        pass
    sent = server.bodies(CHAT)[1]["messages"]
    assert [m["role"] for m in sent] == ["user", "assistant", "user"]
    assert sent[1]["content"] == text.strip().replace("\ud800", "?")


def test_a_reply_that_was_cut_is_marked(fake_server, connect):
    engine, codec = connect(fake_server(lambda text: "x" * 50)), TextCodec()
    engine.submit(GenerationRequest("a", codec.start("go"), Sampling(max_tokens=8), 0))
    done = []
    while not done:
        done = engine.poll()
    assert codec.text(done[0].token_ids) == "x" * 8 and done[0].finish_reason == "length"
    assert done[0].token_ids[-1] != codec.END


@pytest.mark.parametrize("reason", ["length", "content_filter"])
def test_a_completion_without_text_is_an_empty_reply(fake_server, connect, reason, monkeypatch):
    """A refusal, or a reasoning model whose tokens were used up: the other sessions go on."""
    engine, codec = connect(fake_server()), TextCodec()
    silent = {"choices": [{"message": {"content": None}, "finish_reason": reason}]}

    async def answer(*args):
        return silent, {}

    monkeypatch.setattr(engine.endpoint, "request", answer)
    engine.submit(GenerationRequest("a", codec.start("go"), Sampling(max_tokens=8), 0))
    done = []
    while not done:
        done = engine.poll()
    assert codec.text(done[0].token_ids) == "" and len(done[0].token_ids) == 1
    with pytest.raises(EngineError, match="answered without text"):
        chat_reply("http://x", silent)


def test_fields_of_a_request_can_be_added_and_removed(fake_server, connect):
    server = fake_server()
    engine = connect(server, extra={"max_tokens": None, "max_completion_tokens": 99, "seed": None})
    engine.submit(GenerationRequest("a", TextCodec().start("go"), Sampling(), 0))
    while not engine.poll():
        pass
    (body,) = server.bodies(CHAT)
    assert body["max_completion_tokens"] == 99 and not {"max_tokens", "seed"} & set(body)


def test_it_takes_no_weights(fake_server, connect):
    with pytest.raises(EngineError, match="evaluation only"):
        connect(fake_server()).load_weights([])


# ---------------------------------------------------------------- from the command line


@pytest.fixture
def recipe_file(tmp_path):
    """A recipe with five tasks of two attempts."""
    path = tmp_path / "tiny.yaml"
    path.write_text(RECIPE)
    return str(path)


def test_evaluate_from_the_command_line(fake_server, recipe_file, capsys):
    server = fake_server(lambda text: "No idea, sorry.")
    options = ["--engine", "openai", "--url", f"{server.url}/v1", "--model", "tiny", "--json"]
    assert main(["evaluate", recipe_file, *options]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["model"] == "tiny" and result["tasks"] == 5
    assert result["success"] == [0.0, 0.0] and result["repeats"] == 1.0
    assert len(server.bodies(CHAT)) == 10
    # prompts are longer than 128 characters: the limit is in tokens
    assert any(len(b["messages"][-1]["content"]) > 128 for b in server.bodies(CHAT))


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["evaluate", "--engine", "openai"], 2, "needs engine_options.url (--url)"),
        (["evaluate", "--engine", "vllm-server"], 2, "needs engine_options.url (--url)"),
        (["evaluate", "--engine", "openai", "--url", "host"], 2, "a url such as"),
        (["evaluate", "--engine", "openai", "--url", "http://127.0.0.1:9"], 1, "no answer from"),
        (["evaluate", "--url", "http://127.0.0.1:9"], 2, "'url' for engine 'transformers'"),
        (["train", "--engine", "openai", "--url", "http://127.0.0.1:9"], 2, "evaluation only"),
        (
            ["evaluate", "--engine", "vllm-server", "--set", "engine_options.ulr=x"], 2,
            "did you mean 'url'?",
        ),
    ],
)  # fmt: skip
def test_what_cannot_work_is_said_before_anything_is_loaded(
    recipe_file, capsys, arguments, status, words
):
    command, *options = arguments
    assert main([command, recipe_file, *options]) == status
    assert words in capsys.readouterr().err


def test_a_wrong_key_is_said_and_a_missing_list_of_models_is_not_an_error(fake_server):
    server = fake_server()
    server.failures["/v1/models"] = [401, 404]
    options = {"url": f"{server.url}/v1"}
    with pytest.raises(EngineError, match="401"):
        check_engine("openai", options)
    check_engine("openai", options)
    check_engine("vllm-server", options)
    assert server.paths() == ["/v1/models"] * 3
