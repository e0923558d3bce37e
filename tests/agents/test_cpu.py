"""The CPU kernels compute what transformers computes, with the same gradients."""

import os
import platform
from contextlib import nullcontext

import pytest

torch = pytest.importorskip("torch")

from transformers import LlamaConfig, LlamaForCausalLM  # noqa: E402

from corgi_gym.agents import cpu  # noqa: E402
from corgi_gym.agents.models import load_model  # noqa: E402


def make(**changes):
    torch.manual_seed(0)
    config = LlamaConfig(
        **{
            "vocab_size": 97, "hidden_size": 48, "intermediate_size": 64, "num_hidden_layers": 2,
            "num_attention_heads": 6, "num_key_value_heads": 2, "attn_implementation": "eager",
            **changes,
        }
    )  # fmt: skip
    model = LlamaForCausalLM(config).train()
    with torch.no_grad():  # probabilities that are not all alike
        for parameter in model.parameters():
            parameter.mul_(3.0).add_(torch.randn_like(parameter) * 0.05)
    return model


def run(model, ids, fast=False, **kwargs):
    model.zero_grad()
    with cpu.fast_attention(model) if fast else nullcontext():
        logits = model(input_ids=ids, use_cache=False, **kwargs).logits.float()
    weights = torch.linspace(-1, 1, logits.numel()).view_as(logits)
    (logits * weights).sum().backward()
    return logits.detach(), {n: p.grad.clone() for n, p in model.named_parameters()}


def assert_same(found, expected, rtol=1e-4):
    torch.testing.assert_close(found[0], expected[0], rtol=rtol, atol=1e-4)
    for name, gradient in expected[1].items():
        scale = gradient.abs().max()
        torch.testing.assert_close(found[1][name] / scale, gradient / scale, rtol=0, atol=rtol)


@pytest.mark.parametrize("length", [2, 95, 96, 97, 200])
@pytest.mark.parametrize("heads", [(6, 2), (6, 6), (4, 1)])
def test_same_values_and_gradients(length, heads, monkeypatch):
    model = make(num_attention_heads=heads[0], num_key_value_heads=heads[1])
    ids = torch.randint(0, 97, (3, length), generator=torch.Generator().manual_seed(1))
    expected = run(model, ids)
    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", None)
    assert_same(run(model, ids, fast=True), expected)
    assert model.config._attn_implementation == "eager"


def test_later_tokens_change_nothing_before_them():
    model = make()
    ids = torch.randint(0, 97, (1, 130))
    other = ids.clone()
    other[0, 100:] = (other[0, 100:] + 1) % 97
    with cpu.fast_attention(model):
        before, after = (model(input_ids=x, use_cache=False).logits for x in (ids, other))
    assert torch.equal(before[0, :100], after[0, :100])
    assert not torch.equal(before[0, 100], after[0, 100])


def test_padded_rows_go_to_the_library(monkeypatch):
    model = make()
    ids = torch.randint(0, 97, (2, 40))
    mask = torch.ones_like(ids)
    mask[0, :7] = 0
    expected = run(model, ids, attention_mask=mask)
    monkeypatch.setattr(cpu._CausalAttention, "apply", None)  # calling it would fail
    found = run(model, ids, fast=True, attention_mask=mask)
    torch.testing.assert_close(found[0][:, 7:], expected[0][:, 7:], rtol=1e-4, atol=1e-4)


def test_long_rows_go_to_the_library(monkeypatch):
    model = make()
    ids = torch.randint(0, 97, (1, 70))
    expected = run(model, ids)
    monkeypatch.setattr(cpu, "LONGEST", 69)
    monkeypatch.setattr(cpu._CausalAttention, "apply", None)
    assert_same(run(model, ids, fast=True), expected)


def test_autocast_is_within_its_rounding():
    model = make()
    ids = torch.randint(0, 97, (2, 150))
    exact = run(model, ids)[1]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        plain, ours = run(model, ids)[1], run(model, ids, fast=True)[1]
    for name, gradient in exact.items():
        error, reference = ((g[name] - gradient).norm() / gradient.norm() for g in (ours, plain))
        assert error < max(1.5 * reference, 0.02), name


def test_attention_stays_where_ours_would_be_wrong():
    model = make()
    for change in (
        lambda: setattr(model.config, "model_type", "gemma2"),
        lambda: (
            setattr(model.config, "model_type", "llama"),
            model.gradient_checkpointing_enable(),
        ),
    ):
        change()
        with cpu.fast_attention(model):
            assert model.config._attn_implementation == "eager"
    model.gradient_checkpointing_disable()
    with torch.no_grad(), cpu.fast_attention(model):
        assert model.config._attn_implementation == "eager"
    with cpu.fast_attention(model):
        assert model.config._attn_implementation == cpu.ATTENTION


@pytest.mark.parametrize("name", ["ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"])
def test_loading_a_model_bounds_the_kept_products_unless_the_user_does(
    name, tiny_folder, monkeypatch
):
    monkeypatch.delenv(name, raising=False)
    load_model(tiny_folder)
    assert 30 < int(os.environ[name]) < 1024
    monkeypatch.setenv(name, "7")
    load_model(tiny_folder)
    assert os.environ[name] == "7"


def test_memory_is_kept_only_where_asked(monkeypatch):
    monkeypatch.setenv("CORGI_GYM_KEEP_MEMORY", "0")
    assert cpu.keep_freed_memory() is False
    monkeypatch.delenv("CORGI_GYM_KEEP_MEMORY")
    monkeypatch.setattr(cpu.platform, "libc_ver", lambda: ("", ""))
    assert cpu.keep_freed_memory() is False


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="an option of glibc's malloc")
def test_memory_is_kept_with_glibc(run_python):
    """In a process of its own, since it changes the allocator of the whole."""
    code = "from corgi_gym.agents.cpu import keep_freed_memory; print(keep_freed_memory())"
    assert run_python(code).strip() == "True"


@pytest.mark.parametrize("own", ["", "COMPATIBLE"])
def test_a_loaded_model_multiplies_the_same_way_each_time(run_python, tiny_folder, own):
    code = (
        "import os; os.environ['MKL_CBWR'] or os.environ.pop('MKL_CBWR'); "
        "from corgi_gym.agents.models import load_model; "
        f"load_model({tiny_folder!r}); print(os.environ['MKL_CBWR'])"
    )
    assert run_python(code, MKL_CBWR=own).split()[-1] == (own or "AUTO")
