"""Retries in groups of their own: which sessions are played, from what, and what they are paid."""

import threading

import pytest

from corgi_gym.agents.engines import EngineError, Sampling
from corgi_gym.agents.episode import repeat_share, success_by_attempt
from corgi_gym.agents.retry_grpo import Failure, RetryGRPOConfig
from corgi_gym.agents.rollout import Session
from corgi_gym.envs import GuidedEnv

SAMPLING = Sampling(max_tokens=40)
SPEC = {
    "rounds": 3, "sessions": 32, "num_generations": 8, "updates": 2, "micro_batch": 8,
    "learning_rate": 4e-3, "max_attempts": 3,
}  # fmt: skip


def longer(reply, target):
    """Solved by four letters or more."""
    return min(1.0, len(reply) / 4)


def rarely(reply, target):
    """Solved by nothing that a random model writes."""
    return min(0.9, 0.1 * reply.count("e"))


def env(check):
    return GuidedEnv(prompts=[f"Say {i}." for i in range(64)], checker=check, max_attempts=3)


@pytest.fixture
def trainer_of(tiny_model, make_tiny_trainer):
    """A function: a trainer on a checker."""

    def make(check=rarely, spec=None, **options):
        trainer = make_tiny_trainer(
            tiny_model, lambda: env(check), {**SPEC, **(spec or {})},
            algorithm="retry_grpo", max_tokens=6, options=options,
        )  # fmt: skip
        trainer.reports = []
        trainer.on_rollout = trainer.reports.append
        return trainer

    return make


# ---------------------------------------------------------------- sessions that begin with replies


def test_a_given_reply_is_context(odd_engine, make_rollout):
    asked = []
    engine = odd_engine(lambda text: asked.append(text) or "well")
    rollout = make_rollout(engine, longer, SAMPLING, max_attempts=3)
    given = tuple(rollout.codec.reply("no"))
    (episode,) = rollout.run([Session(index=0, seed=1, given=(given,))])
    assert [a.reply for a in episode.given] == ["no"] and episode.given[0].score == 0.5
    assert [a.reply for a in episode.attempts] == ["well"] and episode.success
    # what the reply adds to the given one's score, and the tokens of one reply
    assert episode.step_rewards == [0.5] and len(episode.turn_ends) == 1
    assert episode.model_tokens == episode.attempts[0].tokens == 5
    assert len(asked) == 1 and "no" in asked[0] and episode.given[0].feedback in asked[0]
    # the same tokens as where the reply was sampled
    replies = iter(["no", "well"])
    sampled = make_rollout(odd_engine(lambda text: next(replies)), longer, SAMPLING, max_attempts=3)
    (whole,) = sampled.run([Session(index=0, seed=1)])
    assert whole.token_ids == episode.token_ids and whole.messages == episode.messages
    assert sum(whole.model_mask) == sum(episode.model_mask) + len(given)


def test_given_replies_count_among_the_attempts(odd_engine, make_rollout):
    rollout = make_rollout(odd_engine(lambda text: "no"), longer, SAMPLING, max_attempts=4)
    given = tuple(rollout.codec.reply("a")), tuple(rollout.codec.reply("no"))
    (episode,) = rollout.run([Session(index=0, seed=1, given=given)])
    assert [a.reply for a in episode.given] == ["a", "no"]
    assert len(episode.attempts) == 2 and episode.retries == 2 and episode.repeats == 2
    assert [row["reply"] for row in episode.record()["given"]] == ["a", "no"]
    (plain,) = rollout.run([Session(index=0, seed=1)])
    assert "given" not in plain.record() and plain.retries == 3
    # what a session solves after given replies says nothing of first attempts
    assert success_by_attempt([episode, plain], 2) == success_by_attempt([plain], 2)
    assert repeat_share([episode, plain]) == 1.0


def test_slow_checkers_judge_given_replies_in_their_threads(odd_engine, make_rollout):
    threads = set()

    def slow(reply, target):
        threads.add(threading.current_thread())
        return longer(reply, target)

    slow.slow = True
    rollout = make_rollout(odd_engine(lambda text: "well"), slow, SAMPLING, max_attempts=3)
    given = (tuple(rollout.codec.reply("no")),)
    asked = [Session(index=i, seed=i, given=given if i % 2 else ()) for i in range(8)]
    episodes = rollout.run(asked)
    assert [len(e.given) for e in episodes] == [0, 1] * 4 and all(e.success for e in episodes)
    assert threading.current_thread() not in threads


