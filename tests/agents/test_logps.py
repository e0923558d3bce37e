"""Log-probs of chosen tokens equal a plain softmax, in value and in gradient."""

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel, PhiConfig, PhiForCausalLM

from corgi_gym.agents import logps as module
from corgi_gym.agents.batches import score_tokens
from corgi_gym.agents.labels import label_shares
from corgi_gym.agents.logps import add_chosen_head, chosen_logps


def reference(hidden, weight, chosen, temperature):
    logps = (hidden.double() @ weight.double().t() / temperature).log_softmax(-1)
    return logps.gather(1, chosen[:, None])[:, 0], -(logps.exp() * logps).sum(-1)


@pytest.mark.parametrize("temperature", [1.0, 0.7, 2.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("tile", "block"), [(3, 7), (3, 1024), (11, 4), (16, 2048)])
def test_values_and_gradients_equal_a_plain_softmax(monkeypatch, temperature, dtype, tile, block):
    monkeypatch.setattr(module, "_TILE", tile)
    monkeypatch.setattr(module, "_BLOCK", block)
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(11, 16, generator=generator, dtype=dtype, requires_grad=True)
    weight = torch.randn(29, 16, generator=generator, dtype=dtype, requires_grad=True)
    chosen = torch.randint(29, (11,), generator=generator)
    factor = torch.randn(11, generator=generator)

    logps, entropy = chosen_logps(hidden, weight, chosen, temperature)
    assert logps.dtype == entropy.dtype == torch.float32
    (logps * factor).sum().backward()
    got = hidden.grad.clone(), weight.grad.clone()
    hidden.grad = weight.grad = None

    expected, expected_entropy = reference(hidden, weight, chosen, temperature)
    (expected * factor).sum().backward()
    close = {"rtol": 1e-4, "atol": 1e-5}
    torch.testing.assert_close(logps.double(), expected.detach(), **close)
    torch.testing.assert_close(entropy.double(), expected_entropy.detach(), **close)
    torch.testing.assert_close(got[0], hidden.grad, **close)
    torch.testing.assert_close(got[1], weight.grad, **close)


@pytest.mark.parametrize("both", [False, True])
def test_an_entropy_bonus_has_its_gradient(monkeypatch, both):
    monkeypatch.setattr(module, "_TILE", 3)
    monkeypatch.setattr(module, "_BLOCK", 7)
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(11, 16, generator=generator, requires_grad=True)
    weight = torch.randn(29, 16, generator=generator, requires_grad=True)
    chosen = torch.randint(29, (11,), generator=generator)
    factors = torch.randn(2, 11, generator=generator)
    found = []
    for compute in (chosen_logps, reference):
        hidden.grad = weight.grad = None
        logps, entropy = compute(hidden, weight, chosen, 0.7)
        loss = (entropy * factors[0]).sum() + (logps * factors[1]).sum() * both
        loss.backward()
        found.append((hidden.grad.clone(), weight.grad.clone()))
    for got, expected in zip(*found, strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-5)


def test_large_logits_overflow_nothing():
    hidden = torch.tensor([[300.0, 0.0], [0.0, 300.0]], requires_grad=True)
    weight = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]], requires_grad=True)
    logps, entropy = chosen_logps(hidden, weight, torch.tensor([0, 0]), 0.5)
    assert logps.tolist() == [0.0, -600.0] and entropy.abs().max() < 1e-6
    (logps.sum() + entropy.sum()).backward()
    assert hidden.grad.isfinite().all() and weight.grad.isfinite().all()


def test_no_rows_at_all_give_a_zero_gradient():
    hidden = torch.randn(0, 4, requires_grad=True)
    weight = torch.randn(7, 4, requires_grad=True)
    logps, entropy = chosen_logps(hidden, weight, torch.empty(0, dtype=torch.long))
    assert logps.shape == entropy.shape == (0,)
    logps.sum().backward()
    assert weight.grad.abs().sum() == 0


