"""Vector environments: every mode behaves as the single environment does."""

import json

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

import corgi_gym  # noqa: F401  (registers the ids)
from corgi_gym.envs import GuidedEnv, GuidedVectorEnv

IDS = ("ConstrainedGen-v0", "GuidedMath-v0", "corgi/Countdown-v0")
MODES = {
    "sync": {"vectorization_mode": "sync"},
    "async": {"vectorization_mode": "async", "vector_kwargs": {"shared_memory": False}},
    "ours": {"vectorization_mode": "vector_entry_point"},
}
COUNT = 3
REPLIES = ["Answer: 7", "I went to the market with my brother.", "", "<|im_end|>\x00 é"]


def passing(reply, target):
    return reply == "yes"


def ours(**kwargs) -> GuidedVectorEnv:
    return GuidedVectorEnv(2, prompts=["a", "b"], checker=passing, max_attempts=2, **kwargs)


def row(info: dict, number: int) -> dict:
    """The info of one sub-environment."""
    return {k: v[number] for k, v in info.items() if not k.startswith("_")}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("env_id", IDS)
@pytest.mark.filterwarnings("error")
def test_same_seeds_give_the_same_episodes_as_single_environments(env_id, mode):
    singles = [gym.make(env_id, max_attempts=len(REPLIES)) for _ in range(COUNT)]
    envs = gym.make_vec(env_id, num_envs=COUNT, max_attempts=len(REPLIES), **MODES[mode])
    try:
        observations, info = envs.reset(seed=[5, 6, 7])
        for number, env in enumerate(singles):
            observation, single_info = env.reset(seed=5 + number)
            assert observations[number] == observation
            assert json.dumps(row(info, number), default=_plain) == json.dumps(single_info)
        for reply in REPLIES:
            actions = [reply + "!" * number for number in range(COUNT)]
            observations, rewards, terminations, truncations, info = envs.step(actions)
            for number, env in enumerate(singles):
                observation, reward, terminated, truncated, single = env.step(actions[number])
                assert observations[number] == observation
                assert rewards[number] == reward
                assert (terminations[number], truncations[number]) == (terminated, truncated)
                assert json.dumps(row(info, number), default=_plain) == json.dumps(single)
        assert truncations.all()
    finally:
        envs.close()


def _plain(value):
    return value.item()


@pytest.mark.parametrize("mode", MODES)
def test_info_keeps_its_types_across_environments(mode):
    envs = gym.make_vec("ConstrainedGen-v0", num_envs=2, **MODES[mode])
    try:
        _, info = envs.reset(seed=0)
        dtypes = {k: v.dtype for k, v in info.items()}
        assert dtypes["score"] == dtypes["best_score"] == np.float64
        assert dtypes["success"] == dtypes["unscored"] == np.bool_
        info = envs.step(["one", "two"])[4]
        assert {k: v.dtype for k, v in info.items()} == dtypes
    finally:
        envs.close()


def test_next_step_autoreset_ignores_the_action_after_the_end():
    envs = ours()
    assert envs.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    envs.reset(seed=0)
    _, rewards, terminations, _, _ = envs.step(["yes", "no"])
    assert rewards.tolist() == [1.0, 0.0] and terminations.tolist() == [True, False]
    observations, rewards, terminations, truncations, info = envs.step(["yes", "no"])
    assert observations[0] in ("a", "b") and observations[1].endswith("Try again.")
    assert rewards.tolist() == [0.0, 0.0] and not terminations.any()
    assert truncations.tolist() == [False, True]
    assert info["attempt"].tolist() == [0, 2]


@pytest.mark.parametrize("mode", ["SameStep", AutoresetMode.SAME_STEP])
def test_same_step_autoreset_keeps_the_final_message_and_info(mode):
    envs = ours(autoreset_mode=mode)
    envs.reset(seed=0)
    observations, rewards, terminations, _, info = envs.step(["yes", "no"])
    assert rewards.tolist() == [1.0, 0.0] and terminations.tolist() == [True, False]
    assert observations[0] in ("a", "b") and info["attempt"].tolist() == [0, 1]
    assert info["final_obs"][0] == "Correct."
    assert info["final_info"]["success"][0] and info["final_info"]["attempt"][0] == 1


def test_disabled_autoreset_resets_by_mask():
    envs = ours(autoreset_mode=AutoresetMode.DISABLED)
    envs.reset(seed=0)
    envs.step(["yes", "no"])
    mask = np.array([True, False])
    observations, info = envs.reset(options={"reset_mask": mask, "index": 1})
    assert observations[0] == "b" and info["attempt"].tolist() == [0, 0]
    assert envs.step(["no", "yes"])[2].tolist() == [False, True]


def test_episodes_do_not_depend_on_the_number_of_environments():
    def first(count):
        envs = GuidedVectorEnv(count)
        return envs.reset(seed=3)[0][0], envs.step(["a reply"] * count)[0][0]

    assert first(1) == first(2) == first(5)


def test_a_generator_of_prompts_serves_every_environment():
    envs = GuidedVectorEnv(3, prompts=(p for p in "abc"), checker=passing)
    assert envs.reset(options={"index": 1})[0] == ("b", "b", "b")


def test_a_generator_of_rows_serves_every_environment():
    rows = [{"question": f"What is {i} + 1?", "answer": f"#### {i + 1}"} for i in range(40)]
    options = {"gsm8k": {"data": (row for row in rows)}}
    envs = GuidedVectorEnv(3, tasks="gsm8k", task_options=options)
    assert len(set(envs.reset(options={"index": 1})[0])) == 1
    used_up = (p for p in "abc")
    assert GuidedEnv(prompts=used_up, checker=passing).task_at(1).prompt == "b"
    with pytest.raises(ValueError, match="prompts is an iterator with nothing left"):
        GuidedEnv(prompts=used_up, checker=passing)


@pytest.mark.parametrize("count", [0, -1, True, 1.5, "2"])
def test_a_bad_number_of_environments_is_refused(count):
    with pytest.raises(ValueError, match="num_envs must be an integer of at least 1, got"):
        GuidedVectorEnv(count)


@pytest.mark.parametrize(
    ("actions", "error", "message"),
    [
        ("no", TypeError, "one reply .a string. per environment, got 'no'"),
        (["yes", 3], TypeError, "one reply .a string. per environment, got"),
        (["yes"], ValueError, r"step\(\) got 1 replies for 2 environments"),
        (["yes"] * 3, ValueError, r"step\(\) got 3 replies for 2 environments"),
    ],
)
def test_bad_replies_are_refused_before_any_environment_moves(actions, error, message):
    envs = ours()
    envs.reset(seed=0)
    with pytest.raises(error, match=message):
        envs.step(actions)
    assert envs.step(["no", "no"])[4]["attempt"].tolist() == [1, 1]


def test_shared_memory_is_refused_with_the_fix():
    with pytest.raises(ValueError, match="shared_memory=False"):
        gym.make_vec("ConstrainedGen-v0", num_envs=2, vectorization_mode="async")
