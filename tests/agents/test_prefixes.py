"""Tokens that rows share are computed once, and nothing else about a pass changes."""

from contextlib import nullcontext

import pytest

torch = pytest.importorskip("torch")

from transformers import LlamaConfig, LlamaForCausalLM  # noqa: E402

from corgi_gym.agents import cpu_layers, logps  # noqa: E402
from corgi_gym.agents.critic import add_critic  # noqa: E402
from corgi_gym.agents.logps import add_chosen_head  # noqa: E402
from corgi_gym.agents.prefixes import shared_layout  # noqa: E402


def make(layers=3):
    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=61, hidden_size=48, intermediate_size=80, num_hidden_layers=layers,
            num_attention_heads=6, num_key_value_heads=2,
        )
    ).train()  # fmt: skip
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3.0).add_(torch.randn_like(parameter) * 0.05)
    add_chosen_head(model, 1.0)
    return model


def rows():
    """Two prompts, one of them in three lengths; a chain of prefixes; ends of all kinds."""
    draw = torch.Generator().manual_seed(1)
    ids = torch.randint(0, 61, (9, 140), generator=draw)
    ids[1:4, :50] = ids[0, :50]
    ids[2, :70] = ids[1, :70]
    ids[3:6, :10] = ids[0, :10]
    ids[5:8, :33] = ids[4, :33]
    wanted = torch.zeros_like(ids)
    for i in range(9):
        wanted[i, 40 + i * 3 : 120 - 9 * i] = 1
    wanted[6] = 0  # nothing is asked of this row
    wanted[8] = 0
    wanted[8, [1, 7]] = 1
    return ids, wanted


def scores(model, ids, wanted):
    """Log-probs, entropies, and gradients by name of a loss that weighs each token differently."""
    model.zero_grad()
    found, entropies = model(input_ids=ids, score_mask=wanted)
    (found.float() * torch.linspace(-1, 1, found.numel()).view_as(found)).sum().backward()
    gradients = {n: p.grad.clone() for n, p in model.named_parameters()}
    return found.detach(), entropies, gradients


@pytest.fixture
def unshared(monkeypatch):
    """A function that scores without sharing."""

    def run(*args):
        with monkeypatch.context() as patch:
            patch.setattr(logps, "shared_layout", lambda *args: None)
            return scores(*args)

    return run


