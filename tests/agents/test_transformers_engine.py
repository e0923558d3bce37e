"""Continuous slots: any crowd, any order, any history, and the same tokens."""

import random

import pytest
import torch

from corgi_gym.agents.build import make_engine
from corgi_gym.agents.codec import ChatCodec
from corgi_gym.agents.engines import EngineError, GenerationRequest, Sampling, ScriptedEngine
from corgi_gym.agents.engines.sampling import sample
from corgi_gym.agents.engines.slot_cache import SlotCache
from corgi_gym.agents.engines.transformers_engine import TransformersEngine
from corgi_gym.agents.rollout import Rollout, Session
from corgi_gym.envs import GuidedEnv


def prompt(length, seed):
    return torch.randint(3, 380, (length,), generator=torch.Generator().manual_seed(seed)).tolist()


def drain(engine, wanted):
    done = {}
    for _ in range(2_000):
        done.update((c.id, c) for c in engine.poll())
        if len(done) == wanted:
            return done
    raise AssertionError(f"{len(done)} of {wanted} replies")


class Counting:
    """A model that counts the tokens it computes (padding included) and its passes."""

    def __init__(self, model):
        self.model, self.tokens, self.passes = model, 0, 0

    def __getattr__(self, name):
        return getattr(self.model, name)

    def __call__(self, **kwargs):
        self.tokens += kwargs["input_ids"].numel()
        self.passes += 1
        return self.model(**kwargs)


def alone(model, request):
    engine = TransformersEngine(model, max_batch=1)
    engine.submit(request)
    return drain(engine, 1)[request.id]


def test_a_free_slot_is_filled_while_the_others_decode(tiny_model):
    engine = TransformersEngine(tiny_model, max_batch=2)
    for name, tokens in (("long", 12), ("short", 3), ("next", 4)):
        engine.submit(GenerationRequest(name, prompt(5, len(name)), Sampling(max_tokens=tokens), 0))
    ended = [[c.id for c in engine.poll()] for _ in range(12)]
    assert ended[2] == ["short"] and ended[6] == ["next"] and ended[11] == ["long"]


@pytest.mark.parametrize("max_batch", [1, 3, 8])
def test_conversations_that_come_and_go_at_random(tiny_model, max_batch):
    """Turns, forks of other conversations, repeats and cancelled requests, against each alone."""
    rng = random.Random(max_batch)
    engine = TransformersEngine(tiny_model, max_batch=max_batch)
    conversations = [prompt(rng.randint(1, 70), seed) for seed in range(4)]
    asked, done, under_way = {}, {}, set()
    for number in range(24):
        ids = rng.choice(conversations)
        if rng.random() < 0.3:  # a fork
            ids = ids[: rng.randint(1, len(ids))]
        ids = [*ids, *prompt(rng.randint(0, 6), 100 + number)]
        sampling = Sampling(
            temperature=rng.choice([0.0, 1.0]), max_tokens=rng.randint(1, 9), stop_ids=(7, 9)
        )
        request = GenerationRequest(str(number), ids, sampling, seed=number)
        asked[request.id] = request
        under_way.add(request.id)
        engine.submit(request)
        if rng.random() < 0.15:
            engine.cancel([request.id])
            under_way.discard(request.id)
        for _ in range(rng.randint(0, 5)):
            for completion in engine.poll():
                under_way.discard(completion.id)
                done[completion.id] = completion
                conversations.append([*asked[completion.id].prompt_ids, *completion.token_ids])
    done |= drain(engine, len(under_way)) if under_way else {}
    assert len(done) > 15
    for name, completion in done.items():
        expected = alone(tiny_model, asked[name])
        assert completion.token_ids == expected.token_ids, name
        assert completion.finish_reason == expected.finish_reason
        assert completion.logprobs == pytest.approx(expected.logprobs, abs=1e-4)
    assert any(c.cached_tokens for c in done.values())


def test_the_next_turn_of_a_session_computes_its_new_tokens_only(tiny_model):
    model = Counting(tiny_model)
    engine = TransformersEngine(model)
    first = prompt(40, 0)
    engine.submit(GenerationRequest("a", first, Sampling(max_tokens=6), 0))
    reply = drain(engine, 1)["a"]
    assert reply.cached_tokens == 0 and model.tokens == 40 + 5
    second = [*first, *reply.token_ids, *prompt(10, 1)]
    model.tokens = 0
    engine.submit(GenerationRequest("a", second, Sampling(max_tokens=1), 0))
    again = drain(engine, 1)["a"]
    # all but the last token of the reply, which was sampled and never read
    assert again.cached_tokens == 45 and model.tokens == 56 - 45
    request = GenerationRequest("a", second, Sampling(max_tokens=1), 0)
    assert again.token_ids == alone(tiny_model, request).token_ids


