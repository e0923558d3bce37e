"""Rollouts: no barrier, append only, in order, and the same again."""

import time

import pytest

from corgi_gym.agents import running as running_module
from corgi_gym.agents.codec import ChatCodec
from corgi_gym.agents.engines import (
    CharCodec,
    Completion,
    EngineError,
    Sampling,
    ScriptedEngine,
)
from corgi_gym.agents.engines.transformers_engine import TransformersEngine
from corgi_gym.agents.episode import Episode
from corgi_gym.agents.rollout import Rollout, Session, timed, tokens_per_second
from corgi_gym.envs import GuidedEnv

SAMPLING = Sampling(max_tokens=40)


def longer(reply, target):
    """Solved by four letters or more."""
    return min(1.0, len(reply) / 4)


def sessions(count, seed=0):
    return [Session(index=i, seed=seed + i) for i in range(count)]


def test_a_finished_reply_goes_on_while_others_are_pending(odd_engine, make_rollout):
    engine = odd_engine(lambda text: "no", seed=1)
    rollout = make_rollout(engine, longer, SAMPLING, max_attempts=3)
    rollout.run(sessions(6))
    first_submits = [i for i, e in enumerate(engine.log) if e[0] == "submit"][6:]
    finishes = [i for i, e in enumerate(engine.log) if e[0] == "finish"]
    # second turns start before the last of the first replies has arrived
    first_replies = {}
    for i, (kind, name, *_) in enumerate(engine.log):
        if kind == "finish":
            first_replies.setdefault(name, i)
    assert len(finishes) == 18
    assert first_submits[0] < max(first_replies.values())
    # and no turn is held back: each is submitted right after the reply before it was judged
    for i, (kind, name, *_) in enumerate(engine.log[:-1]):
        if kind == "finish" and sum(e[:2] == ("finish", name) for e in engine.log[: i + 1]) < 3:
            later = [e[:2] for e in engine.log[i + 1 :]]
            assert ("submit", name) in later


def test_results_are_in_the_order_of_the_sessions(odd_engine, make_rollout):
    asked = [Session(index=i, seed=i) for i in (4, 0, 3, 3, 1, 2)]
    ended = []
    rollout = make_rollout(
        odd_engine(lambda text: "a" * (1 + len(text) % 5)), longer, SAMPLING,
        prompts=[f"Prompt {'!' * i}" for i in range(5)],
    )  # fmt: skip
    episodes = rollout.run(asked, policy_version=7, on_episode=ended.append)
    assert [(e.index, e.seed) for e in episodes] == [(s.index, s.seed) for s in asked]
    assert {id(e) for e in ended} == {id(e) for e in episodes}
    assert [e.index for e in ended] != [e.index for e in episodes]
    assert all(e.policy_version == 7 for e in episodes)


def test_episodes_hold_what_was_said(odd_engine, make_rollout):
    replies = iter(["no", "maybe", "unused"])
    rollout = make_rollout(odd_engine(lambda text: next(replies)), longer, SAMPLING, max_attempts=4)
    (episode,) = rollout.run([Session(index=0, seed=3)])
    codec = CharCodec()
    assert [a.reply for a in episode.attempts] == ["no", "maybe"]
    assert [a.score for a in episode.attempts] == [0.5, 1.0] == episode.scores
    assert episode.step_rewards == [0.5, 0.5] and episode.reward == 1.0
    assert episode.success and not episode.unscored
    assert [a.tokens for a in episode.attempts] == [3, 6]
    roles = [m["role"] for m in episode.messages]
    assert roles == ["user", "assistant", "user", "assistant", "user"]
    size = len(episode.token_ids)
    assert size == len(episode.model_mask) == len(episode.logprobs) == episode.turn_ends[-1]
    for attempt, end in zip(episode.attempts, episode.turn_ends, strict=True):
        span = slice(end - attempt.tokens, end)
        assert codec.text(episode.token_ids[span]) == attempt.reply
        assert episode.model_mask[span] == [1] * attempt.tokens
        assert episode.logprobs[span] == [-0.5] * attempt.tokens
    assert sum(episode.model_mask) == 9 == episode.model_tokens
    outside = [lp for lp, m in zip(episode.logprobs, episode.model_mask, strict=True) if not m]
    assert set(outside) == {0.0}


