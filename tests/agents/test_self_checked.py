"""Sessions in which the policy judges itself: segments, rewards, examples, preferences."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from corgi_gym.agents.credit import attempt_advantages
from corgi_gym.agents.engines import CharCodec, Sampling, ScriptedEngine
from corgi_gym.agents.replay import encode
from corgi_gym.agents.revise import make_pair
from corgi_gym.agents.rollout import Rollout, Session
from corgi_gym.agents.s2r import S2RTrainer, outcome, segment_rewards, spread
from corgi_gym.agents.self_checked import (
    CORRECTED,
    RIGHT,
    SOLVE,
    VERIFY,
    check_self_checked,
    check_warmup,
    demonstration,
    demonstrations,
    parts_of,
)
from corgi_gym.agents.self_feedback import kept_example
from corgi_gym.benchmarks.recipe import load_recipe
from corgi_gym.envs import Draft, GuidedEnv, TaskSource
from corgi_gym.rewards import Problem, Verdict
from corgi_gym.rewards.self_verdict import AGAIN, NO_VERDICT, REQUEST

CODEC = CharCodec()


def greeting(reply, target):
    if reply == "?":
        raise RuntimeError("broken")
    score = {"hi": 1.0, "h": 0.5}.get(reply, 0.0)
    return Verdict.ok() if score == 1.0 else Verdict.wrong(score, Problem("word", "It is not hi."))


class Greeting(TaskSource):
    family = "greeting"
    summary = "Say hi."
    checker = greeting

    def generate(self, rng: np.random.Generator) -> Draft:
        return Draft(str(rng.integers(1000)), "Say hi.", None, "hi")

    def near_misses(self, task):
        return ["no", "h"]


def make_env(**kwargs):
    settings = {"self_check": True, "session_reward": "last", "max_attempts": 3, **kwargs}
    return GuidedEnv(tasks={"greeting": Greeting()}, **settings)


def rollout_of(*replies):
    """Sessions in which the policy writes the replies in turn."""

    def script(conversation):
        turn = conversation.count(AGAIN) + conversation.count(NO_VERDICT)
        return replies[min(turn, len(replies) - 1)]

    return Rollout(
        make_env, ScriptedEngine(script), CODEC, Sampling(max_tokens=60), max_length=2000
    )


def session_of(*replies):
    return rollout_of(*replies).run([Session(index=0, seed=0)])[0]


# ---------------------------------------------------------------- segments and their rewards


def texts(episode):
    return [
        (p.kind, p.attempt, CODEC.text(episode.token_ids[p.first : p.end]))
        for p in parts_of(episode, CODEC)
    ]


def test_every_attempt_is_an_answer_and_a_verdict():
    episode = session_of("h\nVerdict: incorrect", "hi\nFeedback: fine\nVerdict: correct")
    assert texts(episode) == [
        (SOLVE, 0, "h\n"),
        (VERIFY, 0, "Verdict: incorrect"),
        (SOLVE, 1, "hi\n"),
        (VERIFY, 1, "Feedback: fine\nVerdict: correct"),
    ]
    covered = [t for p in parts_of(episode, CODEC) for t in range(p.first, p.end)]
    assert covered == [t for t, written in enumerate(episode.model_mask) if written]


def test_a_verdict_that_is_left_out_is_the_end_of_the_turn():
    episode = session_of("hi")
    first = parts_of(episode, CODEC)[:2]
    assert [p.kind for p in first] == [SOLVE, VERIFY]
    assert episode.token_ids[first[1].first : first[1].end] == [CharCodec.END]
    cut = session_of("x" * 100)  # at the token limit there is no such token
    assert [p.end - p.first for p in parts_of(cut, CODEC)[:2]] == [60, 0]


@pytest.mark.parametrize(
    ("replies", "bonus", "expected"),
    [
        (["hi\nVerdict: correct"], 1.0, [1, 1]),
        (["h\nVerdict: correct"], 1.0, [0, -1]),
        (["no\nVerdict: incorrect", "hi\nVerdict: correct"], 1.0, [-1, 1, 1, 1]),
        # a correction and the confirmation of a right answer are doubled, a found mistake is not
        (["no\nVerdict: incorrect", "hi\nVerdict: correct"], 2.0, [-1, 1, 2, 2]),
        (["hi\nVerdict: incorrect", "hi", "hi\nVerdict: correct"], 2.0, [1, -1, 1, 0, 1, 2]),
        # the checker failed on the first answer: whether the second corrects it is not known
        (["?\nVerdict: incorrect", "hi\nVerdict: correct"], 2.0, [-1, 1, 1, 2]),
    ],
)
def test_segment_rewards(replies, bonus, expected):
    episode = session_of(*replies)
    assert segment_rewards(episode, parts_of(episode, CODEC), bonus) == expected


@pytest.mark.parametrize(
    ("replies", "expected"),
    [
        (["hi\nVerdict: correct"], 1.0),
        (["hi\nVerdict: incorrect", "h\nVerdict: correct"], 0.0),
        (["hi\nVerdict: incorrect", "no\nVerdict: correct"], -1.0),
        (["?\nVerdict: correct"], -1.0),
    ],
)
def test_outcome_is_that_of_the_last_answer(replies, expected):
    assert outcome(session_of(*replies)) == expected


def test_position_credit_compares_the_same_place_of_other_sessions():
    group = [[1.0, 1.0], [-1.0, 1.0, 1.0, 1.0], [-1.0, -1.0, -1.0, 1.0]]
    values = attempt_advantages([group], "position", scale="none")[0]
    assert values == [[2.0, 1.0], [-1.0, 1.0, 2.0, 0.0], [-1.0, -2.0, -2.0, 0.0]]


def advantages(sessions, credit, *, blame):
    """Each session's advantages by token, as the trainer writes them."""
    parts = [parts_of(episode, CODEC) for episode in sessions]
    rewards = [segment_rewards(*pair) for pair in zip(sessions, parts, strict=True)]
    values = attempt_advantages([rewards], credit, scale="none")[0]
    rows = [torch.zeros(len(episode.token_ids)) for episode in sessions]
    for episode, own, at, row in zip(sessions, values, parts, rows, strict=True):
        spread(own, at, row, 0, [blame and score == 0.0 for score in episode.scores])
    return parts, values, rows


