"""PPO on sessions: the advantages of a round, what learns from what, and a known optimum."""

import copy
import dataclasses

import pytest
import torch

from corgi_gym.agents.codec import ChatCodec
from corgi_gym.agents.engines import Sampling
from corgi_gym.agents.engines.transformers_engine import TransformersEngine
from corgi_gym.agents.episode import Attempt, Episode
from corgi_gym.agents.ppo import GuidedPPOConfig, GuidedPPOTrainer, token_rewards
from corgi_gym.agents.ppo_settings import CORGI_LORA, CORGI_SETTINGS, PPO_SETTINGS
from corgi_gym.agents.rollout import Rollout
from corgi_gym.envs import GuidedEnv


def config(folder, **settings):
    """A round of 16 sessions of different tasks in 2 optimizer steps of 2 micro-batches."""
    settings = {
        "max_steps": 4, "learning_rate": 1e-3, "critic_learning_rate": 1e-2, "num_generations": 1,
        "per_device_train_batch_size": 4, "gradient_accumulation_steps": 2,
        "steps_per_generation": 4, "lr_scheduler_type": "constant", "use_cpu": True, "bf16": False,
        "gradient_checkpointing": False, "shuffle_dataset": False, "report_to": "none",
        "logging_steps": 1, "logging_nan_inf_filter": False, "disable_tqdm": True,
        "save_strategy": "no", **settings,
    }  # fmt: skip
    return GuidedPPOConfig(output_dir=str(folder), **settings)


def letters(reply, target):
    """Rewards the letter e."""
    return min(1.0, reply.count("e") / 4)


@pytest.fixture
def trainer_of(tmp_path, tiny_tokenizer):
    """A function: a trainer of a model on the letter task."""

    def make(model, *, checker=letters, tokens=6, prompts="abcdefgh", attempts=2, **settings):
        lora = settings.pop("peft_config", None)
        rollout = Rollout(
            lambda: GuidedEnv(
                prompts=[f"Say something, {name}." for name in prompts],
                checker=checker,
                max_attempts=attempts,
            ),
            TransformersEngine(model),
            ChatCodec(tiny_tokenizer),
            Sampling(max_tokens=tokens),
            max_length=400,
        )
        return GuidedPPOTrainer(
            model,
            config(tmp_path / "out", **settings),
            rollout,
            processing_class=tiny_tokenizer,
            peft_config=lora,
        )

    return make


def rounds_of(trainer):
    """Train; returns the rounds' reports and batches."""
    reports, batches = [], []
    trainer.on_rollout = reports.append
    original = trainer._generate_and_score_completions

    def spy(inputs):
        batches.append(original(inputs))
        return batches[-1]

    trainer._generate_and_score_completions = spy
    trainer.train()
    return reports, batches


def mean_reward(report):
    return sum(e.reward for e in report.episodes) / len(report.episodes)


# ---------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"credit": "session"}, "credit compares the sessions of a group, and PPO has a critic"),
        ({"scale_rewards": "none"}, "leave scale_rewards='none' out, or choose another algorithm"),
        ({"gamma": 0.0}, r"gamma must be above 0 and at most 1, got 0\.0"),
        ({"gamma": float("nan")}, "gamma must be"),
        ({"lam": 1.5}, r"lam must be between 0 and 1, got 1\.5"),
        ({"critic": "head"}, "critic must be one of detached, shared, separate, got 'head'"),
        ({"critic_model": "x"}, "critic must be 'separate' for a critic_model, got 'detached'"),
        ({"critic_learning_rate": 0.0}, "critic_learning_rate must be positive, or None"),
        ({"critic_warmup_rounds": -1}, "critic_warmup_rounds must be 0 or more, got -1"),
        ({"vf_coef": -0.1}, r"vf_coef must be 0 or more, got -0\.1"),
        ({"cliprange_value": 0.0}, "cliprange_value must be positive, or None"),
        ({"reward_on": "turn"}, "reward_on must be one of attempt, session, got 'turn'"),
        ({"kl_in": "both"}, "kl_in must be one of reward, loss, got 'both'"),
        ({"beta": -1.0}, r"beta must be 0 or more, got -1\.0"),
        ({"kl_target": 6.0}, r"beta must be positive where kl_target is set, got 0\.0"),
        ({"beta": 0.1, "kl_target": 0.0}, "kl_target must be positive, or None"),
        ({"kl_gain": 0.0}, "kl_gain must be positive"),
        ({"num_iterations": 0}, "num_iterations must be 1 or more, got 0"),
        ({"beta": 0.1, "sync_ref_model": True}, "sync_ref_model=True .* leave it out with PPO"),
        ({"gradient_accumulation_steps": 3}, "steps_per_generation=4 must be a multiple of gradi"),
    ],
    ids=str,
)
def test_settings_that_cannot_be_are_named(tmp_path, settings, message):
    with pytest.raises(ValueError, match=message):
        config(tmp_path, **settings)


