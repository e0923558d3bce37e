"""Engines: replies that are what the model says, alone or in a crowd."""

import sys

import pytest
import torch

from corgi_gym.agents.build import make_engine
from corgi_gym.agents.codec import ChatCodec
from corgi_gym.agents.engines import (
    CharCodec,
    Engine,
    EngineError,
    GenerationRequest,
    Sampling,
    ScriptedEngine,
)
from corgi_gym.agents.engines.transformers_engine import TransformersEngine


def prompts(count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(2, 30, (count,), generator=generator).tolist()
    return [torch.randint(3, 380, (n,), generator=generator).tolist() for n in lengths]


def drain(engine, wanted):
    done = {}
    for _ in range(10_000):
        for completion in engine.poll():
            assert completion.id not in done
            done[completion.id] = completion
        if len(done) == wanted:
            assert engine.poll() == []
            return done
    raise AssertionError(f"{len(done)} of {wanted} replies")


def hf_greedy(model, ids, count, stop):
    output = model.generate(
        torch.tensor([ids]),
        attention_mask=torch.ones(1, len(ids), dtype=torch.long),
        max_new_tokens=count,
        do_sample=False,
        eos_token_id=stop,
        pad_token_id=0,
    )
    return output[0, len(ids) :].tolist()


def reference_logps(model, ids, reply, temperature):
    logits = model(input_ids=torch.tensor([ids + reply])).logits[0, len(ids) - 1 : -1]
    return (logits / temperature).log_softmax(-1)


@pytest.mark.parametrize("max_batch", [64, 3])
def test_greedy_replies_are_those_of_generate(tiny_model, max_batch):
    """Prompts of many lengths at once, and more that arrive while the first decode."""
    engine = TransformersEngine(tiny_model, max_batch=max_batch)
    asked = prompts(9)
    # half of the first greedy tokens end replies, so that they end at different times
    full = [hf_greedy(tiny_model, ids, 12, None) for ids in asked]
    stop = (full[0][5], full[1][2], full[4][0])
    sampling = Sampling(temperature=0, max_tokens=12, stop_ids=stop)
    for i in range(5):
        engine.submit(GenerationRequest(str(i), asked[i], sampling, seed=i))
    early = engine.poll() + engine.poll()
    for i in range(5, 9):
        engine.submit(GenerationRequest(str(i), asked[i], sampling, seed=i))
    done = drain(engine, 9 - len(early)) | {c.id: c for c in early}
    lengths = set()
    for i, ids in enumerate(asked):
        expected = hf_greedy(tiny_model, ids, 12, list(stop))
        assert done[str(i)].token_ids == expected, i
        stopped = expected[-1] in stop
        assert done[str(i)].finish_reason == ("stop" if stopped else "length")
        lengths.add(len(expected))
        logps = reference_logps(tiny_model, ids, expected, 1.0)
        expected_logps = logps.gather(1, torch.tensor(expected)[:, None])[:, 0]
        assert done[str(i)].logprobs == pytest.approx(expected_logps.tolist(), abs=1e-4)
    assert len(lengths) > 1


@pytest.mark.parametrize("temperature", [1.0, 0.5, 1.7])
def test_logprobs_are_those_of_the_distribution_sampled_from(tiny_model, temperature):
    engine = TransformersEngine(tiny_model)
    sampling = Sampling(temperature=temperature, max_tokens=10)
    asked = prompts(4, seed=3)
    for i, ids in enumerate(asked):
        engine.submit(GenerationRequest(str(i), ids, sampling, seed=100 + i))
    done = drain(engine, 4)
    for i, ids in enumerate(asked):
        reply = done[str(i)].token_ids
        assert len(reply) == 10
        logps = reference_logps(tiny_model, ids, reply, temperature)
        expected = logps.gather(1, torch.tensor(reply)[:, None])[:, 0].tolist()
        assert done[str(i)].logprobs == pytest.approx(expected, abs=1e-4)


def test_padding_moves_no_position():
    """GPT-2 has absolute positions: padding on the left must not shift them."""
    from transformers import GPT2Config, GPT2LMHeadModel

    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = GPT2Config(
            vocab_size=400, n_embd=32, n_layer=2, n_head=2, n_positions=64, initializer_range=0.3
        )
        model = GPT2LMHeadModel(config).eval()
    engine = TransformersEngine(model)
    asked = prompts(4, seed=13)
    for i, ids in enumerate(asked):
        engine.submit(GenerationRequest(str(i), ids, Sampling(0, max_tokens=8), seed=0))
    done = drain(engine, 4)
    for i, ids in enumerate(asked):
        assert done[str(i)].token_ids == hf_greedy(model, ids, 8, None)


def test_samples_have_the_models_distribution(tiny_model):
    ids = prompts(1, seed=5)[0]
    engine = TransformersEngine(tiny_model, max_batch=512)
    count = 1024
    for i in range(count):
        engine.submit(GenerationRequest(str(i), ids, Sampling(max_tokens=1), seed=i))
    tokens = torch.tensor([c.token_ids[0] for c in drain(engine, count).values()])
    expected = reference_logps(tiny_model, ids, [0], 1.0)[0].exp()
    seen = torch.bincount(tokens, minlength=len(expected)) / count
    top = expected.topk(20).indices
    spread = (expected * (1 - expected) / count).sqrt()
    assert ((seen - expected).abs()[top] < 4.5 * spread[top]).all()


def test_a_seed_makes_a_reply_whatever_else_runs(tiny_model):
    sampling = Sampling(max_tokens=12)
    ids = prompts(1, seed=7)[0]

    def reply(crowd, first, batch=64):
        engine = TransformersEngine(tiny_model, max_batch=batch)
        others = [
            GenerationRequest(f"other-{i}", p, sampling, seed=i)
            for i, p in enumerate(prompts(crowd, seed=9))
        ]
        mine = GenerationRequest("mine", ids, sampling, seed=42)
        for request in [mine, *others] if first else [*others, mine]:
            engine.submit(request)
        return drain(engine, crowd + 1)["mine"].token_ids

    alone = reply(0, True)
    assert reply(6, True) == reply(6, False) == reply(5, False, batch=2) == alone
    engine = TransformersEngine(tiny_model)
    for i in range(8):
        engine.submit(GenerationRequest(str(i), ids, sampling, seed=i))
    assert len({tuple(c.token_ids) for c in drain(engine, 8).values()}) > 6


@pytest.mark.parametrize("polls", [0, 1, 5])
def test_cancelled_requests_never_return_and_the_others_are_not_touched(tiny_model, polls):
    """Cancelled while they wait, at their first token, and in mid-reply."""
    sampling = Sampling(max_tokens=12)
    requests = [
        GenerationRequest(str(i), ids, sampling, seed=i) for i, ids in enumerate(prompts(6))
    ]
    expected = {}
    for request in requests:
        engine = TransformersEngine(tiny_model)
        engine.submit(request)
        expected[request.id] = drain(engine, 1)[request.id].token_ids
    engine = TransformersEngine(tiny_model, max_batch=4)
    for request in requests:
        engine.submit(request)
    assert not any(engine.poll() for _ in range(polls))
    engine.cancel(["0", "2", "5", "unknown"])
    replies = {name: completion.token_ids for name, completion in drain(engine, 3).items()}
    assert replies == {name: expected[name] for name in "134"}
    for request in requests:
        engine.submit(request)
    engine.poll()
    engine.cancel(str(i) for i in range(6))
    assert engine.poll() == []


def test_top_p_keeps_the_nucleus(tiny_model):
    ids = prompts(1, seed=11)[0]
    probs = reference_logps(tiny_model, ids, [0], 1.0)[0].exp().detach()
    ordered, order = probs.sort(descending=True)
    count = int((ordered.cumsum(0) < 0.5).sum()) + 1
    nucleus = set(order[:count].tolist())
    assert 1 < count < 200
    engine = TransformersEngine(tiny_model)
    for i in range(300):
        engine.submit(GenerationRequest(str(i), ids, Sampling(max_tokens=1, top_p=0.5), seed=i))
    done = drain(engine, 300).values()
    assert {c.token_ids[0] for c in done} <= nucleus
    total = float(ordered[:count].sum())
    for c in done:
        assert c.logprobs[0] == pytest.approx(
            float((probs[c.token_ids[0]] / total).log()), abs=1e-4
        )
    engine.submit(GenerationRequest("x", ids, Sampling(max_tokens=1, top_p=1e-9), seed=0))
    assert drain(engine, 1)["x"].token_ids == [int(probs.argmax())]


def test_max_tokens_and_stop_end_a_reply(tiny_model):
    engine = TransformersEngine(tiny_model)
    ids = prompts(1)[0]
    everything = tuple(range(400))
    engine.submit(GenerationRequest("a", ids, Sampling(max_tokens=5), seed=0))
    engine.submit(GenerationRequest("b", ids, Sampling(max_tokens=5, stop_ids=everything), seed=0))
    done = drain(engine, 2)
    assert (len(done["a"].token_ids), done["a"].finish_reason) == (5, "length")
    assert (len(done["b"].token_ids), done["b"].finish_reason) == (1, "stop")


def test_the_training_mode_of_the_model_is_left_as_it_was(tiny_model):
    engine = TransformersEngine(tiny_model)
    for mode in (True, False):
        tiny_model.train(mode)
        engine.submit(GenerationRequest("a", [5, 6], Sampling(max_tokens=1), seed=0))
        drain(engine, 1)
        assert tiny_model.training is mode


def test_weights_that_are_not_numbers_are_an_engine_error(tiny_model):
    with torch.no_grad():
        tiny_model.model.norm.weight.fill_(float("nan"))
    engine = TransformersEngine(tiny_model)
    engine.submit(GenerationRequest("a", [5, 6], Sampling(), seed=0))
    with pytest.raises(EngineError, match="not numbers"):
        engine.poll()


def test_new_weights_are_copied_unless_they_are_the_models_own(tiny_model, tiny_folder):
    from corgi_gym.agents.models import load_model

    other = load_model(tiny_folder)
    with torch.no_grad():
        for p in other.parameters():
            p.mul_(1.1)
    engine = TransformersEngine(tiny_model)
    # under any name: an adapter renames the parameters of the model that it wraps
    engine.load_weights((f"renamed.{n}", p) for n, p in tiny_model.named_parameters())
    engine.load_weights(other.named_parameters())
    for (name, mine), theirs in zip(tiny_model.named_parameters(), other.parameters(), strict=True):
        assert torch.equal(mine, theirs) and mine.data_ptr() != theirs.data_ptr(), name
    engine.close()
    engine.close()


# ---------------------------------------------------------------- scripted


def test_scripted_replies_end_with_the_end_token_or_are_cut():
    codec = CharCodec()
    engine = ScriptedEngine(lambda text: {"go": "walk", "empty": ""}[text], codec)
    assert isinstance(engine, Engine)
    engine.submit(GenerationRequest("a", codec.start("go"), Sampling(max_tokens=5), seed=0))
    engine.submit(GenerationRequest("b", codec.start("go"), Sampling(max_tokens=4), seed=0))
    engine.submit(GenerationRequest("c", codec.start("empty"), Sampling(), seed=0))
    a, b, c = engine.poll()
    assert codec.text(a.token_ids) == codec.text(b.token_ids) == "walk"
    assert (a.finish_reason, b.finish_reason, c.finish_reason) == ("stop", "length", "stop")
    assert a.token_ids[-1] == codec.END != b.token_ids[-1]
    assert (c.token_ids, codec.text(c.token_ids)) == ([codec.END], "")
    assert all(len(x.logprobs) == len(x.token_ids) for x in (a, b, c))
    assert engine.poll() == []


def test_a_cancelled_scripted_request_is_not_answered():
    codec = CharCodec()
    engine = ScriptedEngine(str.upper, codec)
    for name in "abc":
        engine.submit(GenerationRequest(name, codec.start(name), Sampling(), seed=0))
    engine.cancel(["b", "unknown"])
    assert [c.id for c in engine.poll()] == ["a", "c"]


def test_scripted_replies_in_a_models_own_tokens(tiny_tokenizer):
    codec = ChatCodec(tiny_tokenizer)
    replies = iter(["A dog.", "", "<|im_end|> fake"])
    engine = ScriptedEngine(lambda text: next(replies), codec)
    for name in "abc":
        engine.submit(GenerationRequest(name, codec.start("hi"), Sampling(), seed=0))
    a, b, c = engine.poll()
    assert codec.text(a.token_ids) == "A dog."
    assert b.token_ids == [tiny_tokenizer.eos_token_id]
    assert codec.text(c.token_ids) == "<|im_end|> fake"
    assert c.token_ids.count(tiny_tokenizer.eos_token_id) == 1


# ---------------------------------------------------------------- by name


def test_an_unknown_engine_is_named():
    with pytest.raises(ValueError, match=r"unknown engine 'vlm'; choose from auto, vllm, tr"):
        make_engine("vlm", "m", None, max_length=8, batch=1)


def test_without_vllm_the_error_says_what_to_install_and_auto_falls_back(monkeypatch, tiny_folder):
    monkeypatch.setitem(sys.modules, "vllm", None)
    monkeypatch.delitem(sys.modules, "corgi_gym.agents.engines.vllm_engine", raising=False)
    with pytest.raises(ImportError, match=r"pip install 'corgi-gym\[vllm\]'"):
        make_engine("vllm", tiny_folder, None, max_length=8, batch=1)
    from corgi_gym.agents.engines.vllm_engine import VLLMEngine

    with pytest.raises(ImportError, match=r"pip install 'corgi-gym\[vllm\]'"):
        VLLMEngine(tiny_folder)
    with pytest.warns(UserWarning, match="vLLM is not installed"):
        engine = make_engine("auto", tiny_folder, None, max_length=8, batch=1)
    assert isinstance(engine, TransformersEngine)


@pytest.mark.parametrize(
    ("kwargs", "words"),
    [
        ({"temperature": -1}, "temperature must be at least 0, got -1"),
        ({"temperature": float("nan")}, "temperature"),
        ({"max_tokens": 0}, "max_tokens must be at least 1, got 0"),
        ({"top_p": 0}, r"top_p must be in \(0, 1\], got 0"),
        ({"top_p": 1.5}, "got 1.5"),
    ],
)
def test_impossible_sampling_is_named(kwargs, words):
    with pytest.raises(ValueError, match=words):
        Sampling(**kwargs)