def test_a_session_only_ever_appends(odd_engine, make_rollout):
    engine = odd_engine(lambda text: "no", seed=2)
    episodes = make_rollout(engine, longer, SAMPLING, max_attempts=4).run(sessions(5))
    sent, answered = {}, {}
    for kind, name, ids, _ in engine.log:
        if kind == "submit":
            before = sent.get(name, []) + answered.get(name, [])
            assert ids[: len(before)] == before and len(ids) > len(before)
            sent[name] = ids
        else:
            answered[name] = ids
    final = [sent[n] + answered[n] for n in sent]
    assert sorted(e.token_ids for e in episodes) == sorted(final)


def test_rewriting_the_conversation_is_caught(monkeypatch, make_rollout, odd_engine):
    made = []
    monkeypatch.setattr(
        running_module, "Episode", lambda **fields: made.append(Episode(**fields)) or made[-1]
    )

    class Rewriting(CharCodec):
        def follow_up(self, message, reply_ids):
            made[0].token_ids[0] = 33
            return super().follow_up(message, reply_ids)

    rollout = make_rollout(odd_engine(lambda text: "no"), longer, SAMPLING, codec=Rewriting())
    with pytest.raises(AssertionError, match="rewritten"):
        rollout.run(sessions(1))


@pytest.mark.parametrize("limit", [60, 80, 100, 10_000])
def test_the_context_limit_ends_a_session(odd_engine, make_rollout, limit):
    engine = odd_engine(lambda text: "no")
    rollout = make_rollout(
        engine, longer, Sampling(max_tokens=20), max_length=limit, max_attempts=8,
        feedback="silent",
    )  # fmt: skip
    (episode,) = rollout.run(sessions(1))
    for kind, _, ids, _ in engine.log:
        assert kind == "finish" or len(ids) + 20 <= limit
    assert len(episode.token_ids) == episode.turn_ends[-1] <= limit
    step = CharCodec().follow_up(episode.attempts[0].feedback, [CharCodec.END])
    if limit < 10_000:
        assert 1 <= len(episode.attempts) < 8
        assert len(episode.token_ids) + len(step) + 20 > limit
    else:
        assert len(episode.attempts) == 8


def test_an_answer_that_stands_when_the_context_ends_is_a_success(odd_engine):
    """The writer would have gone on, since it judged its right answer to be wrong."""

    def play(limit):
        rollout = Rollout(
            lambda: GuidedEnv(
                prompts=["Say hi."], checker=lambda reply, target: reply == "hi", self_check=True,
                session_reward="last", max_attempts=3,
            ),
            odd_engine(lambda text: "hi\nVerdict: incorrect"), CharCodec(), Sampling(max_tokens=40),
            max_length=limit,
        )  # fmt: skip
        return rollout.run(sessions(1))[0]

    whole, short = play(10_000), play(260)
    assert [a.success for a in whole.attempts] == [False, False, True]
    assert [a.success for a in short.attempts] == [False, True]


def test_environments_are_closed_whatever_happened(odd_engine):
    class Counting(GuidedEnv):
        def close(self):
            closed.append(self)

    def failing_step(env):
        env.step = lambda reply: 1 / 0
        return env

    def of(engine, change=lambda env: env, **kwargs):
        def make():
            made.append(change(Counting(prompts=["Say hi."], checker=longer, max_attempts=2)))
            return made[-1]

        return Rollout(make, engine, CharCodec(), Sampling(max_tokens=20), **kwargs)

    no = odd_engine(lambda text: "no")
    for rollout, error in (
        (of(no, failing_step), ZeroDivisionError),
        (of(no, max_length=27), ValueError),
        (of(Failing(odd_engine(lambda text: "no"), 3)), EngineError),
    ):
        made, closed = [], []
        with pytest.raises(error):
            rollout.run(sessions(4))
        rollout.close()
        assert made and set(map(id, made)) == set(map(id, closed))