def test_no_group_is_needed(tmp_path):
    odd = config(tmp_path, per_device_train_batch_size=3, steps_per_generation=6)
    assert (odd.num_generations, odd.generation_batch_size) == (1, 18)
    assert config(tmp_path, num_generations=4).num_generations == 4
    with pytest.raises(ValueError, match="divisible by num_generations"):
        config(tmp_path, num_generations=3)
    with pytest.raises(ValueError, match="sessions per round must be 2 or more, got 1"):
        config(tmp_path, per_device_train_batch_size=1, steps_per_generation=1)


@pytest.mark.parametrize("preset", [PPO_SETTINGS, CORGI_SETTINGS], ids=["ppo", "corgi"])
def test_presets_are_settings(tmp_path, preset):
    assert set(preset) <= {f.name for f in dataclasses.fields(GuidedPPOConfig)}
    made = config(tmp_path, **preset)
    assert all(getattr(made, name) == value for name, value in preset.items())


# ---------------------------------------------------------------- a round's advantages


def make_episode(rewards, *, prompt=3, tokens=2, between=1):
    """A session with one attempt per reward; None is an attempt whose checker failed."""
    episode = Episode("f", "f/0", 0, 0, 0)
    for t, reward in enumerate(rewards):
        said = prompt if t == 0 else between
        episode.token_ids += [7] * said + [9] * tokens
        episode.turn_ends.append(len(episode.token_ids))
        episode.step_rewards.append(reward or 0.0)
        episode.attempts.append(
            Attempt("r", "f", reward or 0.0, False, reward is None, False, [], tokens)
        )
    return episode


def test_rewards_stand_on_last_tokens():
    episodes = [make_episode([0.2, None, 0.5]), make_episode([0.3, None]), make_episode([None])]
    # tokens after the prompt: two of attempt 1, feedback, two of attempt 2, feedback, two
    assert torch.equal(
        token_rewards(episodes, 8, "attempt"),
        torch.tensor([[0, 0.2, 0, 0, 0, 0, 0, 0.5], [0, 0.3, 0, 0, 0, 0, 0, 0], [0] * 8]),
    )
    assert torch.equal(
        token_rewards(episodes, 8, "session"),
        torch.tensor([[0, 0, 0, 0, 0, 0, 0, 0.7], [0, 0.3, 0, 0, 0, 0, 0, 0], [0] * 8]),
    )


def expected_advantages(episode, values, penalty, settings):
    """Advantages and returns of one session in plain Python, by place after the prompt."""
    start = episode.turn_ends[0] - episode.attempts[0].tokens
    steps = []  # (place, reward) of the tokens of the attempts that were scored
    for t, attempt in enumerate(episode.attempts):
        places = range(episode.turn_ends[t] - attempt.tokens, episode.turn_ends[t])
        if not attempt.unscored:
            steps += [(place - start, 0.0) for place in places]
            steps[-1] = (steps[-1][0], episode.step_rewards[t])
    if settings.reward_on == "session" and steps:
        total = sum(reward for _, reward in steps)
        steps = [(place, 0.0) for place, _ in steps[:-1]] + [(steps[-1][0], total)]
    advantages, returns, later, after = {}, {}, 0.0, 0.0
    for place, reward in reversed(steps):
        delta = reward - penalty[place] + settings.gamma * after - values[place]
        later = delta + settings.gamma * settings.lam * later
        after = values[place]
        advantages[place], returns[place] = later, later + after
    return advantages, returns


