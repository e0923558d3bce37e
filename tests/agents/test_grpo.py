"""Training: TRL's loss on our rows, credit on the right tokens, and a reward that rises."""

import copy
import itertools
import math

import pytest
import torch
from datasets import Dataset
from trl import GRPOConfig, GRPOTrainer

from corgi_gym.agents import lean, logps
from corgi_gym.agents.batches import split_evenly, take_rows, trl_rollout
from corgi_gym.agents.credit import attempt_advantages
from corgi_gym.agents.engines import EngineError
from corgi_gym.agents.engines.transformers_engine import TransformersEngine
from corgi_gym.agents.episode import Attempt, Episode
from corgi_gym.agents.grpo import GuidedGRPOConfig, GuidedGRPOTrainer
from corgi_gym.agents.health import UnhealthyError, session_name
from corgi_gym.agents.sync import PROBE_TOKENS
from corgi_gym.envs import GuidedEnv

SPEC = {
    "rounds": 2, "sessions": 16, "num_generations": 4, "updates": 2, "micro_batch": 4,
    "learning_rate": 1e-3, "max_attempts": 2,
}  # fmt: skip


def letters(reply, target):
    """Rewards the letter e."""
    return min(1.0, reply.count("e") / 4)


@pytest.fixture
def trainer_of(make_tiny_trainer):
    """A function: a trainer of a model on the letter task."""

    def make(model, *, checker=letters, spec=None, engine=None, on_rollout=None, **options):
        def make_env():
            prompts = [f"Say something, {name}." for name in "abcdefgh"]
            return GuidedEnv(prompts=prompts, checker=checker, max_attempts=2)

        algorithm = options.pop("algorithm", "turn_grpo")
        temperature = options.pop("temperature", 1.0)
        return make_tiny_trainer(
            model, make_env, {**SPEC, **(spec or {})}, algorithm=algorithm, engine=engine,
            temperature=temperature, options=options, on_rollout=on_rollout,
        )  # fmt: skip

    return make


def random_batch(rows=8, prompt=7, width=11, seed=0, advantages=None):
    """What TRL hands to its loss, for rows of random lengths."""
    g = torch.Generator().manual_seed(seed)
    prompt_ids = torch.randint(3, 380, (rows, prompt), generator=g)
    completion_ids = torch.randint(3, 380, (rows, width), generator=g)
    prompt_mask, completion_mask = torch.ones(rows, prompt).long(), torch.ones(rows, width).long()
    for i in range(rows):
        prompt_mask[i, : int(torch.randint(0, prompt - 1, (1,), generator=g))] = 0
        completion_mask[i, int(torch.randint(3, width + 1, (1,), generator=g)) :] = 0
    tool_mask = (torch.rand(rows, width, generator=g) < 0.7).long()
    tool_mask[:, 0] = 1
    tool_mask[2] = 0  # a session without any scored token
    if advantages is None:
        advantages = torch.randn(rows, generator=g)
    return {
        "prompt_ids": prompt_ids,
        "prompt_mask": prompt_mask,
        "completion_ids": completion_ids,
        "completion_mask": completion_mask,
        "tool_mask": tool_mask,
        "advantages": advantages,
        "num_items_in_batch": (completion_mask * tool_mask).sum(),
        # far enough from the policy for some ratios to be clipped
        "old_per_token_logps": -5.5 + torch.randn(rows, width, generator=g) / 2,
        "ref_per_token_logps": -6 + torch.randn(rows, width, generator=g) / 4,
    }


def gradients(trainer, batches):
    """Loss and gradients of micro-batches, as one optimizer step sums them."""
    model = trainer.model
    model.zero_grad()
    model.train()
    trainer.current_gradient_accumulation_steps = trainer.args.gradient_accumulation_steps
    total = 0.0
    for batch in batches:
        loss = trainer._compute_loss(model, batch)
        loss.backward()
        total += float(loss.detach())
    return total, {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}


def assert_same(one, other):
    assert one[0] == pytest.approx(other[0], rel=1e-4, abs=1e-6)
    assert one[1].keys() == other[1].keys()
    scale = max(float(g.abs().max()) for g in other[1].values())
    assert scale > 0
    for name, gradient in one[1].items():
        torch.testing.assert_close(gradient, other[1][name], rtol=1e-3, atol=1e-4 * scale)