def test_autocast_runs_the_head_in_bfloat16():
    hidden, weight = torch.randn(5, 8), torch.randn(9, 8)
    chosen = torch.arange(5)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough, _ = chosen_logps(hidden, weight, chosen)
    exact, _ = chosen_logps(hidden, weight, chosen)
    assert rough.dtype == torch.float32
    assert 0 < (rough - exact).abs().max() < 0.1


@pytest.fixture
def rows():
    """Token rows of different lengths."""
    generator = torch.Generator().manual_seed(1)
    return [torch.randint(3, 300, (n,), generator=generator) for n in (5, 12, 9, 1)]


def test_the_new_call_leaves_the_old_one_alone(tiny_model, rows):
    ids = rows[1][None]
    before = tiny_model(input_ids=ids).logits
    add_chosen_head(tiny_model, 0.5)
    torch.testing.assert_close(tiny_model(input_ids=ids).logits, before)
    torch.testing.assert_close(tiny_model(ids).logits, before)


@pytest.mark.parametrize("temperature", [1.0, 0.6])
def test_rows_padded_on_both_sides_score_as_alone(tiny_model, rows, temperature):
    """What the trainer does with a batch equals one plain forward pass per row."""
    reference_rows = []
    for row in rows:
        logits = tiny_model(input_ids=row[None]).logits[0, :-1] / temperature
        logps = logits.log_softmax(-1)
        reference_rows.append(
            (logps.gather(1, row[1:, None])[:, 0], -(logps.exp() * logps).sum(-1))
        )
    add_chosen_head(tiny_model, temperature)
    left = (3, 0, 6, 2)
    width = 16
    ids = torch.full((4, width), 2)
    mask = torch.zeros(4, width, dtype=torch.long)
    for i, row in enumerate(rows):
        ids[i, left[i] : left[i] + len(row)] = row
        mask[i, left[i] : left[i] + len(row)] = 1
    wanted = mask.clone()
    wanted[1, left[1] + 4] = 0  # one token that is not wanted
    logps, entropy = score_tokens(tiny_model, ids, mask, wanted)
    for i, (expected, expected_entropy) in enumerate(reference_rows):
        keep = wanted[i, left[i] + 1 : left[i] + len(rows[i])].bool()
        span = slice(left[i] + 1, left[i] + len(rows[i]))
        torch.testing.assert_close(logps[i, span][keep], expected[keep], rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(
            entropy[i, span][keep], expected_entropy[keep], rtol=1e-4, atol=1e-4
        )
        outside = torch.ones(width, dtype=torch.bool)
        outside[span] = ~keep
        assert logps[i, outside].abs().sum() == 0 and entropy[i, outside].abs().sum() == 0


def test_scoring_nothing_is_a_differentiable_zero(tiny_model, rows):
    add_chosen_head(tiny_model, 1.0)
    logps, _ = tiny_model(input_ids=rows[1][None], score_mask=torch.zeros(1, 12))
    logps.sum().backward()
    assert all(p.grad is None or p.grad.abs().sum() == 0 for p in tiny_model.parameters())


def test_a_model_whose_logits_are_not_a_plain_product_is_refused():
    small = {"vocab_size": 40, "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    with pytest.raises(ValueError, match="PhiForCausalLM changes its logits"):
        add_chosen_head(PhiForCausalLM(PhiConfig(**small, intermediate_size=16)), 1.0)
    with pytest.raises(ValueError, match="PhiForCausalLM changes its logits"):
        label_shares(PhiForCausalLM(PhiConfig(**small, intermediate_size=16)), [[3]], [[4], [5]])
    model = GPT2LMHeadModel(GPT2Config(vocab_size=40, n_embd=16, n_layer=1, n_head=2))
    add_chosen_head(model, 1.0)
    ids = torch.randint(40, (1, 6))
    logps, _ = model(input_ids=ids, score_mask=torch.ones(1, 6))
    model.eval()
    logps, _ = model(input_ids=ids, score_mask=torch.ones(1, 6))
    expected = model(input_ids=ids).logits[0, :-1].log_softmax(-1).gather(1, ids[0, 1:, None])
    torch.testing.assert_close(logps[0, 1:], expected[:, 0], rtol=1e-4, atol=1e-4)