def test_a_prompt_that_leaves_no_room_is_an_error(odd_engine, make_rollout):
    rollout = make_rollout(
        odd_engine(lambda text: "no"), longer, Sampling(max_tokens=20), max_length=27
    )
    with pytest.raises(ValueError, match=r"task 'prompts/.*8 tokens.*max_length=27"):
        rollout.run(sessions(1))


def test_an_environment_whose_infos_say_too_little_is_an_error(odd_engine):
    class Bare(GuidedEnv):
        def reset(self, **kwargs):
            return super().reset(**kwargs)[0], {"task": "mine"}

    rollout = Rollout(
        lambda: Bare(prompts=["Hi."], checker=longer), odd_engine(lambda text: "no"), CharCodec(),
        Sampling(max_tokens=20),
    )  # fmt: skip
    with pytest.raises(ValueError, match="an info without 'task_id', 'messages'; an environment"):
        rollout.run(sessions(1))


def test_attempts_whose_checker_fails_are_unscored(odd_engine, make_rollout):
    def sometimes(reply, target):
        if reply == "bad":
            raise RuntimeError("no dictionary")
        return 0.25

    replies = {0: "bad", 1: "ok", 2: "bad"}
    engine = odd_engine(lambda text: replies[text.count("bad") + text.count("ok")])
    (mixed,) = make_rollout(engine, sometimes, SAMPLING, max_attempts=3, feedback="silent").run(
        sessions(1)
    )
    assert [a.unscored for a in mixed.attempts] == [True, False, True]
    assert mixed.step_rewards == [0.0, 0.25, 0.0] and not mixed.unscored
    (lost,) = make_rollout(odd_engine(lambda text: "bad"), sometimes, SAMPLING).run(sessions(1))
    assert lost.unscored and lost.best_score == 0.0 and not lost.success


class Failing:
    """Wraps an engine and fails in its nth poll."""

    def __init__(self, engine, polls):
        self.engine, self.polls = engine, polls

    def __getattr__(self, name):
        return getattr(self.engine, name)

    def poll(self):
        self.polls -= 1
        if self.polls == 0:
            raise EngineError("out of memory")
        return self.engine.poll()


def test_an_engine_error_comes_through_after_what_had_ended(odd_engine, make_rollout):
    rollout = make_rollout(Failing(odd_engine(lambda t: "no"), 9), longer, SAMPLING, max_attempts=2)
    ended = []
    with pytest.raises(EngineError, match="out of memory"):
        rollout.run(sessions(50), on_episode=ended.append)
    assert 0 < len(ended) < 50
    assert all(len(e.attempts) == 2 for e in ended)


@pytest.mark.parametrize("failure", [KeyboardInterrupt, RuntimeError])
def test_an_interrupted_run_leaves_the_engine_free_for_the_next(odd_engine, make_rollout, failure):
    engine = odd_engine(lambda text: "no" if "first" in text else "solved")
    first = make_rollout(engine, longer, SAMPLING, prompts=["first"])

    def interrupt(episode):
        raise failure

    with pytest.raises(failure):
        first.run(sessions(9), on_episode=interrupt)
    assert not engine.pending
    assert any(entry[0] == "cancel" for entry in engine.log)
    second = make_rollout(engine, longer, SAMPLING, prompts=["second"])
    assert all(e.attempts[0].reply == "solved" for e in second.run(sessions(9)))


def test_a_reply_that_nobody_waits_for_reaches_no_session(odd_engine, make_rollout):
    engine = odd_engine(lambda text: "no" if "first" in text else "solved")
    engine.cancel = lambda ids: None  # as when the engine was interrupted in mid-step
    first = make_rollout(engine, longer, SAMPLING, prompts=["first"])

    def interrupt(episode):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        first.run(sessions(9), on_episode=interrupt)
    assert engine.pending
    second = make_rollout(engine, longer, SAMPLING, prompts=["second"])
    assert all(e.attempts[0].reply == "solved" for e in second.run(sessions(9)))


