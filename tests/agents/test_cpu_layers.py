"""The layers in two halves compute what transformers computes, with the same gradients."""

from contextlib import nullcontext

import pytest

torch = pytest.importorskip("torch")

from transformers import LlamaConfig, LlamaForCausalLM  # noqa: E402

from corgi_gym.agents import cpu, cpu_layers  # noqa: E402


def make(**changes):
    torch.manual_seed(0)
    config = LlamaConfig(
        **{
            "vocab_size": 61, "hidden_size": 48, "intermediate_size": 80, "num_hidden_layers": 2,
            "num_attention_heads": 6, "num_key_value_heads": 2, "attn_implementation": "eager",
            **changes,
        }
    )  # fmt: skip
    model = LlamaForCausalLM(config).train()
    with torch.no_grad():  # norms and probabilities that are not all alike
        for parameter in model.parameters():
            parameter.mul_(3.0).add_(torch.randn_like(parameter) * 0.05)
    return model


def run(model, ids, fast=False, **kwargs):
    """Logits, and gradients by name, of a loss that weighs every logit differently."""
    model.zero_grad()
    with cpu_layers.fast_layers(model) if fast else nullcontext():
        logits = model(input_ids=ids, use_cache=False, **kwargs).logits.float()
    weights = torch.linspace(-1, 1, logits.numel()).view_as(logits)
    (logits * weights).sum().backward()
    return logits.detach(), {n: p.grad.clone() for n, p in model.named_parameters()}


def assert_same(found, expected):
    torch.testing.assert_close(found[0], expected[0], rtol=1e-4, atol=1e-4)
    for name, gradient in expected[1].items():
        scale = gradient.abs().max()
        torch.testing.assert_close(found[1][name] / scale, gradient / scale, rtol=0, atol=1e-4)


@pytest.fixture
def halves(monkeypatch):
    """The kinds of halves that ran, in order."""
    ran = []
    for kind in (cpu_layers._Attention, cpu_layers._FeedForward):
        original = kind.apply

        def apply(*args, kind=kind, original=original):
            ran.append(kind.__name__)
            return original(*args)

        monkeypatch.setattr(kind, "apply", apply)
    return ran


@pytest.mark.parametrize("heads", [(6, 2), (6, 6), (4, 1)])
@pytest.mark.parametrize(("length", "tile"), [(2, 256), (97, 256), (130, 7), (128, 128)])
def test_same_values_and_gradients(halves, monkeypatch, heads, length, tile):
    monkeypatch.setattr(cpu_layers, "_TILE", tile)
    model = make(num_attention_heads=heads[0], num_key_value_heads=heads[1])
    ids = torch.randint(0, 61, (3, length), generator=torch.Generator().manual_seed(1))
    expected = run(model, ids)
    assert not halves
    assert_same(run(model, ids, fast=True), expected)
    assert halves == ["_Attention", "_FeedForward"] * 2
    assert not any("forward" in vars(layer) for layer in model.model.layers)


def test_autocast_is_within_its_rounding(halves):
    model = make()
    ids = torch.randint(0, 61, (4, 150), generator=torch.Generator().manual_seed(2))
    exact = run(model, ids)[1]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        plain, ours = run(model, ids)[1], run(model, ids, fast=True)[1]
    assert halves
    errors = {
        name: [float((g[name] - gradient).norm() / gradient.norm()) for g in (ours, plain)]
        for name, gradient in exact.items()
    }
    for name, (error, reference) in errors.items():
        assert error < max(1.3 * reference, 0.02), name
    mean = [sum(pair[i] for pair in errors.values()) / len(errors) for i in (0, 1)]
    assert mean[0] < 1.1 * mean[1]


def test_scaled_rotary_positions(halves):
    model = make(
        rope_parameters={"rope_type": "linear", "factor": 4.0, "rope_theta": 500.0}, head_dim=16
    )
    ids = torch.randint(0, 61, (2, 40), generator=torch.Generator().manual_seed(3))
    expected = run(model, ids)
    assert_same(run(model, ids, fast=True), expected)
    assert halves


def padded(ids):
    mask = torch.ones_like(ids)
    mask[0, :3] = 0
    return {"attention_mask": mask}


def own_positions(ids):
    return {"position_ids": torch.stack([torch.arange(40), torch.arange(40) + 5])}


@pytest.mark.parametrize("change", [padded, own_positions])
def test_passes_that_are_not_plain_are_the_models_own(halves, change):
    model = make()
    ids = torch.randint(0, 61, (2, 40), generator=torch.Generator().manual_seed(4))
    expected = run(model, ids, **change(ids))
    found = run(model, ids, fast=True, **change(ids))
    assert not halves
    torch.testing.assert_close(found[0][:, 3:], expected[0][:, 3:], rtol=1e-4, atol=1e-4)


def hooked(model):
    model.model.layers[1].mlp.register_forward_hook(lambda *args: None)


def replaced(model):
    layer = model.model.layers[0].self_attn
    layer.q_proj = type("Adapter", (torch.nn.Linear,), {})(48, 48, bias=False)


def patched(model):
    norm = model.model.layers[0].input_layernorm
    norm.forward = norm.forward


@pytest.mark.parametrize(
    "change",
    [
        hooked,
        replaced,
        patched,
        lambda model: setattr(model.config, "attention_dropout", 0.1),
        lambda model: setattr(model.config, "model_type", "mistral"),
        lambda model: model.gradient_checkpointing_enable(),
    ],
)
def test_layers_with_something_attached_are_left_alone(change):
    model = make()
    with cpu_layers.fast_layers(model):
        assert all("forward" in vars(layer) for layer in model.model.layers)
    change(model)
    with cpu_layers.fast_layers(model):
        assert not any("forward" in vars(layer) for layer in model.model.layers)


@pytest.mark.parametrize("changes", [{"mlp_bias": True}, {"attention_bias": True}])
def test_biases_are_left_to_the_model(changes):
    model = make(**changes)
    with cpu_layers.fast_layers(model):
        assert not any("forward" in vars(layer) for layer in model.model.layers)


@pytest.mark.parametrize("activation", ["gelu", "relu"])
def test_other_activations_are_left_to_the_model(activation):
    model = make(hidden_act=activation)
    with cpu_layers.fast_layers(model):
        assert not any("forward" in vars(layer) for layer in model.model.layers)


def test_the_layers_own_hooks_are_called(halves):
    model, seen = make(), []
    model.model.layers[0].register_forward_hook(lambda *args: seen.append(1))
    run(model, torch.randint(0, 61, (1, 9)), fast=True)
    assert seen and halves


def test_an_error_takes_the_halves_back(halves):
    model = make()
    with pytest.raises(RuntimeError, match="stop"), cpu_layers.fast_layers(model):
        raise RuntimeError("stop")
    assert not any("forward" in vars(layer) for layer in model.model.layers)


def test_frozen_weights_get_no_gradient(halves):
    model = make()
    frozen = model.model.layers[0].mlp.up_proj.weight.requires_grad_(False)
    ids = torch.randint(0, 61, (2, 12))
    with cpu_layers.fast_layers(model):
        model(input_ids=ids, use_cache=False).logits.sum().backward()
    assert halves and frozen.grad is None
    assert model.model.layers[0].mlp.gate_proj.weight.grad is not None


def test_no_gradient_no_halves(halves):
    model = make()
    with torch.no_grad(), cpu_layers.fast_layers(model):
        model(input_ids=torch.randint(0, 61, (2, 12)), use_cache=False)
        assert model.config._attn_implementation != cpu.ATTENTION
    assert not halves