def test_leaving_the_answer_out_does_not_pay():
    """With nothing to judge "incorrect" is always right; the first token has to answer for that."""
    sessions = [
        session_of("hi\nVerdict: correct"),
        session_of("h\nVerdict: correct"),
        session_of("Feedback: no answer\nVerdict: incorrect", "hi\nVerdict: correct"),
        session_of("Verdict: incorrect", "hi\nVerdict: correct"),
    ]
    parts, values, rows = advantages(sessions, "prefix", blame=True)
    left_out, verdict = parts[2][:2]
    assert left_out.first == left_out.end == verdict.first  # the answer has no token
    assert rows[2][verdict.first] < 0
    # the verdict's other tokens are compared with the other verdicts on nothing
    assert rows[2][verdict.first + 1] == 0
    # the token that ends an answer which earned something is the verdict's
    answer, verdict = parts[1][:2]
    assert rows[1][answer.first] == pytest.approx(values[1][0])
    assert rows[1][verdict.first] == pytest.approx(values[1][1])
    # what happens without the two rules
    _, _, paid = advantages(sessions, "position", blame=False)
    assert paid[2][parts[2][1].first] > 0


# ---------------------------------------------------------------- examples


def test_demonstrations_find_a_near_miss_and_correct_it():
    source = Greeting()
    task = source.item(0, 0)
    alone, both = demonstration(task, None), demonstration(task, "h")
    assert (alone.kind, alone.messages) == (RIGHT, ("Say hi." + REQUEST,))
    assert alone.texts == ("hi\nVerdict: correct",)
    assert (both.kind, both.messages) == (CORRECTED, ("Say hi." + REQUEST, AGAIN))
    assert both.texts == (
        "h\nFeedback: It is not hi.\nVerdict: incorrect",
        "hi\nVerdict: correct",
    )
    assert [[piece.weight for piece in reply] for reply in both.replies] == [[0, 1], [1, 1]]
    assert demonstration(task, "hi").kind == RIGHT  # no miss at all
    assert demonstration(task, "?").kind == RIGHT  # nothing is known about it