@pytest.mark.parametrize(("ids", "logprobs"), [([1, 2], [0.0]), ([], [])])
def test_a_malformed_completion_is_an_engine_error(make_rollout, odd_engine, ids, logprobs):
    engine = odd_engine(lambda text: "no")
    engine.finish = lambda name: Completion(
        engine.pending.pop(name).id, ids, logprobs, finish_reason="stop"
    )
    with pytest.raises(EngineError, match=f"returned {len(ids)} tokens with {len(logprobs)}"):
        make_rollout(engine, longer, SAMPLING).run(sessions(1))


@pytest.mark.parametrize("concurrency", [1, 3, 8])
def test_concurrency_is_a_limit_and_environments_are_used_again(
    odd_engine, make_rollout, concurrency
):
    engine = odd_engine(lambda text: "no")
    rollout = make_rollout(engine, longer, SAMPLING, concurrency=concurrency, max_attempts=2)
    assert len(rollout.run(sessions(20))) == 20
    assert engine.most == concurrency == len(rollout.made)
    rollout.run(sessions(5))
    assert len(rollout.made) == concurrency
    closed = []
    for env in rollout.made:
        env.close = lambda: closed.append(1)
    rollout.close()
    assert len(closed) == concurrency


def test_no_sessions_and_no_concurrency(odd_engine, make_rollout):
    engine = odd_engine(lambda text: "no")
    assert make_rollout(engine, longer, SAMPLING).run([]) == []
    with pytest.raises(ValueError, match="concurrency must be at least 1, got 0"):
        make_rollout(engine, longer, SAMPLING, concurrency=0)


def test_the_same_seed_gives_the_same_episodes_however_many_run(tiny_model, tiny_tokenizer):
    def episodes(seed, concurrency, max_batch, order=1):
        rollout = Rollout(
            lambda: GuidedEnv("num_planning", max_attempts=2),
            TransformersEngine(tiny_model, max_batch=max_batch),
            ChatCodec(tiny_tokenizer),
            Sampling(max_tokens=8),
            max_length=512,
            concurrency=concurrency,
        )
        asked = [Session(index=i // 2, seed=seed + i) for i in range(6)]
        return rollout.run(asked[::order])[::order]

    one = episodes(0, 6, 64)
    assert any(len(e.attempts) == 2 for e in one)
    for other in (episodes(0, 6, 64), episodes(0, 2, 64), episodes(0, 6, 2, order=-1)):
        assert [e.token_ids for e in other] == [e.token_ids for e in one]
        assert [e.messages for e in other] == [e.messages for e in one]
        for a, b in zip(other, one, strict=True):
            assert a.logprobs == pytest.approx(b.logprobs, abs=1e-4)
    assert [e.token_ids for e in episodes(50, 6, 64)] != [e.token_ids for e in one]
    # two samples of one task differ
    assert one[0].task_id == one[1].task_id and one[0].token_ids != one[1].token_ids


def test_every_attempt_has_its_own_seed(odd_engine, make_rollout):
    engine = odd_engine(lambda text: "no")
    make_rollout(engine, longer, SAMPLING, max_attempts=3).run(sessions(4))
    seeds = [e[3] for e in engine.log if e[0] == "submit"]
    assert len(set(seeds)) == len(seeds) == 12


def test_a_thousand_scripted_sessions_are_fast():
    rollout = Rollout(
        lambda: GuidedEnv(prompts=["Write four letters."], checker=longer, max_attempts=3),
        ScriptedEngine(lambda text: "no"),
        CharCodec(),
        SAMPLING,
    )
    episodes, seconds = timed(rollout, sessions(1000))
    assert len(episodes) == 1000
    # scripted log-probs are 0.0, as those of demonstrations, and yet these were sampled
    assert not any(episodes[0].logprobs) and not episodes[0].demonstrated
    assert tokens_per_second(episodes, seconds) == 9000 / seconds
    assert tokens_per_second(episodes, 0.0) == 0.0
    start = time.process_time()
    rollout.run(sessions(1000))
    assert time.process_time() - start < 5
