"""The algorithm table: every row trains, and the tiny problem's reward rises."""

import copy
import re
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import torch
import yaml

from corgi_gym.agents.algorithms import ALGORITHMS, describe_algorithms, get_algorithm
from corgi_gym.agents.credit import attempt_advantages
from corgi_gym.agents.dapo import overlong_punishment
from corgi_gym.agents.demonstrations import demonstrate
from corgi_gym.agents.engines import EngineError, Sampling
from corgi_gym.agents.episode import Attempt, Episode
from corgi_gym.agents.independent import best_of_k, independent, merge
from corgi_gym.agents.rollout import Session
from corgi_gym.agents.training import check_training
from corgi_gym.benchmarks.recipe import RECIPES, TrainSpec, load_recipe
from corgi_gym.envs import GuidedEnv
from corgi_gym.envs.self_improvement import make_env
from corgi_gym.rewards.self_verdict import take_apart

from .conftest import Letters, letters

ROOT = Path(__file__).parents[2]
SPEC = {
    "rounds": 8, "sessions": 32, "num_generations": 8, "updates": 2, "micro_batch": 8,
    "learning_rate": 4e-3, "max_attempts": 2,
}  # fmt: skip


def letters_env(**kwargs):
    env = GuidedEnv(prompts=["x"], checker=letters, **{"max_attempts": 2, **kwargs})
    env.sources = {"letters": Letters()}
    return env


@pytest.fixture
def trainer_of(make_tiny_trainer):
    """A function: the trainer of an algorithm on the letter task, as a run makes it."""

    def make(model, algorithm, spec=None, lora=None, sampled=8, **options):
        env = get_algorithm(algorithm).env
        whole = {**SPEC, **(spec or {}), "lora": lora or {}}
        trainer = make_tiny_trainer(
            model, lambda: letters_env(**env), whole, algorithm=algorithm, max_tokens=sampled,
            options=options,
        )  # fmt: skip
        trainer.reports = []
        trainer.on_rollout = trainer.reports.append
        return trainer

    return make


def rewards(trainer):
    """Mean reward of each round."""
    return [float(np.mean([e.reward for e in r.episodes])) for r in trainer.reports]


def played(trainer, count=32):
    """Mean reward of sessions with the weights as they are."""
    sessions = [Session(index=i, seed=i) for i in range(count)]
    return float(np.mean([e.reward for e in trainer.rollout.run(sessions)]))


# ---------------------------------------------------------------- the table

# ppo_corgi has its own test with more rounds and all weights (test_ppo.py): its adapter, its small
# rate and its KL penalty are made for long replies and long runs. sft and tapir have nothing to
# sample. tripost and as_es have tiny problems of their own (test_tripost.py, test_as_es.py). revise
# and self learn nothing before they can write a verdict; their test has a warm-up.
ELSEWHERE = ("ppo_corgi", "sft", "tapir", "tripost", "as_es", "revise", "self")
TRAINS = [name for name, row in ALGORITHMS.items() if row.trainer]
# Rounds until the effect is clear whatever the machine's rounding: the best of four is high from
# the start, and one attempt has half of the tokens.
ROUNDS = {"grpo_best_of_4": 12, "grpo_single": 9}


@pytest.mark.parametrize("name", [n for n in TRAINS if n not in ELSEWHERE])
def test_every_row_learns_the_tiny_problem(name, tiny_model, trainer_of):
    rounds = ROUNDS.get(name, 8)
    trainer = trainer_of(tiny_model, name, {"rounds": rounds})
    trainer.train()
    means = rewards(trainer)
    assert len(means) == rounds
    assert np.mean(means[-2:]) > np.mean(means[:2]) + 0.1, means


def test_sft_learns_from_witnesses_without_sampling(tiny_model, trainer_of):
    trainer = trainer_of(tiny_model, "sft", {"rounds": 6})
    before = played(trainer)
    trainer.rollout.engine.submit = None  # nothing may ask it
    trainer.train()
    del trainer.rollout.engine.submit
    assert played(trainer) > before + 0.3
    episodes = [e for r in trainer.reports for e in r.episodes]
    assert len(episodes) == 6 * 32 and all(e.success for e in episodes)


