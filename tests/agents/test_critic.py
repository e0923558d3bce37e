"""The critic: values of the right states, gradients where they belong, an unchanged policy."""

import copy

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

from corgi_gym.agents.critic import (
    CRITIC_FILE,
    CRITICS,
    add_critic,
    load_critic,
    save_critic,
    without_critic,
)
from corgi_gym.agents.logps import add_chosen_head
from corgi_gym.agents.sync import save_policy


def with_critic(model, kind, **kwargs):
    """A critic on ``model`` with weights that are not zero."""
    add_chosen_head(model, 1.0)
    critic = add_critic(model, kind, **kwargs)
    with torch.no_grad():
        critic.head.weight.normal_(generator=torch.Generator().manual_seed(0))
    return critic


@pytest.fixture
def batch():
    """Token ids and the mask of the tokens to score; the first token of a row never is."""
    generator = torch.Generator().manual_seed(1)
    mask = (torch.rand(3, 9, generator=generator) < 0.5).long()
    mask[:, 0] = 0
    return {"input_ids": torch.randint(3, 300, (3, 9), generator=generator), "score_mask": mask}


@pytest.mark.parametrize("kind", CRITICS)
def test_values_are_of_the_states_before_the_tokens(tiny_model, batch, kind):
    plain = copy.deepcopy(tiny_model)
    critic = with_critic(tiny_model, kind)
    logps, entropies, values = tiny_model(**batch, values=True)
    hidden = plain(input_ids=batch["input_ids"], output_hidden_states=True).hidden_states[-1]
    expected = critic.head(critic.norm(hidden))[..., 0].roll(1, dims=1) * batch["score_mask"]
    torch.testing.assert_close(values, expected, rtol=1e-4, atol=1e-5)
    assert values.std() > 0.1
    for got, wanted in zip((logps, entropies), tiny_model(**batch), strict=True):
        torch.testing.assert_close(got, wanted)


def test_a_new_critic_expects_nothing(tiny_model, batch):
    add_chosen_head(tiny_model, 1.0)
    add_critic(tiny_model)
    assert tiny_model(**batch, values=True)[2].abs().sum() == 0


def test_values_have_the_digits_of_float32_under_autocast(tiny_model, batch):
    critic = with_critic(tiny_model, "detached")
    seen = []
    critic.register_forward_hook(lambda module, args, output: seen.append((args[0], output)))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        tiny_model(**batch, values=True)
    hidden, values = seen[0]
    assert values.dtype == torch.float32
    torch.testing.assert_close(values, critic.head(critic.norm(hidden.float()))[:, 0])


@pytest.mark.parametrize(
    ("kind", "reached"),
    [("detached", {"head"}), ("shared", {"head", "policy"}), ("separate", {"head", "trunk"})],
)
def test_the_value_loss_reaches_what_it_should(tiny_model, batch, kind, reached):
    with_critic(tiny_model, kind)
    tiny_model(**batch, values=True)[2].square().sum().backward()
    got = set()
    for name, parameter in tiny_model.named_parameters():
        if parameter.grad is not None and parameter.grad.abs().sum() > 0:
            own = "trunk" if ".trunk." in name else "head"
            got.add(own if name.startswith("critic.") else "policy")
    assert got == reached


@pytest.mark.parametrize("kind", ["shared", "separate"])
def test_the_policys_checkpoint_is_a_plain_model(tiny_model, batch, tmp_path, kind):
    with_critic(tiny_model, kind)
    tiny_model.save_pretrained(tmp_path)
    assert not [key for key in load_file(tmp_path / "model.safetensors") if "critic" in key]
    loaded, info = AutoModelForCausalLM.from_pretrained(tmp_path, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"]
    ids = batch["input_ids"]
    torch.testing.assert_close(loaded(input_ids=ids).logits, tiny_model(input_ids=ids).logits)


@pytest.mark.parametrize("kind", ["detached", "separate"])
def test_a_saved_critic_comes_back(tiny_model, tmp_path, kind):
    other = copy.deepcopy(tiny_model)
    critic = with_critic(tiny_model, kind)
    save_critic(critic, tmp_path)
    add_chosen_head(other, 1.0)
    again = add_critic(other, kind)
    load_critic(again, tmp_path)
    for key, tensor in critic.state_dict().items():
        assert torch.equal(tensor, again.state_dict()[key]), key
    assert again.head.weight.abs().sum() > 0


def test_a_folder_without_a_critic_is_refused(tiny_model, tmp_path):
    add_chosen_head(tiny_model, 1.0)
    with pytest.raises(ValueError, match=f"has no {CRITIC_FILE}"):
        load_critic(add_critic(tiny_model), tmp_path)


def test_the_policy_alone_has_its_own_parameters(tiny_model):
    names = [name for name, _ in tiny_model.named_parameters()]
    critic = with_critic(tiny_model, "separate")
    with pytest.raises(RuntimeError, match="stop"), without_critic(tiny_model):
        assert [name for name, _ in tiny_model.named_parameters()] == names
        raise RuntimeError("stop")
    assert tiny_model.critic is critic
    assert len(list(tiny_model.parameters())) == len(names) + len(list(critic.parameters()))


def test_a_critic_with_another_vocabulary_is_refused(tiny_model, tmp_path):
    small = LlamaConfig(
        vocab_size=40, hidden_size=16, intermediate_size=16, num_hidden_layers=1,
        num_attention_heads=2,
    )  # fmt: skip
    LlamaForCausalLM(small).save_pretrained(tmp_path)
    add_chosen_head(tiny_model, 1.0)
    with pytest.raises(ValueError, match=r"critic_model .* has 40 tokens and the policy"):
        add_critic(tiny_model, "separate", str(tmp_path))


def test_under_lora_the_adapter_and_the_head_learn(tiny_model, batch, tmp_path):
    peft = pytest.importorskip("peft")
    config = peft.LoraConfig(r=2, target_modules=["q_proj"], task_type="CAUSAL_LM")
    model = peft.get_peft_model(tiny_model, config)
    with_critic(model.get_base_model(), "shared")
    logps, _, values = model(**batch, values=True)
    (logps.sum() + values.sum()).backward()
    learning = {name for name, p in model.named_parameters() if p.grad is not None}
    assert any(".critic.head." in name for name in learning)
    assert all(".critic." in name or "lora_" in name for name in learning)
    model.save_pretrained(tmp_path)
    assert all("lora_" in key for key in load_file(tmp_path / "adapter_model.safetensors"))
    save_policy(model, tmp_path / "merged")
    assert not [k for k in load_file(tmp_path / "merged/model.safetensors") if "critic" in k]
