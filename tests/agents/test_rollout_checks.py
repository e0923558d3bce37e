"""Rollouts with slow checkers: nothing stalls, nothing depends on timing, nothing is lost."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import gymnasium as gym
import pytest

from corgi_gym.agents.checks import Checks
from corgi_gym.agents.engines import CharCodec, EngineError, Sampling
from corgi_gym.agents.rollout import Rollout, Session
from corgi_gym.envs import GuidedEnv
from corgi_gym.rewards import Verdict
from corgi_gym.rewards.isolate import Isolated

SAMPLING = Sampling(max_tokens=40)
# Longer than anything here takes: a test that would hang fails instead.
PATIENCE = 20.0


class Slow:
    """A checker that says it is slow; ``judge`` makes the verdict."""

    slow = True

    def __init__(self, judge):
        self.judge, self.calls = judge, []

    def __call__(self, reply, target):
        self.calls.append(threading.current_thread().name)
        return self.judge(reply, target)


def sessions(count):
    return [Session(index=i, seed=i) for i in range(count)]


def prompts(count):
    return [f"Prompt {i}." for i in range(count)]


def of_prompt(text):
    """The number of the prompt in a conversation."""
    return int(text.split()[1].partition(".")[0])


def test_slow_checkers_run_in_threads_and_quick_ones_do_not(odd_engine, make_rollout):
    here = threading.current_thread().name
    for slow, workers, threaded in ((True, 8, True), (False, 8, False), (True, 0, False)):
        check = Slow(lambda reply, target: 0.5)
        check.slow = slow
        rollout = make_rollout(
            odd_engine(lambda text: "no"), check, SAMPLING, checker_workers=workers
        )
        rollout.run(sessions(5))
        assert len(check.calls) == 20
        assert {name != here for name in check.calls} == {threaded}
        rollout.close()


def test_threads_change_nothing_in_the_episodes(odd_engine, make_rollout):
    """Checks that end in a random order, against the same run in turn."""

    def uneven(reply, target):
        time.sleep(0.001 * (len(reply) * 7 % 5))
        return min(1.0, len(reply) / 9)

    def script(text):
        return "a" * (1 + (len(text) * 7 + of_prompt(text)) % 10)

    def run(workers, seed):
        rollout = make_rollout(
            odd_engine(script, seed=seed), Slow(uneven), SAMPLING,
            prompts=prompts(12), checker_workers=workers, concurrency=6,
        )  # fmt: skip
        episodes = rollout.run(sessions(12), policy_version=3)
        rollout.close()
        return episodes

    serial = run(0, seed=0)
    assert len({len(e.attempts) for e in serial}) > 1
    assert run(4, seed=1) == run(1, seed=2) == serial


def test_decoding_goes_on_while_a_check_waits(odd_engine, make_rollout):
    """The first session's check ends only when the others have all ended."""
    others_done = threading.Event()

    def check(reply, target):
        if reply == "first":
            assert others_done.wait(PATIENCE)
        return 0.5

    ended = []

    def on_episode(episode):
        ended.append(episode.index)
        if len(ended) == 5:
            others_done.set()

    rollout = make_rollout(
        odd_engine(lambda text: "first" if of_prompt(text) == 0 else "no"), Slow(check), SAMPLING,
        prompts=prompts(6), max_attempts=2, concurrency=2,
    )  # fmt: skip
    episodes = rollout.run(sessions(6), on_episode=on_episode)
    assert ended[-1] == 0 and [e.index for e in episodes] == list(range(6))
    assert not any(a.unscored for e in episodes for a in e.attempts)
    rollout.close()


def test_sessions_that_are_being_checked_leave_their_place_to_others(odd_engine, make_rollout):
    release = threading.Event()
    engine = odd_engine(lambda text: "no")
    under_way, submitted = [], []
    submit, poll = engine.submit, engine.poll

    def record(request):
        submitted.append(request.id)
        submit(request)

    def watch():
        under_way.append(len(set(submitted)))
        if under_way[-1] == 6:
            release.set()
        return poll()

    engine.submit, engine.poll = record, watch

    def check(reply, target):
        assert release.wait(PATIENCE)
        return 1.0

    rollout = make_rollout(engine, Slow(check), SAMPLING, concurrency=3, checker_workers=2)
    assert all(e.success for e in rollout.run(sessions(9)))
    assert engine.most <= 3
    # twice the concurrency and no more, though nothing had been judged yet
    assert max(n for n in under_way if n <= 6) == 6
    assert len(rollout.made) == 6
    rollout.close()