def shaky(reply, target):
    """Fails now and then; never full marks, so that sessions have two attempts."""
    if len(reply) % 3 == 0:
        raise RuntimeError("no dictionary")
    return letters(reply, target) / 2


@pytest.mark.parametrize("reward_on", ["attempt", "session"])
def test_a_rounds_advantages_are_gae_over_its_sessions(tiny_model, trainer_of, reward_on):
    """Unscored attempts, feedback and padding included, with a KL penalty in the rewards."""
    trainer = trainer_of(
        tiny_model, checker=shaky, reward_on=reward_on, gamma=0.95, lam=0.9, beta=0.3,
        whiten_advantages=False, max_steps=4,
    )  # fmt: skip
    reports, batches = rounds_of(trainer)
    batch = batches[1]  # the critic and the policy have moved
    kept = batch["completion_mask"] * batch["tool_mask"]
    logps = trainer._score_round(trainer.ref_model, batch, values=False)[0]
    assert batch["old_values"].abs().max() > 1e-3
    flags, largest = set(), 0.0
    for row, episode in enumerate(reports[1].episodes):
        # the transformers engine in float32 has the trainer's log-probs
        penalty = (0.3 * (batch["old_per_token_logps"][row] - logps[row])).tolist()
        largest = max(largest, *map(abs, penalty))
        advantages, returns = expected_advantages(
            episode, batch["old_values"][row].tolist(), penalty, trainer.args
        )
        assert sorted(advantages) == kept[row].nonzero().flatten().tolist()
        for name, numbers in (("advantages", advantages), ("returns", returns)):
            full = [numbers.get(place, 0.0) for place in range(kept.shape[1])]
            assert batch[name][row].tolist() == pytest.approx(full, abs=1e-4)
        flags.update((t, a.unscored) for t, a in enumerate(episode.attempts))
    assert flags == {(0, False), (0, True), (1, False), (1, True)} and largest > 1e-3


def test_whitened_advantages_have_mean_zero_and_variance_one(tiny_model, trainer_of):
    _, batches = rounds_of(trainer_of(tiny_model, max_steps=2))
    kept = (batches[0]["completion_mask"] * batches[0]["tool_mask"]).bool()
    advantages = batches[0]["advantages"]
    assert float(advantages[kept].mean()) == pytest.approx(0, abs=1e-5)
    assert float(advantages[kept].var(unbiased=False)) == pytest.approx(1, abs=1e-4)
    assert advantages[~kept].abs().sum() == 0


def test_epochs_reuse_a_rounds_sessions_in_another_order(tiny_model, trainer_of):
    trainer = trainer_of(tiny_model, num_iterations=2, max_steps=8)
    rows = []
    original = trainer._compute_loss

    def spy(model, inputs):
        rows.append([tuple(ids) for ids in inputs["completion_ids"].tolist()])
        return original(model, inputs)

    trainer._compute_loss = spy
    reports, batches = rounds_of(trainer)
    assert [r.step for r in reports] == [0, 4] and len(rows) == 16
    for r, batch in enumerate(batches):
        everything = sorted(map(tuple, batch["completion_ids"].tolist()))
        epochs = [
            [ids for part in rows[start : start + 4] for ids in part]
            for start in (8 * r, 8 * r + 4)
        ]
        assert [sorted(epoch) for epoch in epochs] == [everything] * 2
        assert set(epochs[0][:8]) != set(epochs[1][:8])
    # each task once: 16 sessions a round, and two rounds
    assert trainer.train_dataset["index"] == list(range(32))


# ---------------------------------------------------------------- the loss