def test_equal_prompts_are_computed_once(tiny_model):
    """The samples of one task: the prompt's cost does not grow with their number."""
    model = Counting(tiny_model)
    engine = TransformersEngine(model, max_batch=8)
    ids = prompt(30, 0)
    requests = [GenerationRequest(str(i), ids, Sampling(max_tokens=4), i) for i in range(8)]
    for request in requests:
        engine.submit(request)
    done = drain(engine, 8)
    assert model.tokens == 29 + 8 * 4
    assert sorted(c.cached_tokens for c in done.values()) == [0] + [29] * 7
    for request in requests:
        assert done[request.id].token_ids == alone(tiny_model, request).token_ids
    # and one that comes later copies it too
    model.tokens = 0
    engine.submit(GenerationRequest("late", [*ids, 5], Sampling(max_tokens=1), 9))
    assert drain(engine, 1)["late"].cached_tokens == 30 and model.tokens == 1


def test_many_prompts_are_computed_in_passes_of_bounded_size(tiny_model, monkeypatch):
    monkeypatch.setattr("corgi_gym.agents.engines.transformers_engine._PREFILL_TOKENS", 50)
    model = Counting(tiny_model)
    engine = TransformersEngine(model)
    requests = [
        GenerationRequest(str(i), prompt(1 + 9 * i, i), Sampling(0.0, max_tokens=1), i)
        for i in range(8)
    ]
    for request in requests:
        engine.submit(request)
    done = drain(engine, 8)
    assert model.passes == 1 + 6  # 63, 54, 45, 36, 27, then 18 with 9; and the last tokens
    for request in requests:
        assert done[request.id].token_ids == alone(tiny_model, request).token_ids


# ---------------------------------------------------------------- weights


def reply_of(engine):
    engine.submit(GenerationRequest("a", prompt(20, 0), Sampling(max_tokens=8), 3))
    return drain(engine, 1)["a"]


@pytest.mark.parametrize("how", ["sync", "in place", "optimizer"])
def test_nothing_of_the_old_weights_is_used_with_new_ones(tiny_model, how):
    engine = TransformersEngine(tiny_model)
    before = reply_of(engine)
    if how == "optimizer":
        optimizer = torch.optim.AdamW(tiny_model.parameters(), lr=0.1, fused=True)
        tiny_model(input_ids=torch.tensor([prompt(5, 1)])).logits.sum().backward()
        optimizer.step()
    else:
        with torch.no_grad():
            for parameter in tiny_model.parameters():
                (parameter if how == "in place" else parameter.data).mul_(1.3)
    if how == "sync":
        engine.load_weights(tiny_model.named_parameters())
        assert engine.version == 1
    after = reply_of(engine)
    assert after.cached_tokens == 0
    fresh = reply_of(TransformersEngine(tiny_model))
    assert (after.token_ids, after.logprobs) == (fresh.token_ids, fresh.logprobs)
    assert after.logprobs != before.logprobs


@pytest.mark.parametrize("kind", ["transformers", "scripted"])
def test_weights_do_not_change_while_replies_are_under_way(tiny_model, kind):
    engine = TransformersEngine(tiny_model) if kind == "transformers" else ScriptedEngine(str)
    request = GenerationRequest("a", [5, 6], Sampling(max_tokens=3), 0)
    engine.submit(request)
    with pytest.raises(EngineError, match="must not change while replies"):
        engine.load_weights([])
    if kind == "transformers":
        engine.poll()
        with pytest.raises(EngineError, match="must not change while replies"):
            engine.load_weights([])
    engine.cancel(["a"])
    assert engine.version == 0
    engine.load_weights([])
    assert engine.version == 1


def test_sleep_frees_what_is_kept_unless_something_is_under_way(tiny_model):
    engine = TransformersEngine(tiny_model)
    first = reply_of(engine)
    assert engine._cache.layers
    engine.sleep()
    assert engine._kept is None and not engine._slots
    engine.submit(GenerationRequest("b", prompt(20, 0), Sampling(max_tokens=8), 3))
    engine.poll()
    engine.sleep()
    assert drain(engine, 1)["b"].token_ids == first.token_ids


def test_memory_grows_with_the_crowd_and_the_longest_conversation(tiny_model):
    engine = TransformersEngine(tiny_model, max_batch=6)
    for count, length, rows, columns in ((1, 10, 1, 64), (2, 70, 2, 128), (3, 5, 4, 128)):
        for i in range(count):
            ids = prompt(length, 10 * count + i)
            engine.submit(GenerationRequest(str(i), ids, Sampling(max_tokens=2), 0))
        drain(engine, count)
        shape = engine._cache.layers[0].keys.shape
        assert shape[0] >= rows and shape[2] == columns + 1
    for i in range(20):
        engine.submit(GenerationRequest(str(i), prompt(3, i), Sampling(max_tokens=2), 0))
    drain(engine, 20)
    assert engine._cache.layers[0].keys.shape[0] == 6


# ---------------------------------------------------------------- models