@pytest.mark.parametrize("name", ["revise", "self"])
def test_methods_with_own_verdicts_learn_after_their_warm_up(name, tiny_model, trainer_of):
    spec = {"rounds": 12, "updates": 4, "learning_rate": 1e-2}
    trainer = trainer_of(tiny_model, name, spec, sampled=24, warmup_rounds=10)
    trainer.train()
    last = [e for report in trainer.reports[10:] for e in report.episodes]
    said = [take_apart(e.attempts[-1].reply).verdict for e in last]
    # what a random model never writes; these two rounds are the method's own, after the warm-up
    assert np.mean([verdict is not None for verdict in said]) > 0.5
    assert np.mean([e.reward for e in last]) > 0.6


def test_every_row_has_a_recipe_and_a_line_in_the_documentation():
    page = (ROOT / "docs" / "algorithms.md").read_text()
    assert f"# {len(ALGORITHMS)} methods in one table" in (ROOT / "README.md").read_text()
    for name, row in ALGORITHMS.items():
        recipe = load_recipe(name)
        assert (recipe.name, recipe.algorithm) == (name, name)
        assert f"| `{name}` | {row.summary} | {row.source} | {row.adapted} |\n" in page
        own = yaml.safe_load((RECIPES / f"{name}.yaml").read_text())
        if own.get("base") == "quickstart":
            assert own.keys() <= {"base", "algorithm", "env", "train"}
        else:  # a method that needs other tasks than the quickstart's
            assert recipe.env.id != "ConstrainedGen-v0"
    named = re.findall(r"^\| `(\w+)` \|", page.split("## ")[0], re.M)
    assert named == list(ALGORITHMS)
    assert [line.split()[0] for line in describe_algorithms().splitlines()] == list(ALGORITHMS)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_row_is_complete_and_can_be_checked_without_a_model(name):
    row = ALGORITHMS[name]
    env = make_env("word_sorting") if name == "tripost" else letters_env(**row.env)
    assert row.summary and row.source
    check_training(name, TrainSpec(), env)
    if row.trainer:
        # the temperature of a likelihood is the row's own
        settings = {key: value for key, value in row.settings.items() if key != "temperature"}
        check_training(name, TrainSpec(options=settings), env)
        with pytest.raises(ValueError, match=r"train.options key 'epsilonn': no \w+Config field"):
            check_training(name, TrainSpec(options={"epsilonn": 1}), env)


def test_the_table_loads_no_torch(run_python):
    code = "import sys, corgi_gym.agents.algorithms; print('torch' in sys.modules)"
    assert run_python(code).strip() == "False"


def test_the_default_recipe_keeps_its_method():
    """The figures of the README were made with these settings."""
    assert load_recipe("quickstart").algorithm == "turn_grpo"
    assert dict(ALGORITHMS["turn_grpo"].settings) == {
        "loss_type": "dapo", "credit": "attempt", "scale_rewards": "batch", "epsilon_high": 0.28,
    }  # fmt: skip


def test_what_trains_nothing_says_so(tiny_model, trainer_of):
    with pytest.raises(ValueError, match="best_of_k trains nothing, so it has no trainer"):
        trainer_of(tiny_model, "best_of_k")
    for key, value in (("options", {"beta": 0.1}), ("lora", {"r": 8})):
        with pytest.raises(ValueError, match=f"best_of_k trains nothing: train.{key}"):
            check_training("best_of_k", TrainSpec(**{key: value}), letters_env())


def test_sft_wants_witnesses():
    with pytest.raises(ValueError, match="tasks of 'prompts' have no witness to imitate"):
        check_training("sft", TrainSpec(), GuidedEnv(prompts=["x"], checker=letters))
    with pytest.raises(ValueError, match="CartPoleEnv is no GuidedEnv"):
        check_training("sft", TrainSpec(), gym.make("CartPole-v1"))


# ---------------------------------------------------------------- the methods' own parts


