"""New weights arrive in the engine, or the run stops."""

import copy

import pytest
import torch

from corgi_gym.agents.codec import ChatCodec
from corgi_gym.agents.engines import EngineError
from corgi_gym.agents.engines.pieces import PieceEngine
from corgi_gym.agents.engines.transformers_engine import TransformersEngine
from corgi_gym.agents.sync import _named_weights, engine_weights, parity, sync_weights

PROMPTS = [[5, 60, 70, i] for i in range(8)]


class Stale(TransformersEngine):
    """Accepts new weights and drops them, as a broken sync does."""

    def load_weights(self, named_params):
        list(named_params)


def perturb(model, size):
    """A step of the size that an optimizer makes in many."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(size * torch.randn(p.shape, generator=generator))


def test_the_same_weights_agree(tiny_model):
    # the engine decodes in float32, the probe scores in bf16 as training does
    assert 0 < parity(tiny_model, TransformersEngine(tiny_model), PROMPTS) < 0.03
    assert sync_weights(tiny_model, TransformersEngine(tiny_model), PROMPTS) < 0.03


def test_a_model_that_is_trained_in_float32_is_probed_in_float32(tiny_model):
    assert parity(tiny_model, TransformersEngine(tiny_model), PROMPTS, bf16=False) < 1e-5
    assert sync_weights(tiny_model, TransformersEngine(tiny_model), PROMPTS, bf16=False) < 1e-5


def test_a_reply_of_several_pieces_is_no_mismatch(tiny_model, tiny_tokenizer):
    codec = ChatCodec(tiny_tokenizer)
    engine = PieceEngine(TransformersEngine(tiny_model), codec, lambda text: False, piece_tokens=3)
    assert sync_weights(tiny_model, engine, PROMPTS) < 0.03
    perturb(tiny_model, 0.03)
    left_behind = PieceEngine(Stale(copy.deepcopy(tiny_model)), codec, lambda text: False)
    perturb(tiny_model, 0.03)
    with pytest.raises(EngineError, match="differ from the trainer's"):
        sync_weights(tiny_model, left_behind, PROMPTS)


def test_new_weights_arrive_in_a_copy(tiny_model):
    engine = TransformersEngine(copy.deepcopy(tiny_model))
    perturb(tiny_model, 0.03)
    assert parity(tiny_model, engine, PROMPTS) > 0.1
    assert sync_weights(tiny_model, engine, PROMPTS) < 0.03
    for mine, theirs in zip(tiny_model.parameters(), engine.model.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def test_an_engine_left_on_old_weights_stops_the_run(tiny_model):
    engine = Stale(copy.deepcopy(tiny_model))
    assert sync_weights(tiny_model, engine, PROMPTS) < 0.03
    perturb(tiny_model, 0.03)
    with pytest.raises(EngineError, match=r"differ from the trainer's by 0\.\d+ nats.*0\.075"):
        sync_weights(tiny_model, engine, PROMPTS)


def test_log_probs_that_are_not_numbers_stop_the_run(tiny_model):
    class Nan(TransformersEngine):
        def poll(self):
            done = super().poll()
            for completion in done:
                completion.logprobs[0] = float("nan")
            return done

    with pytest.raises(EngineError, match="nan nats"):
        sync_weights(tiny_model, Nan(tiny_model), PROMPTS)


def test_the_training_mode_is_left_as_it_was(tiny_model):
    for mode in (True, False):
        tiny_model.train(mode)
        sync_weights(tiny_model, TransformersEngine(tiny_model), PROMPTS[:2])
        assert tiny_model.training is mode


def test_replies_left_over_from_a_rollout_are_no_probe(tiny_model):
    from corgi_gym.agents.engines import GenerationRequest, Sampling

    engine = TransformersEngine(tiny_model)
    engine.submit(GenerationRequest("0-7", [5, 6], Sampling(max_tokens=2), seed=0))
    assert parity(tiny_model, engine, PROMPTS[:2]) < 0.03


class FakeBase:
    """The parameters of a model under LoRA, named as PEFT names them."""

    NAMES = (
        "model.embed_tokens.weight",
        "model.layers.0.q_proj.base_layer.weight",
        "model.layers.0.q_proj.lora_A.default.weight",
        "model.layers.0.q_proj.lora_B.default.weight",
        "model.layers.0.norm.weight",
        "lm_head.original_module.weight",
        "lm_head.modules_to_save.default.weight",
    )

    def named_parameters(self):
        return [(name, torch.full((1,), float(i))) for i, name in enumerate(self.NAMES)]


class FakePeft(FakeBase):
    """A model that records merges."""

    def __init__(self):
        self.calls = []

    def merge_adapter(self):
        self.calls.append("merge")

    def unmerge_adapter(self):
        self.calls.append("unmerge")

    def get_base_model(self):
        return FakeBase()


def test_adapters_are_merged_while_weights_are_read_under_their_plain_names():
    expected = {
        "model.embed_tokens.weight": 0.0,
        "model.layers.0.q_proj.weight": 1.0,
        "model.layers.0.norm.weight": 4.0,
        "lm_head.weight": 6.0,  # the trained copy, not the original
    }
    assert {n: float(t) for n, t in _named_weights(FakeBase())} == expected
    model = FakePeft()
    with pytest.raises(RuntimeError, match="stop"), engine_weights(model) as weights:
        assert model.calls == ["merge"]
        assert {n: float(t) for n, t in weights} == expected
        raise RuntimeError("stop")
    assert model.calls == ["merge", "unmerge"]


def test_a_plain_model_gives_its_own_names(tiny_model):
    with engine_weights(tiny_model) as weights:
        assert [n for n, _ in weights] == [n for n, _ in tiny_model.named_parameters()]