def small_model(name, **kwargs):
    import transformers

    config = getattr(transformers, f"{name}Config")(
        vocab_size=400, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=1, initializer_range=0.3, **kwargs,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return getattr(transformers, f"{name}ForCausalLM")(config).eval()


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_a_sliding_window_longer_than_the_conversations_changes_nothing(attention):
    model = small_model("Mistral", sliding_window=32, attn_implementation=attention)
    engine = TransformersEngine(model)
    ids = prompt(20, 0)
    engine.submit(GenerationRequest("a", ids, Sampling(0.0, max_tokens=12), 0))
    expected = model.generate(
        torch.tensor([ids]), max_new_tokens=12, do_sample=False, eos_token_id=None, pad_token_id=0
    )[0, 20:].tolist()
    assert drain(engine, 1)["a"].token_ids == expected
    with pytest.raises(ValueError, match="of 33 tokens exceeds the sliding window of 32"):
        engine.submit(GenerationRequest("b", ids, Sampling(0.0, max_tokens=13), 0))


def test_models_that_cannot_be_kept_in_slots_are_named():
    class Odd:
        device, dtype = torch.device("cpu"), torch.float32

        def __init__(self, **kwargs):
            for name, value in kwargs.items():
                setattr(self, name, value)
            self.config = self

        def get_text_config(self, decoder):
            return self

    for fields, what in (
        ({"layer_types": ["linear_attention"], "_attn_implementation": "eager"}, "linear_attentio"),
        ({"_attn_implementation": "flash_attention_2"}, "attention 'flash_attention_2'"),
    ):
        with pytest.raises(ValueError, match=f"cannot generate with .*{what}.*engine='vllm'"):
            SlotCache(Odd(**fields), 4)


# ---------------------------------------------------------------- sampling


def test_one_uniform_number_decides_by_the_distribution_function():
    probabilities = torch.tensor([0.1, 0.2, 0.0, 0.7])
    uniforms = torch.tensor([0.0, 0.0999, 0.1001, 0.2999, 0.3001, 1 - 2**-24])
    rows = probabilities.log().repeat(len(uniforms), 1)
    tokens, logprobs = sample(rows, [Sampling()] * len(uniforms), uniforms)
    assert tokens == [0, 0, 1, 1, 3, 3]
    assert logprobs == pytest.approx([float(probabilities[t].log()) for t in tokens], abs=1e-5)


def test_every_row_has_its_own_sampling():
    logits = torch.tensor([[0.0, 1.0, 2.0, -30.0]]).repeat(4, 1)
    samplings = [
        Sampling(0.0),
        Sampling(1.0),
        Sampling(0.5, top_p=0.6),
        Sampling(2.0, top_p=1.0),
    ]
    tokens, logprobs = sample(logits, samplings, torch.tensor([0.01, 0.01, 0.99, 1 - 2**-24]))
    assert tokens[:3] == [2, 0, 2]
    assert logprobs[0] == pytest.approx(float(logits[0].log_softmax(0)[2]))
    assert logprobs[2] == 0.0  # alone in its nucleus
    expected = (logits[3] / 2).log_softmax(0)[tokens[3]]
    assert logprobs[3] == pytest.approx(float(expected))


# ---------------------------------------------------------------- sessions


def test_a_rollout_reuses_the_conversation_of_every_session(tiny_model, tiny_tokenizer):
    engine = TransformersEngine(tiny_model, max_batch=4)
    seen = []
    poll = engine.poll
    engine.poll = lambda: seen.extend(done := poll()) or done
    rollout = Rollout(
        lambda: GuidedEnv("countdown", max_attempts=3), engine, ChatCodec(tiny_tokenizer),
        Sampling(max_tokens=6), max_length=2_000, concurrency=4,
    )  # fmt: skip
    episodes = rollout.run([Session(i, seed=i) for i in range(4)])
    turns = sum(len(e.attempts) for e in episodes)
    assert turns == len(seen) == 12
    # each later turn reuses all that was computed before it
    before = sum(end - 1 for e in episodes for end in e.turn_ends[:-1])
    assert sum(c.cached_tokens for c in seen) >= before


def test_replies_are_the_same_before_and_after_the_model_is_prepared_for_training(
    tiny_model, make_tiny_trainer
):
    """accelerate leaves its autocast on a model; evaluations before and after must be alike."""

    def answers(engine):
        engine.load_weights([])
        for i in range(4):
            sampling = Sampling(temperature=i % 2, max_tokens=12)
            engine.submit(GenerationRequest(str(i), prompt(9, i), sampling, seed=i))
        return {name: (c.token_ids, c.logprobs) for name, c in drain(engine, 4).items()}

    def make(bf16):
        return make_engine("transformers", "tiny", tiny_model, max_length=99, batch=4, bf16=bf16)

    engine = make(True)
    before, exact = answers(engine), answers(make(False))
    trainer = make_tiny_trainer(
        tiny_model,
        lambda: GuidedEnv(prompts=["Say a."], checker=lambda reply, target: 0.5),
        {"rounds": 1, "sessions": 4, "num_generations": 2, "updates": 1, "micro_batch": 4},
        engine=engine,
    )
    trainer.accelerator.prepare_model(trainer.model)
    assert answers(engine) == before != exact
    assert answers(make(False)) != exact  # what accelerate does to a model that is asked plainly