def one_round(trainer):
    """Train for a round; returns the batch that the loss got."""
    seen = []
    original = trainer._micro_batches

    def spy(batch):
        seen.append(batch)
        return original(batch)

    trainer._micro_batches = spy
    trainer.train()
    return seen[0]


def cross_entropy(model, batch, mask):
    """Mean cross-entropy on the tokens of a mask, the plain way."""
    total, count = 0.0, 0
    for row in range(len(mask)):
        prompt = batch["prompt_ids"][row][batch["prompt_mask"][row] == 1]
        reply = batch["completion_ids"][row][batch["completion_mask"][row] == 1]
        ids = torch.cat([prompt, reply])[None]
        logps = model(input_ids=ids).logits[0, :-1].log_softmax(-1)
        chosen = logps.gather(1, ids[0, 1:, None])[len(prompt) - 1 :, 0]
        kept = mask[row, : len(chosen)] != 0
        total, count = total - chosen[kept].sum(), count + int(kept.sum())
    return float((total / count).detach())


def test_rft_is_cross_entropy_on_solving_replies(tiny_model, trainer_of):
    untrained = copy.deepcopy(tiny_model)
    trainer = trainer_of(tiny_model, "rft", {"rounds": 1, "updates": 1}, keep_score=0.5, bf16=False)
    batch = one_round(trainer)
    kept = batch["advantages"] != 0
    assert 0 < kept.any(1).sum() < 32
    for row, episode in enumerate(trainer.reports[0].episodes):
        good = [t for t, a in enumerate(episode.attempts) if a.score >= 0.5]
        start = episode.turn_ends[0] - episode.attempts[0].tokens
        if not good:
            assert not kept[row].any()
        elif kept[row].any():  # a duplicate is not kept
            end = episode.turn_ends[good[0]] - start
            assert kept[row].nonzero()[:, 0].tolist() == list(
                range(end - episode.attempts[good[0]].tokens, end)
            )
    share = next(row for row in trainer.state.log_history if "imitation/kept" in row)
    assert share["imitation/kept"] == pytest.approx(float(kept.any(1).float().mean()))
    logged = sum(row["loss"] for row in trainer.state.log_history if "loss" in row)
    assert logged == pytest.approx(cross_entropy(untrained, batch, kept), rel=1e-4)


def test_rft_keeps_a_conversation_once_and_nothing_unscored(tiny_model, trainer_of):
    trainer = trainer_of(tiny_model, "rft")

    def episode(scores, ids):
        made = Episode("f", "f/0", 0, 0, 0, token_ids=[1, *ids], model_mask=[0] + [1] * len(ids))
        for t, score in enumerate(scores):
            unscored = score is None
            made.attempts.append(
                Attempt("r", "f", score or 0.0, score == 1.0, unscored, False, [], 1)
            )
            made.turn_ends.append(t + 2)
        return made

    trainer._episodes = [
        episode([0.5, 1.0], [5, 6]),
        episode([0.5, 1.0], [5, 6]),  # the same conversation
        episode([0.5, 1.0], [5, 7]),
        episode([1.0], [5]),
        episode([None, 1.0], [8, 9]),
        episode([0.9, None], [8, 8]),
    ]
    assert trainer._attempt_values() == [
        [0.0, 1.0], [0.0, 0.0], [0.0, 1.0], [1.0], [1.0], [0.0],
    ]  # fmt: skip