def test_the_engine_is_not_polled_while_every_session_is_checked(odd_engine, make_rollout):
    engine = odd_engine(lambda text: "no")
    polls = []
    poll = engine.poll

    def counted():
        polls.append(len(engine.pending))
        return poll()

    engine.poll = counted

    def check(reply, target):
        time.sleep(0.05)
        return 0.5

    rollout = make_rollout(engine, Slow(check), SAMPLING, max_attempts=3, concurrency=4)
    rollout.run(sessions(4))
    assert 0 not in polls and len(polls) < 200
    rollout.close()


def test_no_more_checks_at_once_than_workers(odd_engine, make_rollout):
    lock, now, most = threading.Lock(), [0], [0]

    def check(reply, target):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.003)
        with lock:
            now[0] -= 1
        return 0.5

    rollout = make_rollout(
        odd_engine(lambda text: "no"), Slow(check), SAMPLING, checker_workers=3, max_attempts=2
    )
    rollout.run(sessions(20))
    assert most[0] == 3
    rollout.close()


@pytest.mark.parametrize("slow", [True, False])
def test_an_error_in_a_step_names_its_session_after_what_had_ended(odd_engine, make_rollout, slow):
    check = Slow(lambda reply, target: 1.0)
    check.slow = slow
    engine = odd_engine(lambda text: "no")
    engine.rng.random = lambda: 0.0  # all replies arrive together
    rollout = make_rollout(engine, check, SAMPLING, prompts=prompts(6))
    make_env, done = rollout.make_env, threading.Barrier(6, timeout=PATIENCE)

    def broken_env():
        env = make_env()
        step = env.step

        def fail(action):
            if slow:
                done.wait()  # all six end at the same time
            if env._task.prompt == "Prompt 2.":
                raise LookupError("no such table")
            return step(action)

        env.step = fail
        return env

    rollout.make_env = broken_env
    ended = []
    with pytest.raises(LookupError, match="no such table") as caught:
        rollout.run(sessions(6), on_episode=lambda e: ended.append(e.index))
    (note,) = caught.value.__notes__
    assert note.startswith("while judging attempt 1 of prompts/") and "(index 2, seed 2)" in note
    assert not engine.pending
    assert 2 not in ended
    if not slow:
        assert sorted(ended) == [0, 1, 3, 4, 5]
    rollout.close()


def test_a_checker_whose_processes_die_leaves_attempts_unscored(odd_engine, make_rollout):
    pool = Isolated("time:sleep", deadline=PATIENCE)
    pool.start()
    (worker,) = pool._idle

    def check(reply, target):
        if reply == "kill":
            while worker not in pool._busy:
                time.sleep(0.001)
            worker._process.kill()
        return Verdict.ok() if pool.call(PATIENCE if reply == "wait" else 0).ok else 0.0

    replies = ["wait", "kill"]
    rollout = make_rollout(
        odd_engine(lambda text: replies[of_prompt(text)]), Slow(check), SAMPLING,
        prompts=prompts(2), max_attempts=1,
    )  # fmt: skip
    lost, replaced = rollout.run(sessions(2))
    assert lost.unscored and lost.best_score == 0.0 and lost.reward == 0.0
    assert "has died" in lost.attempts[0].problems[0]["message"]
    assert replaced.success  # by the process that took its place
    pool.close()
    rollout.close()


def test_an_interrupted_run_forgets_its_checks(odd_engine, make_rollout):
    release = threading.Event()

    def check(reply, target):
        if reply == "late":
            release.wait(PATIENCE)
        return 0.5

    engine = odd_engine(lambda text: "late" if "Prompt 0" in text else "no")
    rollout = make_rollout(
        engine, Slow(check), SAMPLING, prompts=prompts(4), max_attempts=1, checker_workers=2
    )

    def interrupt(episode):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rollout.run(sessions(4), on_episode=interrupt)
    assert not engine.pending
    ended = []
    episodes = rollout.run([Session(index=i, seed=9) for i in (1, 2, 3)], on_episode=ended.append)
    release.set()
    assert [e.index for e in episodes] == [1, 2, 3] and len(ended) == 3
    assert all(len(e.attempts) == 1 and e.seed == 9 for e in ended)
    rollout.close()
    # and it can be used again
    assert len(rollout.run([Session(index=1, seed=0)])) == 1
    rollout.close()