def gradients(trainer, batches):
    """Gradients of micro-batches, as one optimizer step sums them."""
    trainer.model.zero_grad()
    trainer.model.train()
    trainer.current_gradient_accumulation_steps = trainer.args.gradient_accumulation_steps
    for batch in batches:
        trainer._compute_loss(trainer.model, batch).backward()
    return {
        name: p.grad.clone()
        for name, p in trainer.model.named_parameters()
        if p.grad is not None and p.grad.abs().sum() > 0
    }


def made_up_batch(rows=16, width=9):
    """A round as `_generate_and_score_completions` leaves it."""
    generator = torch.Generator().manual_seed(0)
    mask = torch.ones(rows, width).long()
    for i in range(rows):
        mask[i, 3 + i % (width - 2) :] = 0
    tool_mask = (torch.rand(rows, width, generator=generator) < 0.8).long()
    tool_mask[:, 0] = 1
    has_advantage = (torch.arange(rows) % 2)[:, None]
    return {
        "prompt_ids": torch.randint(3, 300, (rows, 4), generator=generator),
        "prompt_mask": torch.ones(rows, 4).long(),
        "completion_ids": torch.randint(3, 300, (rows, width), generator=generator),
        "completion_mask": mask,
        "tool_mask": tool_mask,
        "num_items_in_batch": (mask * tool_mask).sum(),
        "advantages": torch.randn(rows, width, generator=generator) * has_advantage,
        "old_per_token_logps": -5.5 + torch.randn(rows, width, generator=generator) / 2,
        "returns": torch.rand(rows, width, generator=generator),
        "old_values": torch.rand(rows, width, generator=generator) / 10,
    }  # fmt: skip


@pytest.mark.parametrize("critic", ["detached", "shared"])
def test_micro_batches_sum_to_the_whole_rounds_gradient(tiny_model, trainer_of, critic):
    """Rows without any advantage included: the critic learns from them."""
    trainer = trainer_of(tiny_model, critic=critic, gradient_accumulation_steps=4)
    batch = made_up_batch()
    micro = trainer._micro_batches(batch)
    rows = sorted(row for part in micro for row in part["completion_ids"].tolist())
    assert len(micro) == 4 and rows == sorted(batch["completion_ids"].tolist())
    whole, parts = gradients(trainer, [batch]), gradients(trainer, micro)
    assert whole.keys() == parts.keys() and "critic.head.weight" in whole
    scale = max(float(g.abs().max()) for g in whole.values())
    for name, gradient in whole.items():
        torch.testing.assert_close(gradient, parts[name], rtol=1e-3, atol=1e-4 * scale)


@pytest.mark.parametrize("critic", ["detached", "shared", "separate"])
def test_only_a_shared_critic_moves_the_policy(tiny_model, trainer_of, critic):
    trainer = trainer_of(tiny_model, critic=critic)
    with torch.no_grad():
        trainer.critic.head.weight.normal_(generator=torch.Generator().manual_seed(0))
    policy = {}
    for weight in (0.0, 0.5):
        trainer.args.vf_coef = weight
        found = gradients(trainer, [made_up_batch()])
        policy[weight] = {n: g for n, g in found.items() if not n.startswith("critic.")}
        assert any(n.startswith("critic.") for n in found) == (weight > 0)
    same = all(torch.allclose(g, policy[0.5][n], atol=1e-7) for n, g in policy[0.0].items())
    assert policy[0.0].keys() == policy[0.5].keys() and same == (critic != "shared")


def test_the_value_loss_by_hand(tiny_model, trainer_of):
    trainer = trainer_of(tiny_model, vf_coef=0.25)
    batch = made_up_batch()
    trainer.model.train()
    trainer.current_gradient_accumulation_steps = 4
    with torch.no_grad():
        trainer.critic.head.bias.fill_(0.2)
        loss = trainer._compute_loss(trainer.model, batch)
        trainer.args.vf_coef = 0.0
        policy_loss = trainer._compute_loss(trainer.model, batch)
    kept = (batch["completion_mask"] * batch["tool_mask"]).bool()
    old, target = batch["old_values"][kept], batch["returns"][kept]
    clipped = 0.2 if trainer.args.cliprange_value is None else (0.2 - old).clamp(-0.2, 0.2) + old
    expected = torch.maximum((0.2 - target) ** 2, (clipped - target) ** 2).mean() / 2
    assert float(loss - policy_loss) == pytest.approx(0.25 * float(expected), rel=1e-4)