def test_demonstrations_are_sessions_that_end_with_the_witness(tiny_model, trainer_of):
    rollout = trainer_of(tiny_model, "sft").rollout
    tasks = [letters_env().task_at(i) for i in range(20)]
    direct = [demonstrate(rollout, Session(i, seed=i), 0.0) for i in range(20)]
    for task, episode in zip(tasks, direct, strict=True):
        assert episode.task_id == task.task_id and episode.success and episode.demonstrated
        assert [a.reply for a in episode.attempts] == ["e e e e"]
        written = [i for i, m in zip(episode.token_ids, episode.model_mask, strict=True) if m]
        assert rollout.codec.text(written) == "e e e e"
        assert written[-1] in rollout.codec.stop_ids
        assert all(task.witness not in m["content"] for m in episode.messages[::2])
    corrected = [demonstrate(rollout, Session(i, seed=i), 1.0) for i in range(20)]
    assert {e.attempts[0].reply for e in corrected} == {"e e e", "a"}
    assert all([a.success for a in e.attempts] == [False, True] for e in corrected)
    assert all(e.messages[2]["content"] == e.attempts[0].feedback for e in corrected)
    mixed = [demonstrate(rollout, Session(i, seed=i), 0.5) for i in range(200)]
    assert 70 < sum(e.retries for e in mixed) < 130
    # where a second attempt is not to be had, or would not fit, the witness is alone
    assert demonstrate(rollout, Session(0, seed=0, max_attempts=1), 1.0).retries == 0
    rollout.max_length = len(direct[0].token_ids) + 8
    assert demonstrate(rollout, Session(0, seed=0), 1.0).token_ids == direct[0].token_ids


def test_a_witness_that_fails_is_named(tiny_model, trainer_of):
    trainer = trainer_of(tiny_model, "sft")
    env = trainer.rollout.environment()
    env.sources["letters"].checker = lambda reply, target: False
    trainer.rollout.release(env)
    with pytest.raises(ValueError, match=r"checker of 'letters/[0-9a-f]+' refuses the task's own"):
        demonstrate(trainer.rollout, Session(0, seed=0), 0.0)


def test_sft_is_cross_entropy_on_witnesses_alone(tiny_model, trainer_of):
    untrained = copy.deepcopy(tiny_model)
    trainer = trainer_of(tiny_model, "sft", {"rounds": 1, "updates": 1}, bf16=False)
    batch = one_round(trainer)
    episodes = trainer.reports[0].episodes
    assert len({e.index for e in episodes}) == 32
    kept = batch["advantages"] != 0
    assert kept.sum(1).tolist() == [e.attempts[-1].tokens for e in episodes]
    logged = sum(row["loss"] for row in trainer.state.log_history if "loss" in row)
    assert logged == pytest.approx(cross_entropy(untrained, batch, kept), rel=1e-4)


def test_echo_adds_cross_entropy_on_feedback(tiny_model, trainer_of):
    untrained = copy.deepcopy(tiny_model)
    losses = {}
    for weight in (0.0, 0.5):
        model = copy.deepcopy(untrained)
        spec = {"rounds": 1, "updates": 1}
        trainer = trainer_of(model, "echo", spec, feedback_weight=weight, bf16=False)
        batch = one_round(trainer)
        losses[weight] = sum(r["loss"] for r in trainer.state.log_history if "loss" in r)
    mask = batch["feedback_mask"]
    for row, episode in enumerate(trainer.reports[0].episodes):
        start = episode.turn_ends[0] - episode.attempts[0].tokens
        written = [1 - m for m in episode.model_mask[start:]]
        assert mask[row].tolist() == written + [0] * (mask.shape[1] - len(written))
    expected = cross_entropy(untrained, batch, mask)
    # TRL logs four decimals
    assert losses[0.5] - losses[0.0] == pytest.approx(0.5 * expected, abs=3e-4)
    logged = next(r for r in trainer.state.log_history if "feedback_loss" in r)
    assert logged["feedback_loss"] == pytest.approx(expected, rel=1e-3)


def test_dapo_replaces_groups_without_a_difference_and_counts_them(
    tiny_model, trainer_of, monkeypatch
):
    trainer = trainer_of(tiny_model, "dapo", {"rounds": 2, "learning_rate": 1e-9})
    level = {"flat": 2}

    def flat_at_first(reply, target):
        return letters(reply, target) if level["flat"] <= 0 else 0.5

    original = trainer.rollout.run

    def run(sessions, **kwargs):
        trainer.asked.append([s.index for s in sessions])
        episodes = original(sessions, **kwargs)
        level["flat"] -= 1
        return episodes

    trainer.asked, trainer.rollout.run = [], run
    monkeypatch.setattr(Letters, "checker", staticmethod(flat_at_first))
    trainer.train()
    first, second, third, later = trainer.asked[:4]
    assert [len(a) for a in (first, second, third)] == [32, 32, 32]
    assert set(first) == {0, 1, 2, 3} and set(later) >= {4, 5, 6, 7}
    assert not set(first) & set(second) and not set(second) & set(third)
    assert min(second + third) >= len(trainer.train_dataset)
    assert len(trainer.reports[0].episodes) == 96
    assert {e.index for e in trainer.reports[0].episodes[-32:]} == set(third)
    logs = [r for r in trainer.state.log_history if "dynamic/extra_sessions" in r]
    assert logs[0]["dynamic/extra_sessions"] == 64 and logs[0]["dynamic/flat_groups"] == 0


