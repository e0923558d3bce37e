"""The throughput benchmarks measure what they say."""

from corgi_gym.agents.engines import CharCodec, Sampling, ScriptedEngine
from corgi_gym.agents.rollout import Rollout, Session
from corgi_gym.benchmarks.throughput.episodes import crowd
from corgi_gym.benchmarks.throughput.generation import (
    Drawn,
    flat,
    flat_read,
    lock_step,
    turns,
    unsatisfied,
)
from corgi_gym.envs import GuidedEnv


def rollout_with_drawn_lengths():
    engine = Drawn(ScriptedEngine(lambda text: "word " * 100), mean=20, longest=50)
    make_env = lambda: GuidedEnv(prompts=["Write."], checker=unsatisfied, max_attempts=3)  # noqa: E731
    return Rollout(make_env, engine, CharCodec(), Sampling(max_tokens=50), max_length=5_000)


def test_lengths_are_drawn_from_the_seed_and_lock_step_does_the_same_work():
    sessions = [Session(0, seed=i) for i in range(40)]
    rollout = rollout_with_drawn_lengths()
    episodes = rollout.run(sessions)
    lengths = [a.tokens for e in episodes for a in e.attempts]
    assert len(lengths) == 120 and max(lengths) == 50 and min(lengths) < 5
    assert 14 < sum(lengths) / len(lengths) < 24  # the mean of the cut distribution is 18.4
    read = rollout.engine.read
    lock_step(rollout, sessions)
    assert rollout.engine.read == 2 * read
    assert rollout_with_drawn_lengths().run(sessions) == episodes


def test_the_flat_batches_write_as_many_tokens_as_the_sessions():
    episodes = rollout_with_drawn_lengths().run([Session(0, seed=i) for i in range(5)])
    written = sum(e.model_tokens for e in episodes)
    assert len(flat(episodes)) == 5 and len(turns(episodes)) == 15
    assert sum(n for _, n in flat(episodes)) == sum(n for _, n in turns(episodes)) == written
    assert [(len(ids), n) for ids, n in flat_read(episodes)] == [
        (len(e.token_ids) - e.model_tokens, e.model_tokens) for e in episodes
    ]
    first = [CharCodec().start("Write.")] * 5
    assert [ids for ids, _ in flat(episodes)] == first == [ids for ids, _ in turns(episodes)][::3]


def test_a_small_crowd_is_all_under_way_at_once():
    row = crowd("countdown", 40)
    assert row["episodes"] == 40 and row["more_mb"] >= 0 and row["tokens_per_episode"] > 100