def test_a_demonstrated_mistake_is_an_answer():
    """A near miss without any credit is often none, and would teach to leave answers out."""
    examples, _ = demonstrations(rollout_of(""), [Session(index=i, seed=i) for i in range(40)])
    mistakes = [e.replies[0][0].text for e in examples if e.kind == CORRECTED]
    assert len(mistakes) > 10 and set(mistakes) == {"h\n"}


def test_demonstrations_are_what_a_session_of_the_environment_would_be():
    rollout = rollout_of("")
    sessions = [Session(index=i, seed=i) for i in range(20)]
    examples, played = demonstrations(rollout, sessions)
    assert {example.kind for example in examples} == {RIGHT, CORRECTED}
    for example, episode in zip(examples, played, strict=True):
        assert encode(example, CODEC)[0].token_ids == episode.token_ids
        assert episode.success


def test_what_the_policy_calls_correct_is_kept_whether_it_is_or_not():
    kept = kept_example(session_of("no\nVerdict: incorrect", "h\nFeedback: ok\nVerdict: correct"))
    assert kept.messages == ("Say hi." + REQUEST,) and kept.texts == ("h\nVerdict: correct",)
    doubted = session_of("hi\nVerdict: incorrect")
    assert kept_example(doubted) is None
    assert kept_example(doubted, by_verdict=False).texts == ("hi\nVerdict: correct",)
    assert kept_example(session_of("Verdict: correct")) is None


def test_pairs_differ_in_the_verdict_alone():
    task = Greeting().item(0, 0)
    for stage, reply, kind, weights in (
        (1, "hi\nVerdict: incorrect", RIGHT, [[1, 1]]),
        (2, "hi\nVerdict: correct", RIGHT, [[0, 1]]),
        (1, "h\nVerdict: correct", RIGHT, [[0, 1]]),
        (2, "h\nVerdict: correct", CORRECTED, [[0, 1], [1, 1]]),
    ):
        pair = make_pair(task, session_of(reply), stage)
        right = reply.startswith("hi")
        assert pair.chosen.kind == kind
        assert [[p.weight for p in r] for r in pair.chosen.replies] == weights
        answer = reply.split("\n")[0]
        said = {True: "correct", False: "incorrect"}
        assert pair.chosen.texts[0] == f"{answer}\nVerdict: {said[right]}"
        assert pair.rejected.texts == (f"{answer}\nVerdict: {said[not right]}",)
        # the marker, which ends the answer, is not part of the decision
        for example in (pair.chosen, pair.rejected):
            assert example.replies[0][0].text == f"{answer}\nVerdict:"
    assert make_pair(task, session_of("?\nVerdict: correct"), 1) is None
    assert make_pair(task, session_of("Verdict: correct"), 1) is None


# ---------------------------------------------------------------- environments and settings


def test_environments_without_self_check_are_refused():
    with pytest.raises(ValueError, match="use GuidedEnv with self_check=True"):
        check_self_checked(GuidedEnv(tasks="countdown"))
    env = GuidedEnv(prompts=["Say hi."], checker=greeting, self_check=True)
    check_self_checked(env)
    check_warmup({"warmup_rounds": 0}, env)
    with pytest.raises(ValueError, match="no witness"):
        check_warmup({"warmup_rounds": 1}, env)