def test_dapo_gives_up_where_every_group_is_flat(tiny_model, trainer_of, monkeypatch):
    trainer = trainer_of(tiny_model, "dapo", {"rounds": 1}, resample_rounds=1, overlong_share=0.0)
    monkeypatch.setattr(Letters, "checker", staticmethod(lambda reply, target: 0.0))
    trainer.train()
    assert len(trainer.reports[0].episodes) == 64
    assert trainer.state.log_history[0]["dynamic/flat_groups"] == 1.0


def test_what_replaces_a_group_has_its_place(tiny_model, trainer_of, monkeypatch):
    """Every second group has one attempt, and so has what is played in its place."""
    trainer = trainer_of(
        tiny_model, "dapo", {"rounds": 1}, resample_rounds=1, single_attempt_share=0.5
    )
    monkeypatch.setattr(Letters, "checker", staticmethod(lambda reply, target: 0.0))
    asked, original = [], trainer.rollout.run

    def run(sessions, **kwargs):
        asked.append([s.max_attempts for s in sessions])
        return original(sessions, **kwargs)

    trainer.rollout.run = run
    trainer.train()
    size = trainer.num_generations
    assert asked == [[*[None] * size, *[1] * size] * 2] * 2


@pytest.mark.parametrize(
    ("tokens", "share", "lost"),
    [(1, 0.2, 0.0), (80, 0.2, 0.0), (90, 0.2, 0.25), (100, 0.2, 0.5), (100, 0.0, 0.0),
     (50, 1.0, 0.25)],
)  # fmt: skip
def test_overlong_replies_lose_up_to_half(tokens, share, lost):
    assert overlong_punishment(tokens, 100, share) == pytest.approx(lost)


def test_dapo_takes_the_punishment_off_each_attempt(tiny_model, trainer_of):
    trainer = trainer_of(tiny_model, "dapo", sampled=10)
    episode = Episode("f", "f/0", 0, 0, 0, step_rewards=[0.5, 0.1, 0.4])
    for tokens, unscored in ((10, False), (10, True), (9, False)):
        episode.attempts.append(Attempt("r", "f", 0.5, False, unscored, False, [], tokens))
    assert trainer._rewards(episode) == [pytest.approx(0.0), None, pytest.approx(0.4 - 0.25)]


def single(score, task="t/0", tokens=2):
    episode = Episode(
        "t", task, 0, 0, 0, token_ids=[1] * (1 + tokens), model_mask=[0] + [1] * tokens,
        logprobs=[0.0] * (1 + tokens), turn_ends=[1 + tokens], step_rewards=[score],
    )  # fmt: skip
    episode.attempts.append(Attempt("r", "f", score, score == 1.0, False, False, [], tokens))
    return episode


def test_independent_attempts_merge_into_a_session_worth_the_best():
    merged = merge([single(0.5), single(0.2, tokens=3), single(1.0)])
    assert merged.step_rewards == pytest.approx([0.5, 0.0, 0.5]) and merged.reward == 1.0
    assert merged.scores == [0.5, 0.2, 1.0] and merged.success
    assert merged.model_tokens == 7 and merged.turn_ends == [3, 7, 10]
    assert len(merged.token_ids) == len(merged.logprobs) == 10
    with pytest.raises(ValueError, match="exactly one task"):
        merge([single(0.5), single(0.5, task="t/1")])
    with pytest.raises(ValueError, match="one attempt each"):
        merge([merged])
    with pytest.raises(ValueError, match="exactly one task"):
        merge([])