@pytest.fixture
def widths(monkeypatch):
    """Tokens that went through each feed-forward half."""
    seen = []
    original = cpu_layers._FeedForward.apply
    monkeypatch.setattr(
        cpu_layers._FeedForward,
        "apply",
        lambda x, *args: seen.append(x.numel() // x.shape[-1]) or original(x, *args),
    )
    return seen


def error(found, expected):
    return float((found - expected).norm() / expected.norm())


@pytest.mark.parametrize("layers", [1, 3])
def test_same_scores_and_gradients_from_fewer_tokens(unshared, widths, layers):
    model, (ids, wanted) = make(layers), rows()
    expected = unshared(model, ids, wanted)
    assert set(widths) == {ids.numel()}
    widths.clear()
    found = scores(model, ids, wanted)
    # each distinct beginning that something is asked after, counted without the layout's help
    ends = [max([0, *row.nonzero()[:, 0].tolist()]) for row in wanted]
    beginnings = {
        tuple(row[: t + 1]) for row, end in zip(ids.tolist(), ends, strict=True) for t in range(end)
    }
    assert set(widths) == {len(beginnings)} and len(widths) == layers
    assert len(beginnings) < 0.5 * ids.numel()
    for name in (0, 1):
        torch.testing.assert_close(found[name], expected[name], rtol=1e-5, atol=1e-5)
    for name, gradient in expected[2].items():
        assert error(found[2][name], gradient) < 1e-5, name


def test_autocast_is_no_less_exact(unshared):
    model, (ids, wanted) = make(), rows()
    exact = unshared(model, ids, wanted)[2]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        plain, shared = unshared(model, ids, wanted)[2], scores(model, ids, wanted)[2]
    errors = [
        sum(error(found[name], gradient) for name, gradient in exact.items()) / len(exact)
        for found in (shared, plain)
    ]
    assert 0 < errors[0] < 1.1 * errors[1]


@pytest.mark.parametrize("kind", ["detached", "shared"])
def test_a_critic_sees_rows(unshared, kind):
    ids, wanted = rows()

    def values(without):
        model = make()
        add_critic(model, kind)
        patch = pytest.MonkeyPatch()
        with patch.context() as context:
            if without:
                context.setattr(logps, "shared_layout", lambda *args: None)
            found = model(input_ids=ids, score_mask=wanted, values=True)[2]
        found.square().sum().backward()
        return found.detach(), {
            n: p.grad for n, p in model.named_parameters() if p.grad is not None
        }

    expected, found = values(True), values(False)
    torch.testing.assert_close(found[0], expected[0], rtol=1e-5, atol=1e-5)
    assert found[1].keys() == expected[1].keys()
    for name, gradient in expected[1].items():
        torch.testing.assert_close(found[1][name], gradient, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("changed", ["nothing asked", "nothing shared", "no gradient"])
def test_passes_with_nothing_to_share_are_as_before(widths, changed):
    model, (ids, wanted) = make(), rows()
    if changed == "nothing asked":
        wanted[:] = 0
    elif changed == "nothing shared":
        ids[:, 0] = torch.arange(len(ids))
        wanted[:] = 1
    with torch.no_grad() if changed == "no gradient" else nullcontext():
        found, _ = model(input_ids=ids, score_mask=wanted)
    assert found.shape == ids.shape
    assert set(widths) == (set() if changed == "no gradient" else {ids.numel()})


def bf16(model, ids):
    return model.bfloat16(), ids


def checkpointed(model, ids):
    model.gradient_checkpointing_enable()
    return model, ids


def watched(model, ids):
    shapes = []
    model.model.layers[1].register_forward_hook(lambda m, a, out: shapes.append(out.shape[:2]))
    model.shapes = shapes
    return model, ids


def too_long(model, ids):
    return model, torch.nn.functional.pad(ids, (0, 1000))


@pytest.mark.parametrize("change", [bf16, checkpointed, watched, too_long])
def test_passes_that_cannot_share_do_not(unshared, widths, change):
    (ids, wanted), model = rows(), make()
    model, ids = change(model, ids)
    wanted = torch.nn.functional.pad(wanted, (0, ids.shape[1] - wanted.shape[1]))
    assert cpu_layers.shares_prefixes(model) == (change is too_long)  # which only rows can tell
    found = scores(model, ids, wanted)
    assert set(widths) <= {ids.numel()}
    expected = unshared(model, ids, wanted)
    assert torch.equal(found[0], expected[0])
    if change is watched:
        assert set(model.shapes) == {tuple(ids.shape)}


def test_a_pass_after_a_failed_one_starts_anew(monkeypatch):
    model, (ids, wanted) = make(), rows()
    expected = scores(model, ids, wanted)[0]
    with monkeypatch.context() as patch:
        patch.setattr(cpu_layers, "silu", lambda x: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            model(input_ids=ids, score_mask=wanted)
    assert torch.equal(scores(model, ids, wanted)[0], expected)


@pytest.mark.parametrize("seed", range(40))
def test_each_move_is_the_transpose_of_its_backward(seed):
    """And rows hold, wherever something is asked, what a token's own beginning determines."""
    draw = torch.Generator().manual_seed(seed)
    batch, length = 2 + seed % 6, 4 + seed % 7
    ids, wanted = (torch.randint(0, 2, (batch, length), generator=draw) for _ in range(2))
    ids[1] = ids[0]  # something is shared for sure
    layout = shared_layout(ids, wanted)
    assert layout is not None
    packed = torch.randn(len(layout.owned), 3, generator=draw)
    dense = torch.randn(batch * length, 3, generator=draw)
    ends = [max([0, *row.nonzero()[:, 0].tolist()]) for row in wanted]
    asked = torch.cat([torch.arange(length) < end for end in ends])
    dense[~asked] = 0
    left, right = layout.rows(packed), layout.rows_backward(dense.clone())
    torch.testing.assert_close((left * dense).sum(), (packed * right).sum(), rtol=1e-4, atol=1e-4)
    left, right = layout.packed(dense), layout.packed_backward(packed)
    torch.testing.assert_close((left * packed).sum(), (dense * right).sum(), rtol=1e-4, atol=1e-4)
    beginnings = [ids[i, : t + 1].tolist() for i in range(batch) for t in range(length)]
    own = [beginnings[place] for place in layout.owned.tolist()]
    for i in asked.nonzero()[:, 0].tolist():
        assert own[layout.where[i]] == beginnings[i]