def test_the_critic_has_a_learning_rate_and_a_clip_of_its_own(tiny_model, trainer_of):
    trainer = trainer_of(tiny_model)
    groups = trainer.create_optimizer().param_groups
    assert [group["lr"] for group in groups] == [1e-3, 1e-3, 1e-2]
    assert set(groups[2]["params"]) == set(trainer.critic.parameters())
    held = [p for group in groups for p in group["params"]]
    assert len(held) == len(set(held)) == len(list(tiny_model.parameters()))
    for parameter in tiny_model.parameters():
        parameter.grad = torch.full_like(parameter, 1e-6)
    trainer.critic.head.weight.grad.fill_(100.0)
    before = tiny_model.model.norm.weight.grad.clone()
    trainer._clip_grad_norm(tiny_model)
    assert torch.equal(tiny_model.model.norm.weight.grad, before)
    own = torch.cat([p.grad.flatten() for p in trainer.critic.parameters()])
    assert float(own.norm()) == pytest.approx(1.0, rel=1e-3)


@pytest.mark.parametrize(
    "terms", [{}, {"beta": 0.1, "kl_in": "loss"}, {"entropy_coef": 0.01}], ids=str
)
@pytest.mark.parametrize("critic", ["detached", "shared"])
def test_in_the_warm_up_the_critic_learns_alone(tiny_model, trainer_of, critic, terms):
    """The KL is zero there, and the rounding of its gradient would be a full step of Adam."""
    trainer = trainer_of(tiny_model, critic=critic, critic_warmup_rounds=1, max_steps=3, **terms)
    weights = []
    sync = trainer.sync

    def spy():
        weights.append(copy.deepcopy(tiny_model.state_dict()))
        sync()

    trainer.sync = spy
    rounds_of(trainer)
    changed = {n for n, tensor in weights[0].items() if not torch.equal(tensor, weights[1][n])}
    assert changed == {n for n in weights[0] if n.startswith("critic.")}
    assert not torch.equal(weights[1]["model.norm.weight"], tiny_model.model.norm.weight)


# ---------------------------------------------------------------- training


def one_letter(reply, target):
    """Pays for one token with an e in it."""
    return "e" in reply


def test_the_value_of_a_fixed_policy_is_its_expected_reward(tiny_model, tiny_tokenizer, trainer_of):
    """One state, one token, and a policy that stays: the value is a sum over the vocabulary."""

    def vowel(reply, target):
        return any(letter in reply for letter in "aeiou")

    trainer = trainer_of(
        tiny_model, checker=vowel, tokens=1, prompts="a", attempts=1, learning_rate=1e-12,
        critic_learning_rate=5e-3, lr_scheduler_type="linear", cliprange_value=None,
        per_device_train_batch_size=16, num_iterations=2, max_steps=40,
    )  # fmt: skip
    _, batches = rounds_of(trainer)
    prompt = torch.tensor([trainer.rollout.codec.start("Say something, a.")])
    with torch.no_grad():
        odds = tiny_model(input_ids=prompt).logits[0, -1].softmax(-1)
    pays = [float(vowel(tiny_tokenizer.decode([i]), None)) for i in range(len(odds))]
    expected = float((odds * torch.tensor(pays)).sum())
    assert 0.25 < expected < 0.75
    values = [float(batch["old_values"][:, 0].mean()) for batch in batches]
    assert values[0] == 0.0
    assert sum(values[-2:]) / 2 == pytest.approx(expected, abs=0.1), values