def test_best_of_credits_what_an_attempt_adds_to_the_best(tiny_model, trainer_of):
    trainer = trainer_of(tiny_model, "grpo_best_of_4", {"rounds": 1}, scale_rewards="none")
    assert trainer.num_generations == 32 and trainer.args.generation_batch_size == 128
    trainer.train()
    report = trainer.reports[0]
    assert len(report.episodes) == 32 and all(len(e.attempts) == 4 for e in report.episodes)
    singles = trainer._episodes
    assert len(singles) == 128 and all(len(e.attempts) == 1 for e in singles)
    assert len({e.seed for e in singles}) == 128
    groups = [[e.step_rewards for e in report.episodes[i : i + 8]] for i in range(0, 32, 8)]
    expected = attempt_advantages(groups, "attempt", scale="none")
    flat = [a for group in expected for session in group for a in session]
    assert [value for (value,) in trainer._attempt_values()] == pytest.approx(flat)
    assert sum(e.model_tokens for e in report.episodes) == sum(e.model_tokens for e in singles)


def test_the_single_attempt_control_has_no_feedback(tiny_model, trainer_of):
    trainer = trainer_of(tiny_model, "grpo_single", {"rounds": 1})
    trainer.train()
    assert all(len(e.attempts) == 1 for e in trainer.reports[0].episodes)


def test_best_of_k_samples_independently(tiny_model, trainer_of):
    rollout = trainer_of(tiny_model, "turn_grpo").rollout
    seen = []
    sessions = [Session(index=i, seed=7) for i in range(6)]
    merged = best_of_k(rollout, sessions, 3, on_episode=seen.append)
    assert [e.index for e in merged] == list(range(6))
    assert sorted(map(id, seen)) == sorted(map(id, merged))
    assert all(len(e.attempts) == 3 for e in merged)
    assert any(len({a.reply for a in e.attempts}) > 1 for e in merged)
    assert merged == best_of_k(rollout, sessions, 3)
    assert independent(sessions[:1], 2)[0].max_attempts == 1


def test_what_best_of_k_has_finished_is_told_before_the_engine_fails(odd_engine, make_rollout):
    """Rows on the disk are all that is left of an evaluation that fails late."""
    engine, seen = odd_engine(lambda text: "e"), []
    rollout = make_rollout(engine, letters, Sampling(max_tokens=8), prompts=("a", "b", "c", "d"))
    rollout.concurrency, polled = 2, engine.poll

    def poll():
        if len(seen) == 2:
            raise EngineError("out of memory")
        return polled()

    engine.poll = poll
    with pytest.raises(EngineError, match="out of memory"):
        best_of_k(rollout, [Session(i, seed=0) for i in range(4)], 3, on_episode=seen.append)
    assert len(seen) == 2 and all(len(e.attempts) == 3 for e in seen)


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("rft", {"keep_score": 0.0}, r"keep_score must be in \(0, 1\], got 0.0"),
        ("sft", {"corrective": 1.5}, r"corrective must be in \[0, 1\], got 1.5"),
        ("echo", {"feedback_weight": -1.0}, "feedback_weight must be at least 0, got -1.0"),
        ("dapo", {"resample_rounds": -1}, "resample_rounds must be 0 or more, got -1"),
        ("dapo", {"overlong_share": 2.0}, r"overlong_share must be in \[0, 1\], got 2.0"),
        ("grpo_best_of_4", {"best_of": 0}, "best_of must be at least 1, got 0"),
        ("grpo", {"scale_rewards": "std"}, "unknown scale_rewards 'std'"),
        ("rft", {"loss_type": "grpo"}, "loss_type is 'cispo' where the loss is cross-entropy"),
        ("sft", {"epsilon_high": 0.28}, "epsilon_high is 1.0 where .* got 0.28: leave it out"),
        ("rft", {"credit": "session"}, "credit is 'attempt' where the loss is cross-entropy"),
    ],
)
def test_settings_that_cannot_be_are_named(name, options, words, tiny_model, trainer_of):
    with pytest.raises(ValueError, match=words):
        trainer_of(tiny_model, name, **options)