@pytest.mark.parametrize("per_token", [False, True], ids=["rows", "tokens"])
@pytest.mark.parametrize(
    ("loss_type", "options"),
    [
        ("dapo", {}),
        ("dapo", {"temperature": 0.8, "beta": 0.1}),
        ("grpo", {"temperature": 0.7}),
        ("grpo", {"beta": 0.1}),
        # gspo, with ranges that clip some of the rows and not all
        ("grpo", {"importance_sampling_level": "sequence", "epsilon": 0.1, "epsilon_high": 0.1}),
        ("grpo", {"importance_sampling_level": "sequence", "epsilon": 0.1, "beta": 0.1}),
        ("dr_grpo", {}),
        ("dr_grpo", {"temperature": 0.7, "beta": 0.1}),
        ("cispo", {"epsilon_high": 5.0}),
        ("bnpo", {}),
        ("sapo", {}),
        ("luspo", {"importance_sampling_level": "sequence"}),
        ("vespo", {}),
    ],
    ids=str,
)
def test_loss_and_gradients_are_trls(
    tiny_model, tiny_tokenizer, trainer_of, tmp_path, loss_type, options, per_token
):
    settings = {
        "loss_type": loss_type, "beta": 0.0, "temperature": 1.0, "epsilon_high": 0.28,
        "bf16": False, **options,
    }  # fmt: skip
    reference_model = copy.deepcopy(tiny_model)
    ours = trainer_of(tiny_model, **settings)
    reference = GRPOTrainer(
        model=reference_model,
        args=GRPOConfig(
            output_dir=str(tmp_path / "trl"), max_steps=4, use_cpu=True, report_to="none",
            per_device_train_batch_size=4, gradient_accumulation_steps=2, steps_per_generation=4,
            num_generations=4, gradient_checkpointing=False,
            max_completion_length=ours.args.max_completion_length, **settings,
        ),
        reward_funcs=lambda completions, **_: [0.0] * len(completions),
        train_dataset=Dataset.from_list([{"prompt": "x"}] * 4),
        processing_class=tiny_tokenizer,
    )  # fmt: skip
    batch = random_batch()
    mine = dict(batch)
    if per_token:
        mine["advantages"] = batch["advantages"][:, None].expand(-1, 11).clone()
    got, expected = gradients(ours, [mine]), gradients(reference, [batch])
    assert_same(got, expected)
    metrics = ours._metrics["train"], reference._metrics["train"]
    # of one ratio per row TRL logs the share of rows; with advantages per token, that of tokens
    other_unit = per_token and "importance_sampling_level" in options
    for name in ("entropy", "clip_ratio/region_mean", "cispo_clip_ratio", "kl"):
        assert (name in metrics[0]) == (name in metrics[1])
        if name in metrics[0] and not (other_unit and name == "clip_ratio/region_mean"):
            assert metrics[0][name] == pytest.approx(metrics[1][name], rel=1e-3)
    if "clip_ratio/region_mean" in metrics[0]:
        assert 0 < metrics[0]["clip_ratio/region_mean"][0] < 1


def test_old_log_probs_are_those_of_the_loss_to_the_last_bit(tiny_model, trainer_of):
    """GSPO clips at 3e-4: the rounding of other layers would clip sessions that never moved."""
    trainer = trainer_of(tiny_model, algorithm="gspo")
    assert trainer.args.bf16
    batch = random_batch()
    ids = torch.cat([batch["prompt_ids"], batch["completion_ids"]], 1)
    attention = torch.cat([batch["prompt_mask"], batch["completion_mask"]], 1)
    score = trainer._get_per_token_logps_and_entropies
    with torch.no_grad():
        old, _, _ = score(trainer.model, ids, attention, 11, 4)
    assert not old.requires_grad
    scored = batch["completion_mask"] * batch["tool_mask"]
    trainer._score_mask = scored
    new, _, _ = score(trainer.model, ids, attention, 11, 4)
    assert new.requires_grad and torch.equal(new[scored.bool()], old[scored.bool()])


def test_the_head_is_applied_to_scored_tokens_alone(tiny_model, trainer_of, monkeypatch):
    from corgi_gym.agents import logps

    rows, original = [], logps.chosen_logps

    def spy(hidden, *args):
        rows.append(len(hidden))
        return original(hidden, *args)

    monkeypatch.setattr(logps, "chosen_logps", spy)
    batch = random_batch()
    gradients(trainer_of(tiny_model, bf16=False), [batch])
    assert rows == [int((batch["completion_mask"] * batch["tool_mask"]).sum())]


# ---------------------------------------------------------------- micro-batches


