"""What holds for every family, with any seed, in any process, order and number of environments.

``CORGI_TASKS=1000`` for the nightly run. A family that is new in `FAMILIES` is tried without a
change here; one that needs an extra which is not installed is skipped by name. (`test_vector.py`
has the modes of Gymnasium's vector environments, `test_guided.py` the loop itself.)
"""

import hashlib
import json
import os
import random

import gymnasium as gym
import pytest

import corgi_gym  # noqa: F401  (registers the ids)
from corgi_gym.envs import FAMILIES, SPLITS, GuidedEnv, GuidedVectorEnv, load_family
from corgi_gym.rewards import judge

TASKS = int(os.environ.get("CORGI_TASKS", "60"))
# Families whose checkers run programs, a sentence encoder or a language model: a tenth of the
# tasks, at least three.
SLOW = ("program", "mbpp", "rationale_generation", "story_generation", "paraphrase")
HASH_SEEDS = ("0", "1", "4711")
FIXED = ("Answer: 7", "I went to the market with my brother.", "", "<|im_end|>\x00 \u00e9 \ud800")


def source_of(name):
    """The family's source with its default options."""
    try:
        return load_family(name)()
    except ImportError as error:
        pytest.skip(f"{name}: {error}")


def count_of(name):
    return max(3, TASKS // 10) if name in SLOW else TASKS


def actions_of(source, task):
    """A near miss, fixed replies, and the witness."""
    misses = source.near_misses(task)
    return [misses[len(task.prompt) % len(misses)], *FIXED, task.witness]


@pytest.mark.parametrize("name", FAMILIES)
def test_every_witness_solves_and_no_near_miss_does(name):
    source = source_of(name)
    for index in range(count_of(name)):
        part, split = divmod(index, len(SPLITS))  # in turn: all rows of a small family are seen
        task = source.item(11, part, SPLITS[split])
        verdict = judge(task.checker, task.witness, task.target)
        assert verdict.success, (task.task_id, task.prompt, task.witness, verdict.problems)
        scores = [judge(task.checker, miss, task.target).score for miss in source.near_misses(task)]
        assert scores and max(scores) < 1.0, (task.task_id, task.prompt, scores)


TRACE = """
import hashlib, json
import gymnasium as gym
import corgi_gym
from corgi_gym.envs import FAMILIES, SUITES, load_family

FIXED = {fixed!r}
ids = [(e, n) for e in SUITES for n in (0.0, 0.7)] + [
    ("corgi/" + f.env_id, 0.5) for n, f in FAMILIES.items() if n not in {slow!r}]
for env_id, noise in ids:
    try:
        env = gym.make(env_id, noise=noise, max_attempts=len(FIXED) + 2)
    except ImportError as error:
        print(env_id, "left out", error)
        continue
    digest = hashlib.sha256()
    for seed in range(3):
        message, info = env.reset(seed=seed)
        digest.update(ascii((message, info)).encode())
        for reply in [*FIXED, message]:
            digest.update(ascii(env.step(reply)).encode())
    print(env_id, noise, digest.hexdigest())
"""


def test_traces_are_byte_identical_in_every_process(run_python):
    code = TRACE.format(fixed=FIXED, slow=SLOW)
    outputs = [run_python(code, PYTHONHASHSEED=seed) for seed in HASH_SEEDS]
    assert outputs[0] == outputs[1] == outputs[2]
    assert len(outputs[0].splitlines()) >= len(FAMILIES) - len(SLOW)


def trace(env, index, actions):
    """All that an episode shows, byte by byte."""
    shown = [env.reset(seed=index, options={"index": index})]
    for action in actions:
        shown.append(env.step(action))
        if shown[-1][2] or shown[-1][3]:
            break
    return [ascii(each) for each in shown]


@pytest.mark.parametrize("name", FAMILIES)
def test_episodes_do_not_depend_on_order_or_number_of_environments(name):
    source = source_of(name)
    numbers = range(2 if name in SLOW else 4)
    scripts = [actions_of(source, source.item(0, i)) for i in numbers]
    options = {"tasks": name, "max_attempts": len(FIXED) + 2}
    alone = [trace(GuidedEnv(**options), i, scripts[i]) for i in numbers]
    assert all("'success': True" in shown[-1] for shown in alone)

    one = GuidedEnv(**options)  # the same one again and again, backwards
    assert [trace(one, i, scripts[i]) for i in reversed(numbers)] == alone[::-1]

    envs = [GuidedEnv(**options) for _ in numbers]
    mixed = [[ascii(env.reset(seed=i, options={"index": i}))] for i, env in enumerate(envs)]
    turns = [i for i in numbers for _ in alone[i][1:]]
    random.Random(name).shuffle(turns)
    for i in turns:
        mixed[i].append(ascii(envs[i].step(scripts[i][len(mixed[i]) - 1])))
    assert mixed == alone


@pytest.mark.parametrize("name", FAMILIES)
def test_our_vector_environment_shows_what_single_ones_show(name):
    source_of(name)
    replies = FIXED[:2] if name in SLOW else FIXED
    digests = []
    for count in (1, 3):
        envs = GuidedVectorEnv(count, tasks=name, max_attempts=len(replies))
        singles = [GuidedEnv(name, max_attempts=len(replies)) for _ in range(count)]
        observations, infos = envs.reset(seed=list(range(count)))
        for i, env in enumerate(singles):
            message, info = env.reset(seed=i)
            assert observations[i] == message
            assert _info(infos, i) == json.dumps(info)
        digest = hashlib.sha256(observations[0].encode())
        for reply in replies:
            observations, rewards, terminated, truncated, infos = envs.step([reply] * count)
            for i, env in enumerate(singles):
                message, reward, done, cut, info = env.step(reply)
                assert (observations[i], rewards[i], terminated[i], truncated[i]) == (
                    message,
                    reward,
                    done,
                    cut,
                )
                assert _info(infos, i) == json.dumps(info)
            digest.update(f"{observations[0]!a} {rewards[0]!r}".encode())
        digests.append(digest.hexdigest())
        envs.close()
    assert len(set(digests)) == 1


def _info(infos, number):
    """The info of one sub-environment, as JSON."""
    row = {key: value[number] for key, value in infos.items() if not key.startswith("_")}
    return json.dumps(row, default=lambda value: value.item())


@pytest.mark.parametrize("name", FAMILIES)
def test_the_registered_id_plays_the_family(name):
    source_of(name)
    env = gym.make(f"corgi/{FAMILIES[name].env_id}")
    assert env.reset(seed=0)[1]["task"] == name