def test_a_given_reply_that_ends_its_session_is_named(odd_engine, make_rollout):
    rollout = make_rollout(odd_engine(lambda text: "well"), longer, SAMPLING, max_attempts=3)
    given = (tuple(rollout.codec.reply("well")),)
    with pytest.raises(ValueError, match=r"a given reply ends its session, at attempt 2 of .* 7,"):
        rollout.run([Session(index=7, seed=1, given=given)])


# ---------------------------------------------------------------- rounds


def test_half_of_the_groups_retry_what_failed_before(trainer_of):
    trainer = trainer_of(spec={"single_attempt_rounds": 1})
    trainer.train()
    first, second, third = (report.episodes for report in trainer.reports)
    assert all(len(e.attempts) == 1 and not e.given for e in first)
    for before, now in ((first, second), (second, third)):
        groups = [now[i : i + 8] for i in range(0, 32, 8)]
        assert [bool(group[0].given) for group in groups] == [True, False, True, False]
        failed = {(e.index, e.attempts[0].reply) for e in before if not e.given}
        for group in groups:
            if group[0].given:
                # one task and one reply of the round before, and all attempts that are left
                assert {(e.index, e.given[0].reply) for e in group} <= failed
                assert len({e.given[0].reply for e in group}) == 1
                assert all(len(e.attempts) == 2 for e in group)
            else:
                assert all(len(e.attempts) == 1 for e in group)
    logged = [row["retry/solved"] for row in trainer.state.log_history if "retry/solved" in row]
    assert set(logged) == {0.0}


def test_where_nothing_failed_sessions_are_whole(trainer_of):
    trainer = trainer_of(lambda reply, target: 1.0)
    trainer.train()
    assert not any(e.given for report in trainer.reports for e in report.episodes)
    assert trainer._failures == []


def test_the_newest_failures_are_kept_and_each_is_used_once(trainer_of):
    trainer = trainer_of(spec={"rounds": 2, "single_attempt_rounds": 2}, kept_failures=3)
    trainer.train()
    last = {e.index for e in trainer.reports[-1].episodes}
    kept = [failure.index for failure in trainer._failures]
    assert len(kept) == 3 and set(kept) < last
    state = trainer.checkpoint_state()
    trainer._failures = []
    trainer.load_checkpoint_state(state)
    assert [f.index for f in trainer._failures] == kept
    assert all(isinstance(f, Failure) for f in trainer._failures)


def test_a_failure_without_room_for_another_reply_is_not_kept(trainer_of):
    trainer = trainer_of(spec={"rounds": 1, "single_attempt_rounds": 1})
    trainer.train()
    episodes = trainer.reports[0].episodes
    assert len(trainer._failed(episodes)) == 4
    trainer.rollout.max_length = max(len(e.token_ids) for e in episodes) + 1
    assert trainer._failed(episodes) == []


def test_retries_are_compared_with_each_other_alone(trainer_of):
    trainer = trainer_of(spec={"rounds": 2, "single_attempt_rounds": 1})
    trainer.train()
    rewards = [e.step_rewards for e in trainer._episodes]
    values = trainer._attempt_values()
    for start in range(0, 32, 8):
        group = rewards[start : start + 8]
        for session, value in zip(group, values[start : start + 8], strict=True):
            others = [sum(other) for other in group]
            gain = sum(session) - (sum(others) - sum(session)) / 7
            # one scale for the batch: the sign, and zero where all are equal
            assert (value[0] > 0) == (gain > 1e-9) and (value[0] < 0) == (gain < -1e-9)


def test_a_failing_engine_takes_no_failure_with_it(trainer_of):
    trainer = trainer_of(spec={"rounds": 1})
    trainer.rollout.engine.poll = lambda: (_ for _ in ()).throw(EngineError("gone"))
    with pytest.raises(EngineError, match="gone"):
        trainer.train()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"single_attempt_share": 0.0}, "single_attempt_share must be above 0: retries begin"),
        ({"single_attempt_share": 1.5}, "single_attempt_share must be from 0 to 1, got 1.5"),
        ({"kept_failures": 0}, "kept_failures must be 1 or more, got 0"),
    ],
)
def test_settings_that_cannot_be(options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        RetryGRPOConfig(output_dir=str(tmp_path), **options)