@pytest.mark.parametrize("parts", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("rows", [0, 1, 3, 4, 5, 16, 33])
def test_chunks_use_every_row_once(rows, parts):
    lengths = [10 + 7 * i % 40 for i in range(rows)]
    order = sorted(range(rows), key=lengths.__getitem__)
    chunks = split_evenly(order, parts, lengths)
    assert len(chunks) == parts
    assert [i for chunk in chunks for i in chunk] == order
    assert sum(not chunk for chunk in chunks) == max(0, parts - rows)


def test_chunks_have_about_equal_tokens():
    lengths = [20] * 12 + [100] * 4
    sizes = [sum(lengths[i] for i in c) for c in split_evenly(list(range(16)), 4, lengths)]
    assert max(sizes) <= 2 * min(sizes)
    assert [len(c) for c in split_evenly(list(range(16)), 4, [1] * 16)] == [4, 4, 4, 4]
    # one very long row does not starve the rest
    assert all(split_evenly(list(range(4)), 4, [1, 1, 1, 1000]))
    assert all(split_evenly(list(range(5)), 4, [1000, 1, 1, 1, 1]))


def test_taking_rows_keeps_totals_and_no_rows_means_no_advantage():
    batch = random_batch()
    part = take_rows(batch, [5, 1])
    assert torch.equal(part["completion_ids"], batch["completion_ids"][[5, 1]])
    assert part["num_items_in_batch"] is batch["num_items_in_batch"]
    nothing = take_rows(batch, [])
    assert len(nothing["advantages"]) == 1 and nothing["advantages"].abs().sum() == 0
    assert batch["advantages"].abs().sum() > 0
    paired = {**batch, "paired": torch.ones(len(batch["advantages"]))}
    assert take_rows(paired, [])["paired"].tolist() == [0.0]
    assert take_rows(paired, [1])["paired"].tolist() == [1.0]


def some_without_advantage(active=(1, 4, 5, 11, 12)):
    """A round of 16 rows of which only the ``active`` ones have an advantage."""
    advantages = torch.zeros(16, 11)
    values = torch.tensor([1.0, -0.5, 2.0, 0.3, -1.0])[: len(active)]
    advantages[list(active)] = values[:, None]
    return random_batch(rows=16, advantages=advantages)


# Each loss whose rows can be left out, with settings that make it count in the tests.
SKIPPING = {
    "dapo": {},
    "cispo": {"epsilon_high": 5.0},
    "vespo": {},
    "grpo": {},
    "dr_grpo": {},
    "sapo": {},
    "luspo": {},
    "gspo": {"loss_type": "grpo", "importance_sampling_level": "sequence"},
}


def skipping(name):
    return {"loss_type": name, **SKIPPING[name]}


@pytest.mark.parametrize("active", [(1, 4, 5, 11, 12), (1,)], ids=["some", "one"])
@pytest.mark.parametrize("name", SKIPPING)
def test_skipping_rows_without_advantage_changes_no_gradient(tiny_model, trainer_of, name, active):
    trainer = trainer_of(tiny_model, bf16=False, **skipping(name))
    batch = some_without_advantage(active)
    micro = trainer._micro_batches(batch)
    assert len(micro) == 4
    used = [row.tolist() for m in micro for row in m["completion_ids"]]
    wanted = batch["completion_ids"][list(active)].tolist()
    # every row that counts is there once; others only to fill a micro-batch that has none
    counted = [
        row.tolist()
        for m in micro
        for row, a in zip(m["completion_ids"], m["advantages"], strict=True)
        if a.abs().sum() > 0
    ]
    assert sorted(counted) == sorted(wanted)
    assert len(used) == len(wanted) + sum("empty" in m for m in micro) < 16
    whole = [take_rows(batch, list(range(i, i + 4))) for i in range(0, 16, 4)]
    assert_same(gradients(trainer, micro), gradients(trainer, whole))


def test_a_round_in_which_every_row_counts_is_split_as_ever(tiny_model, trainer_of):
    """Nothing is left out of a mean over rows, so nothing is weighed."""
    trainer = trainer_of(tiny_model, loss_type="grpo", bf16=False)
    batch = some_without_advantage(range(5))
    batch["advantages"] = torch.ones(16, 11)
    batch["tool_mask"][:, 0] = 1
    micro = trainer._micro_batches(batch)
    assert [(len(m["advantages"]), m["share"]) for m in micro] == [(4, 1.0)] * 4


@pytest.mark.parametrize(
    ("algorithm", "options"),
    [
        *(("turn_grpo", {**skipping(name), "beta": 0.1}) for name in SKIPPING),
        *(("turn_grpo", {**skipping(name), "entropy_coef": 0.01}) for name in SKIPPING),
        ("turn_grpo", {"loss_type": "bnpo"}),
        ("turn_grpo", {"top_entropy_quantile": 0.5}),
        ("echo", {"feedback_weight": 0.05}),
        ("echo", {"feedback_weight": 0.05, "loss_type": "grpo"}),
        ("ppo", {}),
        ("ppo", {"loss_type": "grpo"}),
    ],
    ids=str,
)
def test_rows_are_kept_where_they_count(tiny_model, trainer_of, algorithm, options):
    trainer = trainer_of(tiny_model, algorithm=algorithm, bf16=False, **options)
    batch = some_without_advantage()
    micro = trainer._micro_batches(batch)
    used = [row.tolist() for m in micro for row in m["completion_ids"]]
    assert sorted(used) == sorted(batch["completion_ids"].tolist())
    assert not any("share" in m for m in micro)


def test_a_mean_over_the_tokens_of_a_micro_batch_gets_rows_by_chance(tiny_model, trainer_of):
    """For bnpo, which would weigh the tokens of short rows more if these stood together."""
    batch = random_batch(rows=16)
    batch["completion_mask"] = (torch.arange(11)[None] < torch.arange(16)[:, None] % 8 + 3).long()
    batch["advantages"] = batch["advantages"][:, None].expand(-1, 11).clone()
    spread = {}
    for loss_type in ("grpo", "bnpo"):
        trainer = trainer_of(tiny_model, loss_type=loss_type, bf16=False, spec={"updates": 1})
        trainer._shares = lambda longest: False
        lengths = [
            (m["prompt_mask"].sum(1) + m["completion_mask"].sum(1)).float()
            for m in trainer._micro_batches(batch)
        ]
        spread[loss_type] = sum(float(part.std()) for part in lengths)
    assert spread["bnpo"] > 1.5 * spread["grpo"], spread


def test_a_loss_that_is_a_mean_over_rows_weighs_rows_alike(tiny_model, trainer_of):
    """Micro-batches of equal token counts would weigh short rows less."""
    trainer = trainer_of(tiny_model, loss_type="grpo", bf16=False, spec={"updates": 1})
    batch = random_batch(rows=16)
    batch["completion_mask"][:8, 3:] = 0
    batch["tool_mask"][:, 0] = 1  # every row counts
    batch["advantages"] = batch["advantages"][:, None].expand(-1, 11).clone()
    micro = trainer._micro_batches(batch)
    assert [len(m["advantages"]) for m in micro] == [4, 4, 4, 4]
    whole = gradients(trainer, [batch])
    parts = gradients(trainer, micro)
    # one batch of 16 is divided by the 4 accumulation steps as well
    assert_same((parts[0] / 4, {n: g / 4 for n, g in parts[1].items()}), whole)


def test_a_round_splits_its_rows_over_optimizer_steps_at_random(tiny_model, trainer_of):
    trainer = trainer_of(tiny_model)
    batch = random_batch(rows=16, advantages=torch.ones(16, 11))
    batch["tool_mask"][:] = 1
    first, again = trainer._micro_batches(batch), trainer._micro_batches(batch)
    for a, b in zip(first, again, strict=True):
        assert torch.equal(a["completion_ids"], b["completion_ids"])
    rows = batch["completion_ids"].tolist()
    step = [rows.index(r) for m in first[:2] for r in m["completion_ids"].tolist()]
    assert len(step) == 8 and sorted(step) != list(range(8))
    trainer.state.global_step = 2
    other = trainer._micro_batches(batch)
    assert {tuple(r) for m in other[:2] for r in m["completion_ids"].tolist()} != {
        tuple(rows[i]) for i in step
    }


def groups_of_four():
    """Four prompts, four sessions of each, in an order that mixes them."""
    batch = random_batch(rows=16, advantages=torch.ones(16, 11))
    batch["tool_mask"][:] = 1
    for name in ("prompt_ids", "prompt_mask"):
        batch[name] = batch[name][[0, 1, 2, 3] * 4]
    return batch


@pytest.mark.parametrize("shares", [True, False])
def test_rows_that_share_work_are_together(tiny_model, trainer_of, shares, monkeypatch):
    """Sessions of one prompt where its tokens are computed once, else sessions of like length."""
    trainer = trainer_of(tiny_model, spec={"updates": 1}, bf16=False)
    if not shares:
        monkeypatch.setattr(lean, "shares_prefixes", lambda model: False)
    batch = groups_of_four()
    micro = trainer._micro_batches(batch)
    rows = [row for m in micro for row in zip(m["prompt_ids"].tolist(), _lengths(m), strict=True)]
    assert len(rows) == 16
    changes = sum(a[0] != b[0] for a, b in itertools.pairwise(rows))
    lengths = [length for _, length in rows]
    if shares:
        assert changes == 3
    else:
        assert changes > 3 and lengths == sorted(lengths)
    whole = [take_rows(batch, list(range(i, i + 4))) for i in range(0, 16, 4)]
    assert_same(gradients(trainer, micro), gradients(trainer, whole))


def _lengths(batch):
    return (batch["prompt_mask"].sum(1) + batch["completion_mask"].sum(1)).tolist()


# ---------------------------------------------------------------- unscored attempts


def make_episode(rewards, *, prompt=3, tokens=4, between=2):
    """A session with one attempt per reward; None is an attempt whose checker failed."""
    episode = Episode("f", "f/0", 0, 0, 0)
    for t, reward in enumerate(rewards):
        said = prompt if t == 0 else between
        episode.token_ids += [7] * said + [9] * tokens
        episode.model_mask += [0] * said + [1] * tokens
        episode.logprobs += [0.0] * said + [-1.0] * tokens
        episode.turn_ends.append(len(episode.token_ids))
        episode.step_rewards.append(reward or 0.0)
        episode.attempts.append(
            Attempt("r", "f", reward or 0.0, False, reward is None, False, [], tokens)
        )
    return episode


def test_unscored_attempts_are_no_part_of_the_loss():
    rows = trl_rollout([make_episode([0.2, None, 0.5]), make_episode([None, None])])
    assert rows["env_mask"][0] == [1] * 4 + [0] * 2 + [0] * 4 + [0] * 2 + [1] * 4
    assert sum(rows["env_mask"][1]) == 0
    assert rows["reward"] == [pytest.approx(0.7), None]
    assert rows["prompt_ids"][0] == [7] * 3
    assert rows["completion_ids"][0] == [9] * 4 + ([7] * 2 + [9] * 4) * 2
    assert [len(rows[k][0]) for k in ("completion_ids", "logprobs", "env_mask")] == [16] * 3


@pytest.mark.parametrize("algorithm", ["turn_grpo", "rloo"])
def test_each_attempt_has_its_advantage_on_its_own_tokens(tiny_model, trainer_of, algorithm):
    trainer = trainer_of(tiny_model, algorithm=algorithm)
    trainer.model.train()
    episodes = [
        make_episode([0.2, None, 0.5]),
        make_episode([0.2, 0.3]),
        make_episode([None, None]),  # says nothing, and is in nobody's baseline
        make_episode([1.0]),
        *(make_episode([0.0, 0.0]) for _ in range(4)),
    ]
    trainer._episodes = episodes
    got = trainer._token_advantages(16)
    credit, scale = ("attempt", "batch") if algorithm == "turn_grpo" else ("loo", "none")
    rewards = [[[0.2, None, 0.5], [0.2, 0.3], [None, None], [1.0]], [[0.0, 0.0]] * 4]
    expected = attempt_advantages(rewards, credit, scale=scale)[0]
    assert got.shape == (8, 16)
    a, _, b = expected[0]
    first = [a] * 4 + [0] * 2 + [0] * 4 + [0] * 2 + [b] * 4
    assert got[0].tolist() == pytest.approx(first)
    c, d = expected[1]
    assert got[1].tolist() == pytest.approx([c] * 4 + [0] * 2 + [d] * 4 + [0] * 6)
    assert got[3].tolist() == pytest.approx([expected[3][0]] * 4 + [0] * 12)
    assert got[2].abs().sum() == got[4:].abs().sum() == 0
    assert a != 0 and d != 0


def run(trainer):
    """Train, and return the reports of all rounds."""
    reports = []
    trainer.on_rollout = reports.append
    trainer.train()
    return reports


def test_a_checker_that_always_fails_changes_no_weight(tiny_model, trainer_of):
    before = copy.deepcopy(tiny_model.state_dict())

    def broken(reply, target):
        raise RuntimeError("no dictionary")

    reports = run(trainer_of(tiny_model, checker=broken))
    assert len(reports) == 2
    assert all(e.unscored for r in reports for e in r.episodes)
    for name, tensor in tiny_model.state_dict().items():
        assert torch.equal(tensor, before[name]), name


def test_a_checker_that_sometimes_fails_still_teaches(tiny_model, trainer_of):
    def shaky(reply, target):
        if len(reply) % 3 == 0:
            raise RuntimeError("no dictionary")
        return letters(reply, target)

    before = copy.deepcopy(tiny_model.state_dict())
    reports = run(trainer_of(tiny_model, checker=shaky))
    flags = [a.unscored for r in reports for e in r.episodes for a in e.attempts]
    assert any(flags) and not all(flags)
    weights = tiny_model.state_dict()
    assert any(not torch.equal(weights[n], before[n]) for n in before)
    assert all(t.isfinite().all() for t in weights.values())


# ---------------------------------------------------------------- training


@pytest.mark.parametrize("algorithm", ["turn_grpo", "grpo"])
def test_training_raises_the_reward(tiny_model, trainer_of, algorithm):
    spec = {"rounds": 10, "sessions": 32, "num_generations": 8, "learning_rate": 4e-3}
    reports = run(trainer_of(tiny_model, spec=spec, algorithm=algorithm))
    means = [sum(e.reward for e in r.episodes) / len(r.episodes) for r in reports]
    assert [r.step for r in reports] == list(range(0, 20, 2))
    assert sum(means[-3:]) / 3 > sum(means[:3]) / 3 + 0.25
    assert all(0 <= r.mismatch < 0.05 for r in reports), [r.mismatch for r in reports]
    assert [len({e.task_id for e in r.episodes}) for r in reports] == [4] * 10


def test_training_ends_with_the_round_in_which_time_is_up(tiny_model, trainer_of, monkeypatch):
    from corgi_gym.agents import training

    clock = iter(range(0, 10_000, 80))
    monkeypatch.setattr(training.time, "monotonic", lambda: next(clock))
    reports = run(trainer_of(tiny_model, spec={"rounds": 6, "max_seconds": 100}))
    # the clock is read once a round, 80 s apart: the limit falls into the second one
    assert len(reports) == 2


def test_training_twice_is_the_same(tiny_model, trainer_of):
    weights, episodes = [], []
    for model in (copy.deepcopy(tiny_model), tiny_model):
        reports = run(trainer_of(model))
        episodes.append([(e.token_ids, e.logprobs) for r in reports for e in r.episodes])
        weights.append(model.state_dict())
    assert episodes[0] == episodes[1]
    for name, tensor in weights[0].items():
        assert torch.equal(tensor, weights[1][name]), name


def test_the_engines_log_probs_are_the_old_ones(tiny_model, trainer_of):
    """The first micro-batches are on policy: their ratios are 1, up to the noise of bf16."""
    trainer = trainer_of(tiny_model, bf16=False)
    seen = []
    original = trainer._micro_batches

    def spy(batch):
        seen.append(batch)
        return original(batch)

    trainer._micro_batches = spy
    reports = run(trainer)
    batch, episode = seen[0], reports[0].episodes[0]
    assert "sampling_per_token_logps" not in batch
    start = episode.turn_ends[0] - episode.attempts[0].tokens
    size = len(episode.token_ids) - start
    assert batch["old_per_token_logps"][0, :size].tolist() == pytest.approx(
        episode.logprobs[start:], abs=1e-5
    )
    logs = trainer.state.log_history
    assert logs[0]["clip_ratio/region_mean"] == 0.0
    assert any("session/success@2" in row for row in logs)


def test_a_kl_term_holds_the_policy_back(tiny_model, trainer_of):
    moved, weights = [], tiny_model.state_dict()
    for beta in (0.0, 2.0):
        model = copy.deepcopy(tiny_model)
        trainer = trainer_of(model, beta=beta, bf16=False, spec={"rounds": 3})
        run(trainer)
        moved.append(
            sum(
                float((p - weights[name]).detach().square().sum())
                for name, p in model.named_parameters()
            )
        )
    assert any("kl" in row for row in trainer.state.log_history)
    assert 0 < moved[1] < moved[0]


def test_engine_errors_come_through_training(tiny_model, trainer_of):
    from corgi_gym.agents.engines import EngineError

    class Failing(TransformersEngine):
        polls = 0

        def poll(self):
            self.polls += 1
            if self.polls > 40:
                raise EngineError("out of memory")
            return super().poll()

    with pytest.raises(EngineError, match="out of memory"):
        run(trainer_of(tiny_model, engine=Failing(tiny_model)))


# ---------------------------------------------------------------- settings


def test_settings_that_cannot_be_are_named(tiny_model, trainer_of, tmp_path):
    with pytest.raises(ValueError, match="unknown credit 'turn'"):
        GuidedGRPOConfig(output_dir=str(tmp_path), credit="turn")
    with pytest.raises(ValueError, match="single_attempt_rounds must be 0 or more, got -1"):
        GuidedGRPOConfig(output_dir=str(tmp_path), single_attempt_rounds=-1)
    with pytest.raises(ValueError, match=r"num_iterations must be 1 or more, got 0"):
        GuidedGRPOConfig(output_dir=str(tmp_path), num_iterations=0)
    with pytest.raises(ValueError, match=r"single_attempt_until must be from 0 to 1, got 20"):
        GuidedGRPOConfig(output_dir=str(tmp_path), single_attempt_until=20)
    with pytest.raises(ValueError, match=r"single_attempt_share must be from 0 to 1, got -0\.5"):
        GuidedGRPOConfig(output_dir=str(tmp_path), single_attempt_share=-0.5)
    for options, words in (
        ({"use_vllm": True}, r"train\.options\.use_vllm follows from others: set engine"),
        ({"vllm_mode": "server"}, r"train\.options\.vllm_mode is of TRL's own vLLM"),
        ({"logging_steps": 8}, r"train\.options\.logging_steps cannot be set: a row of"),
        ({"log_completions": True}, r"train\.options\.log_completions cannot be set: episodes"),
        ({"ignore_data_skip": True}, r"ignore_data_skip cannot be set: a run that is resumed goes"),
        ({"save_only_model": True}, r"save_only_model cannot be set: a checkpoint has all that"),
        ({"cast_lm_head_to_fp32": True}, r"cast_lm_head_to_fp32 cannot be set: log-probs are"),
        ({"remove_unused_columns": True}, r"remove_unused_columns cannot be set: rows have"),
        ({"generation_kwargs": {}}, r"train\.options\.generation_kwargs cannot be set: replies"),
    ):
        with pytest.raises(ValueError, match=words):
            trainer_of(tiny_model, **options)
    with pytest.raises(ValueError, match="unknown algorithm 'gpro'; choose from turn_grpo, retry_"):
        trainer_of(tiny_model, algorithm="gpro")
    with pytest.raises(ValueError, match=r"train\.options key 'epsilon_hihg'.*'epsilon_high'"):
        trainer_of(tiny_model, epsilon_hihg=0.2)
    with pytest.raises(ValueError, match="max_steps must be positive"):
        GuidedGRPOTrainer(
            tiny_model, GuidedGRPOConfig(output_dir=str(tmp_path), use_cpu=True, bf16=False), None
        )


def test_a_set_for_evaluation_is_refused(tiny_model):
    args = GuidedGRPOConfig(output_dir="unused", use_cpu=True, bf16=False, max_steps=1)
    with pytest.raises(ValueError, match="eval_dataset has no use, since sessions ask their env"):
        GuidedGRPOTrainer(tiny_model, args, None, eval_dataset=Dataset.from_list([{"prompt": "x"}]))


def test_a_prompt_without_room_for_a_reply_is_named_before_training(tiny_model, make_tiny_trainer):
    """It came up in the middle of a run, and again after every resume."""

    def make_env():
        prompts = [f"Say {name}." for name in "abcdefg"]
        return GuidedEnv(prompts=[*prompts, "Say something long." * 100], checker=letters)

    spec = {**SPEC, "rounds": 8}
    with pytest.raises(ValueError, match=r"the prompt of task 'prompts/\w+' has \d+ tokens, which"):
        make_tiny_trainer(tiny_model, make_env, spec, algorithm="turn_grpo")


def test_the_probe_of_a_long_prompt_has_room(tiny_model, make_tiny_trainer):
    """A server refuses what does not fit into its context, where replies of 8 tokens do."""

    def make_env():
        return GuidedEnv(prompts=["Say something long, " * 10], checker=letters)

    trainer = make_tiny_trainer(tiny_model, make_env, SPEC, algorithm="turn_grpo")
    whole = len(trainer._probes[0])
    trainer.rollout.max_length = whole + 8
    trainer._tasks(trainer.args)
    assert len(trainer._probes[0]) == whole + 8 - PROBE_TOKENS < whole
    trainer.sync()  # a cut prompt is as good


def test_old_log_probs_of_feedback_are_left_out(tiny_model, trainer_of):
    """The loss has 0 there; a ratio of far-away numbers could overflow."""
    trainer = trainer_of(tiny_model, spec={"rounds": 1, "updates": 2}, engine_logps=False)
    batches = []
    made = trainer._generate_and_score_completions
    trainer._generate_and_score_completions = lambda rows: batches.append(made(rows)) or batches[-1]
    trainer.train()
    (batch,) = batches
    scored = (batch["completion_mask"] * batch["tool_mask"]).bool()
    assert not batch["old_per_token_logps"][~scored].any()
    assert batch["old_per_token_logps"][scored].all()


def test_the_log_has_as_many_attempts_as_before(tiny_model, trainer_of):
    """Also where all is solved at first: charts of runs would have holes where they are best."""
    reports = []
    trainer = trainer_of(
        tiny_model,
        spec={"rounds": 2},
        checker=lambda reply, target: 1.0 if reports else 0.5,
        on_rollout=reports.append,
    )
    trainer.train()
    rows = [row for row in trainer.state.log_history if "session/success@1" in row]
    assert [row.get("session/success@2") for row in rows] == [0.0] * (len(rows) // 2) + [1.0] * (
        len(rows) // 2
    )


def test_a_routers_own_loss_stays_out(trainer_of, tiny_model):
    """With it TRL would run the forward pass itself, and `echo` and `ppo` found no log-probs."""
    tiny_model.config.output_router_logits, tiny_model.config.router_aux_loss_coef = False, 0.01
    assert trainer_of(tiny_model).aux_loss_enabled is False


def test_what_has_no_part_in_the_loss_has_none_in_the_entropy(trainer_of, tiny_model, monkeypatch):
    """One group counts: most micro-batches are empty, and hold a row that nobody learns from."""
    spec = {"rounds": 1, "sessions": 16, "num_generations": 4, "updates": 1, "micro_batch": 2}
    trainer = trainer_of(tiny_model, spec=spec)
    kind, empty, logged = type(trainer), [], []
    advantages, loss = kind._token_advantages, kind._compute_loss

    def of_one_group(self, width):
        values = advantages(self, width)
        values[self.num_generations :] = 0
        return values

    def watched(self, model, inputs):
        value = loss(self, model, inputs)
        empty.append(inputs.get("empty", False))
        logged.append(len(self._metrics["train"].get("entropy", [])))
        return value

    monkeypatch.setattr(kind, "_token_advantages", of_one_group)
    monkeypatch.setattr(kind, "_compute_loss", watched)
    trainer.train()
    assert len(empty) == 8 and 1 <= empty.count(False) <= 4
    assert logged[-1] == empty.count(False)


def test_sessions_have_one_attempt_in_the_first_rounds(trainer_of, tiny_model):
    reports = []
    trainer = trainer_of(
        tiny_model,
        spec={"rounds": 3, "single_attempt_rounds": 2},
        checker=lambda reply, target: reply.count("e") / (1 + len(reply)),  # never solved
        on_rollout=reports.append,
    )
    trainer.train()
    assert [{len(e.attempts) for e in r.episodes} for r in reports] == [{1}, {1}, {2}]


def test_sessions_have_one_attempt_until_enough_are_solved(trainer_of, tiny_model):
    """Nothing is solved in the first round, about half from the second on."""
    reports = []
    trainer = trainer_of(
        tiny_model,
        spec={"rounds": 4},
        checker=lambda reply, target: float(bool(reports) and len(reply) % 2 == 0),
        on_rollout=reports.append,
        single_attempt_until=0.2,
    )
    assert trainer.checkpoint_state()["retries"] is False
    trainer.train()
    assert [max(len(e.attempts) for e in r.episodes) for r in reports] == [1, 1, 2, 2]
    state = trainer.checkpoint_state()
    other = trainer_of(tiny_model, single_attempt_until=0.2)
    other.load_checkpoint_state(state)
    assert other._retries and state["retries"]


@pytest.mark.parametrize(
    ("share", "longest"),
    [(0.0, [2, 2, 2, 2]), (0.25, [2, 2, 2, 1]), (0.5, [2, 1, 2, 1]), (1.0, [1, 1, 1, 1])],
)
def test_a_share_of_the_groups_has_one_attempt(trainer_of, tiny_model, share, longest):
    reports = []
    trainer = trainer_of(
        tiny_model,
        spec={"rounds": 1},
        checker=lambda reply, target: reply.count("e") / (1 + len(reply)),  # never solved
        on_rollout=reports.append,
        single_attempt_share=share,
    )
    trainer.train()
    played = reports[0].episodes
    attempts = [len(episode.attempts) for episode in played]
    size = trainer.num_generations
    groups = [set(attempts[i : i + size]) for i in range(0, len(attempts), size)]
    assert groups == [{count} for count in longest]


def test_groups_with_one_attempt_are_as_many_as_the_share_says(trainer_of, tiny_model):
    for share, groups in ((1 / 3, 6), (0.1, 10), (0.7, 10), (0.5, 7)):
        trainer = trainer_of(tiny_model, single_attempt_share=share)
        size = trainer.num_generations
        found = sum(trainer._is_single(group * size) for group in range(groups))
        assert found == int(groups * share + 1e-6)


def test_the_stream_of_tasks_can_start_later(tiny_model, trainer_of):
    trainer = trainer_of(tiny_model, task_offset=4)
    assert trainer.train_dataset["index"][:3] == [4, 5, 6]
    assert len(trainer.train_dataset) == 2 * 16 // 4


def broken_where(trainer, chosen, monkeypatch):
    """Give the ``chosen``th session of the round an advantage that is not a number."""
    original = type(trainer)._token_advantages

    def broken(self, width):
        advantages = original(self, width)
        advantages[chosen] = math.nan
        return advantages

    monkeypatch.setattr(type(trainer), "_token_advantages", broken)


def test_a_loss_that_is_no_number_names_its_session(tiny_model, trainer_of, monkeypatch):
    trainer = trainer_of(tiny_model)
    broken_where(trainer, 5, monkeypatch)
    before = copy.deepcopy(tiny_model.state_dict())
    with pytest.raises(UnhealthyError, match="the loss of step 0 is not finite") as error:
        trainer.train()
    chosen = trainer._episodes[5]
    assert f"because of {session_name(chosen)}; the weights" in str(error.value)
    assert "begin another one with a lower learning rate" in str(error.value)
    for name, tensor in tiny_model.state_dict().items():
        assert torch.equal(tensor, before[name]), name


def test_a_gradient_that_is_no_number_stops_before_the_update(tiny_model, trainer_of, monkeypatch):
    trainer = trainer_of(tiny_model)
    guilty = 3

    class Sick(torch.autograd.Function):
        @staticmethod
        def forward(ctx, loss):
            return loss.clone()

        @staticmethod
        def backward(ctx, grad):
            return grad * math.inf

    original = type(trainer)._compute_loss

    def sick(self, model, inputs):
        loss = original(self, model, inputs)
        return Sick.apply(loss) if guilty in inputs["session"].tolist() else loss

    monkeypatch.setattr(type(trainer), "_compute_loss", sick)
    before = copy.deepcopy(tiny_model.state_dict())
    with pytest.raises(UnhealthyError, match="the gradient of step") as error:
        trainer.train()
    assert session_name(trainer._episodes[guilty]) in str(error.value)
    assert str(error.value).count("session seed") == 1
    for name, tensor in tiny_model.state_dict().items():
        assert torch.isfinite(tensor).all(), name
        if trainer.state.global_step == 0:
            assert torch.equal(tensor, before[name]), name


def test_without_gradients_there_is_nothing_to_check(tiny_model, trainer_of):
    """DeepSpeed has taken the step by then, and let them go."""
    trainer = trainer_of(tiny_model)
    trainer.model.zero_grad(set_to_none=True)
    trainer.check_gradients()


def test_what_a_step_looked_at_is_let_go_after_it(tiny_model, trainer_of):
    trainer = trainer_of(tiny_model)
    trainer.train()
    assert trainer._step_inputs == []


def test_what_was_played_before_the_engine_died_is_handed_over(tiny_model, trainer_of):
    engine = TransformersEngine(tiny_model, max_batch=4)
    polled, original = 0, engine.poll

    def dying():
        nonlocal polled
        polled += 1
        if polled > 60:
            raise EngineError("out of memory")
        return original()

    engine.poll = dying
    trainer = trainer_of(tiny_model, engine=engine, spec={"rounds": 20})
    reports, left = [], []
    trainer.on_rollout, trainer.on_unfinished = reports.append, left.extend
    with pytest.raises(EngineError, match="out of memory"):
        trainer.train()
    assert all(len(r.episodes) == SPEC["sessions"] for r in reports)
    assert 0 < len(left) < SPEC["sessions"] and all(e.attempts for e in left)


# ---------------------------------------------------------------- tokens of a pass


def watched_areas(monkeypatch):
    """The padded tokens of each pass that is made from here on."""
    areas, original = [], logps._layout

    def watched(ids, wanted):
        areas.append(ids.numel())
        return original(ids, wanted)

    monkeypatch.setattr(logps, "_layout", watched)
    return areas


@pytest.mark.parametrize("bf16", [False, True])
@pytest.mark.parametrize(
    ("algorithm", "options"),
    [
        ("turn_grpo", {}),
        ("turn_grpo", {"beta": 0.1, "loss_type": "bnpo"}),
        ("turn_grpo", {"entropy_coef": 0.01, "loss_type": "grpo"}),
        ("echo", {}),
    ],
    ids=str,
)
def test_passes_of_bounded_tokens_have_the_same_loss(
    tiny_model, trainer_of, monkeypatch, algorithm, options, bf16
):
    batch = random_batch()
    feedback = batch["completion_mask"] * (1 - batch["tool_mask"])
    batch |= {"feedback_mask": feedback, "feedback_tokens": feedback.sum()}
    found, most = {}, {}
    for bound in (0, 40):
        trainer = trainer_of(
            tiny_model, algorithm=algorithm, max_pass_tokens=bound, bf16=bf16, **options
        )
        areas = watched_areas(monkeypatch)
        found[bound] = gradients(trainer, [batch])
        most[bound] = max(areas)
        # each part once more for its gradient
        assert len(areas) == 1 if bound == 0 else len(areas) % 2 == 0
    assert most[0] > 80 and most[40] <= 40
    if not bf16:
        return assert_same(found[40], found[0])
    one, other = (torch.cat([g.flatten() for g in found[bound][1].values()]) for bound in (40, 0))
    assert float((one - other).norm() / other.norm()) < 0.01


def test_passes_of_bounded_tokens_keep_less(tiny_model, trainer_of):
    """In bytes, of what the backward pass finds."""
    kept = {}
    for bound in (0, 40):
        trainer = trainer_of(tiny_model, max_pass_tokens=bound, bf16=False)
        trainer.model.train()
        trainer.current_gradient_accumulation_steps = 2
        kept[bound] = 0

        def keep(tensor, bound=bound):
            kept[bound] += tensor.nbytes
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            trainer._compute_loss(trainer.model, random_batch())
    assert kept[40] < kept[0] / 20


def test_values_of_bounded_passes_are_those_of_their_rows(tiny_model, trainer_of):
    found = []
    for bound in (0, 40):
        trainer = trainer_of(
            tiny_model, algorithm="ppo", max_pass_tokens=bound, bf16=False, spec={"micro_batch": 8}
        )
        with torch.no_grad():
            trainer.critic.head.weight.copy_(torch.linspace(-1, 1, 64)[None])
        found.append(trainer._score_round(trainer.model, random_batch(), values=True))
        torch.testing.assert_close(found[-1], found[0], rtol=1e-3, atol=1e-4)
    assert float(found[0][1].std()) > 0.1


@pytest.mark.parametrize("algorithm", ["turn_grpo", "gspo", "ppo"])
def test_training_goes_through_bounded_passes(tiny_model, trainer_of, monkeypatch, algorithm):
    trainer = trainer_of(tiny_model, algorithm=algorithm, max_pass_tokens=160)
    areas = watched_areas(monkeypatch)
    run(trainer)
    assert len(areas) > 32 and max(areas) <= 160
    assert all(row["grad_norm"] > 0 for row in trainer.state.log_history if "grad_norm" in row)


def test_a_bound_that_cannot_be_is_named(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="max_pass_tokens must be 0 or more, got -1"):
        GuidedGRPOConfig(output_dir=str(tmp_path), max_pass_tokens=-1)
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(ValueError, match=r"max_pass_tokens=64 repeats passes in one process, and"):
        GuidedGRPOConfig(output_dir=str(tmp_path), max_pass_tokens=64)