def test_slow_is_seen_through_wrappers(odd_engine, make_rollout):
    check = Slow(lambda reply, target: 0.5)
    rollout = make_rollout(odd_engine(lambda text: "no"), check, SAMPLING, max_attempts=1)
    make_env = rollout.make_env
    rollout.make_env = lambda: gym.wrappers.TimeLimit(make_env(), 10)
    rollout.run(sessions(1))
    assert check.calls != [threading.current_thread().name]
    rollout.close()


def test_a_negative_number_of_workers_is_named(odd_engine, make_rollout):
    with pytest.raises(ValueError, match="checker_workers must be 0 or more, got -1"):
        make_rollout(odd_engine(str), lambda reply, target: 1.0, SAMPLING, checker_workers=-1)


def test_checks_hand_over_results_and_errors_with_their_keys():
    with ThreadPoolExecutor(2) as threads:
        checks = Checks(threads)
        assert list(checks.finished(wait=True)) == []  # nothing to wait for
        checks.start("a", int, "12")
        checks.start("b", int, "x")
        results = {}
        while checks.pending:
            results.update(checks.finished(wait=True))
        assert results["a"]() == 12
        with pytest.raises(ValueError, match="invalid literal"):
            results["b"]()
        started, release = threading.Event(), threading.Event()
        checks.start("c", lambda: (started.set(), release.wait(PATIENCE)))
        assert started.wait(PATIENCE)
        assert list(checks.finished(wait=False)) == [] and checks.pending == 1
        checks.cancel()
        assert checks.pending == 0
        release.set()


# ---------------------------------------------------------------- which weights


class Versioned:
    """An engine whose weights can change; refuses while replies are under way."""

    def __init__(self, engine):
        self.engine, self.version = engine, 0

    def __getattr__(self, name):
        return getattr(self.engine, name)

    def load_weights(self, named_params):
        if self.engine.pending:
            raise EngineError("weights must not change while replies are being generated")
        self.version += 1


def test_episodes_say_which_weights_wrote_them(odd_engine, make_rollout):
    engine = Versioned(odd_engine(lambda text: "no"))
    rollout = make_rollout(engine, lambda reply, target: 0.5, SAMPLING, max_attempts=3)
    for expected in ([0], [1]):
        (episode,) = rollout.run(sessions(1), policy_version=40)
        assert episode.weight_versions == expected and not episode.mixed_weights
        assert episode.policy_version == 40 and episode.record()["mixed_weights"] is False
        engine.load_weights([])


def test_weights_that_change_between_two_attempts_mark_the_episode(odd_engine, make_rollout):
    """The one way to do it: from within a run, while no reply is under way."""
    engine = Versioned(odd_engine(lambda text: "no"))

    def check(reply, target):
        engine.load_weights([])
        return 0.5

    rollout = make_rollout(engine, check, SAMPLING, max_attempts=3)
    (episode,) = rollout.run(sessions(1))
    assert episode.weight_versions == [0, 1, 2] and episode.mixed_weights
    assert episode.record()["mixed_weights"] is True


def test_environments_share_sources_that_are_given(odd_engine):
    first = GuidedEnv(["countdown", "panagram"])
    rollout = Rollout(
        lambda: GuidedEnv(first.sources), odd_engine(lambda text: "no"), CharCodec(), SAMPLING
    )
    shared = rollout.run(sessions(4))
    rollout.make_env = lambda: GuidedEnv(["countdown", "panagram"])
    rollout._idle.clear()
    assert shared == rollout.run(sessions(4))
    assert rollout._idle[0].sources["panagram"] is not first.sources["panagram"]
    assert GuidedEnv(first.sources).sources["panagram"] is first.sources["panagram"]
    with pytest.raises(ValueError, match="checker has no meaning with tasks="):
        GuidedEnv(first.sources, checker="countdown")
    with pytest.raises(TypeError, match="at least one TaskSource"):
        GuidedEnv({"countdown": "countdown"})
    own = GuidedEnv(prompts=["Say hi."], checker=lambda reply, target: 1.0)
    assert GuidedEnv(own.sources).reset(options={"index": 0})[0] == "Say hi."