# ---------------------------------------------------------------- training


def test_preference_is_dpo_and_moves_the_verdict(tiny_model, make_tiny_trainer):
    """A policy whose answers are always wrong learns to say so, by the preference alone."""
    spec = {
        "rounds": 4, "sessions": 8, "num_generations": 2, "updates": 1, "micro_batch": 4,
        "learning_rate": 2e-3, "max_attempts": 1,
    }  # fmt: skip
    trainer = make_tiny_trainer(
        tiny_model, lambda: make_env(max_attempts=1), spec, algorithm="revise",
        options={"decision_rounds": 9, "preference_weight": 1.0, "preference_beta": 1.0},
    )  # fmt: skip
    losses, margins = [], []
    compute = type(trainer)._compute_loss

    def watched(self, model, inputs):
        inputs["advantages"] = inputs["advantages"] * 1e-9  # leave the preference
        loss = compute(self, model, inputs)
        losses.append(loss.item())
        with torch.no_grad():
            other = self._verdict_logp(
                model, inputs["other_ids"], inputs["other_mask"], inputs["other_verdicts"]
            )
            ids = torch.cat([inputs["prompt_ids"], inputs["completion_ids"]], 1)
            mask = torch.cat([inputs["prompt_mask"], inputs["completion_mask"]], 1)
            marks = torch.cat([torch.zeros(inputs["prompt_ids"].shape), inputs["verdicts"]], 1)
            margins.append((self._verdict_logp(model, ids, mask, marks) - other).mean().item())
        return loss

    type(trainer)._compute_loss = watched
    try:
        trainer.train()
    finally:
        type(trainer)._compute_loss = compute
    assert margins[-1] > margins[0] + 0.5
    # the reference is the policy itself at first: the first step's loss, in two parts, is log 2
    assert sum(losses[:2]) == pytest.approx(math.log(2), rel=0.05)


def preferring(model, make_tiny_trainer, micro):
    """A round of preferences in which the policy stays where it is."""
    spec = {
        "rounds": 1, "sessions": 8, "num_generations": 2, "updates": 1, "micro_batch": micro,
        "learning_rate": 1e-12, "max_attempts": 1,
    }  # fmt: skip
    return make_tiny_trainer(
        model, lambda: make_env(max_attempts=1), spec, algorithm="revise",
        options={"decision_rounds": 9, "preference_weight": 1.0},
    )  # fmt: skip


@pytest.mark.parametrize("micro", [2, 8])
def test_what_is_logged_of_preferences_is_a_mean_over_pairs(tiny_model, make_tiny_trainer, micro):
    """Whatever the micro-batches: log 2 at the start, and the pairs whose verdict is likelier."""
    trainer = preferring(tiny_model, make_tiny_trainer, micro)
    trainer.train()
    row = next(row for row in trainer.state.log_history if "preference/loss" in row)
    assert row["preference/loss"] == pytest.approx(math.log(2), rel=0.05)


@pytest.mark.parametrize(("other", "accuracy"), [(-1e6, 1.0), (0.0, 0.0)])
def test_accuracy_is_the_share_of_pairs_whose_chosen_verdict_is_likelier(
    tiny_model, make_tiny_trainer, monkeypatch, other, accuracy
):
    trainer = preferring(tiny_model, make_tiny_trainer, 4)

    def certain(self, model, ids, mask, wanted):
        return torch.full((len(ids),), other)

    monkeypatch.setattr(type(trainer), "_verdict_logp", certain)
    trainer.train()
    row = next(row for row in trainer.state.log_history if "preference/loss" in row)
    assert row["preference/accuracy"] == pytest.approx(accuracy)