@pytest.mark.parametrize("preset", ["ppo", "corgi"])
def test_the_policy_comes_near_the_optimum(tiny_model, trainer_of, preset):
    """An e in a one-token reply is always possible: the best policy earns 1 in each session."""
    settings = {**(PPO_SETTINGS if preset == "ppo" else CORGI_SETTINGS)}
    settings.update(learning_rate=4e-3, num_generations=1, critic_learning_rate=1e-2)
    if preset == "corgi":
        settings["beta"] = 0.01  # its penalty is made for replies of many tokens
    steps = 10 * 2 * settings["num_iterations"]
    trainer = trainer_of(tiny_model, checker=one_letter, tokens=1, max_steps=steps, **settings)
    reports, _ = rounds_of(trainer)
    rewards = [mean_reward(report) for report in reports]
    assert len(rewards) == 10 and rewards[0] < 0.6
    assert sum(rewards[-2:]) / 2 > 0.9
    logs = [row for row in trainer.state.log_history if "ppo/explained_variance" in row]
    assert len(logs) == 10 and ("ppo/kl_coef" in logs[0]) == (preset == "corgi")


def test_an_adaptive_coefficient_follows_the_divergence(tiny_model, trainer_of):
    trainer = trainer_of(tiny_model, beta=0.1, kl_target=1e-4, kl_gain=0.5, kl_in="loss")
    trainer.train()
    logs = [row for row in trainer.state.log_history if "ppo/kl" in row]
    # no divergence before the first step, far more than the target after it
    assert logs[0]["ppo/kl"] == pytest.approx(0, abs=1e-5) and logs[1]["ppo/kl"] > 1e-3
    # each round's loss has the coefficient that its own divergence has set
    assert [row["ppo/kl_coef"] for row in logs] == pytest.approx([0.09, 0.09 * 1.1])
    assert trainer.kl.coef == pytest.approx(0.09 * 1.1)
    assert all("kl" in row for row in trainer.state.log_history if "loss" in row)


def test_lora_trains_the_adapter_and_the_critic(tiny_model, trainer_of):
    peft = pytest.importorskip("peft")
    before = copy.deepcopy(tiny_model.state_dict())
    lora = peft.LoraConfig(**CORGI_LORA, target_modules=["q_proj", "v_proj"])
    trainer = trainer_of(tiny_model, peft_config=lora, **{**CORGI_SETTINGS, "learning_rate": 1e-2})
    assert trainer.ref_model is None
    trainer.train()
    logs = [row for row in trainer.state.log_history if "ppo/kl" in row]
    assert logs[0]["ppo/kl"] == pytest.approx(0, abs=1e-5)
    after = trainer.model.get_base_model().state_dict()
    for name, tensor in after.items():
        if "lora_" not in name and not name.startswith("critic."):
            assert torch.equal(tensor, before[name.replace(".base_layer", "")]), name
    assert trainer.critic.head.weight.abs().sum() > 0
    assert any(t.abs().sum() > 0 for n, t in after.items() if "lora_B" in n)


# ---------------------------------------------------------------- checkpoints


def test_the_engine_is_given_the_policy_alone(tiny_model, trainer_of):
    names = [name for name, _ in tiny_model.named_parameters()]
    trainer = trainer_of(tiny_model, critic="separate")
    given = []
    trainer.rollout.engine.load_weights = lambda named: given.extend(name for name, _ in named)
    trainer.sync()
    assert given == names and tiny_model.critic is trainer.critic


def test_going_on_from_a_checkpoint_equals_going_on(tiny_model, trainer_of, tmp_path):
    """Policy, critic, their optimizer and the KL coefficient, bit for bit."""
    settings = {"beta": 0.1, "kl_target": 1e-3, "num_iterations": 2}
    other = copy.deepcopy(tiny_model)
    whole = trainer_of(tiny_model, max_steps=8, **settings)
    whole.keep_checkpoints(tmp_path / "checkpoints", every=1)
    whole.train()
    resumed = trainer_of(other, max_steps=8, **settings)
    resumed.train(resume_from_checkpoint=tmp_path / "checkpoints" / "round-00001")
    assert resumed.state.global_step == 8 and resumed.kl.coef == whole.kl.coef != 0.1
    expected = tiny_model.state_dict()
    assert expected["critic.head.weight"].abs().sum() > 0
    for name, tensor in other.state_dict().items():
        assert torch.equal(tensor, expected[name]), name