@pytest.mark.parametrize(
    ("level", "rewards", "written"),
    [
        ("process", [None, None, 1.0, 1.0], [0.5, 0.25]),
        ("outcome", [None, None, 0.0, 1.0], [0.5, 0.25]),
    ],
)
def test_what_could_not_be_checked_keeps_its_place(level, rewards, written):
    """A second answer is compared with second answers, whatever became of the first."""
    episode = session_of("?\nVerdict: incorrect", "hi\nVerdict: correct")
    parts = parts_of(episode, CODEC)
    trainer = SimpleNamespace(args=SimpleNamespace(level=level, bonus=1.0))
    assert S2RTrainer._segment_rewards(trainer, episode, parts) == rewards
    row = torch.zeros(len(episode.token_ids))
    spread([None, None, 0.5, 0.25], parts, row, 0, [False, False])
    assert not row[: parts[2].first].any()
    assert [float(row[p.first]) for p in parts[2:]] == written


def test_every_demonstration_of_the_warm_up_is_of_a_task_of_its_own(tiny_model, make_tiny_trainer):
    spec = {
        "rounds": 2, "sessions": 8, "num_generations": 4, "updates": 1, "micro_batch": 4,
        "max_attempts": 1,
    }  # fmt: skip
    trainer = make_tiny_trainer(
        tiny_model, lambda: make_env(max_attempts=1), spec, algorithm="s2r",
        options={"warmup_rounds": 1},
    )  # fmt: skip
    reports = []
    trainer.on_rollout = reports.append
    trainer.train()
    tasks = [len({e.index for e in report.episodes}) for report in reports]
    assert tasks == [8, 2]


@pytest.mark.parametrize(
    ("algorithm", "options", "rounds", "said"),
    [
        ("s2r", {"warmup_rounds": 1}, 2, "warmup_rounds = 1 come first"),
        ("self", {"warmup_rounds": 2}, 3, "warmup_rounds = 2 come first"),
        ("revise", {"decision_rounds": 1}, 2, "= 0 and train.options.decision_rounds = 1 come"),
        ("s2r", {"warmup_rounds": 0}, 2, ""),
        ("s2r", {"warmup_rounds": 2}, 2, ""),  # nothing else was asked for
    ],
)
def test_a_limit_that_ends_training_in_the_warm_up_is_told(
    algorithm, options, rounds, said, tiny_model, make_tiny_trainer
):
    spec = {
        "rounds": rounds, "sessions": 4, "num_generations": 2, "updates": 1, "micro_batch": 4,
        "max_attempts": 1, "max_tokens": 1,
    }  # fmt: skip
    trainer = make_tiny_trainer(
        tiny_model, lambda: make_env(max_attempts=1), spec, algorithm=algorithm, options=options
    )
    trainer.train()
    assert trainer.round_number == 1
    assert bool(trainer.ended_early) is bool(said) and said in trainer.ended_early
    if said:
        assert f"after round 1 of {rounds}, before the method" in trainer.ended_early
        assert "Raise train.max_seconds or train.max_tokens" in trainer.ended_early


def test_the_recipes_have_rounds_of_their_methods_and_no_limit_before_them():
    for name in ("s2r", "self", "revise"):
        train = load_recipe(name).train
        before = train.options["warmup_rounds"] + train.options.get("decision_rounds", 0)
        assert train.rounds >= before + 4 and not train.max_seconds


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"level": "outcome"}, "level='outcome' has one reward per session"),
        ({"level": "sentence"}, "unknown level 'sentence'; choose from process, outcome"),
        ({"bonus": 0.5}, "bonus must be at least 1, got 0.5"),
        ({"warmup_rounds": -1}, "warmup_rounds must be 0 or more, got -1"),
    ],
)
def test_impossible_settings_are_refused(option, message, tiny_model, make_tiny_trainer):
    spec = {"rounds": 1, "sessions": 4, "num_generations": 2, "updates": 1, "micro_batch": 4}
    with pytest.raises(ValueError, match=message):
        make_tiny_trainer(tiny_model, make_env, spec, algorithm="s2r", options=option)
