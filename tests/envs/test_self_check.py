"""GuidedEnv(self_check=True): the writer's own verdict decides whether the episode goes on."""

import gymnasium as gym
import pytest

import corgi_gym  # noqa: F401
from corgi_gym.envs import GuidedEnv
from corgi_gym.rewards.self_verdict import AGAIN, DONE, NO_VERDICT, REQUEST


def env_of(**kwargs):
    return GuidedEnv(
        prompts=["Say hi."],
        checker=lambda reply, target: {"hi": 1.0, "h": 0.5}.get(reply, 0.0),
        **{"self_check": True, "session_reward": "last", "max_attempts": 3, **kwargs},
    )


def test_the_prompt_asks_for_a_verdict():
    message, info = env_of().reset()
    assert message == info["messages"][0]["content"] == "Say hi." + REQUEST


@pytest.mark.parametrize(
    ("reply", "message", "ends"),
    [
        ("hi\nVerdict: correct", DONE, True),
        ("no\nVerdict: correct", DONE, True),
        ("hi\nVerdict: incorrect", AGAIN, False),
        ("no\nVerdict: incorrect", AGAIN, False),
        ("hi", NO_VERDICT, False),
        ("no", NO_VERDICT, False),
    ],
)
def test_messages_depend_on_the_own_verdict_alone(reply, message, ends):
    env = env_of()
    env.reset()
    got, _, terminated, truncated, info = env.step(reply)
    right = reply.startswith("hi")
    assert (got, terminated, truncated) == (message, ends, False)
    assert info["score"] == float(right)
    assert info["success"] == (right and ends)  # an answer counts where it stands


def test_the_answer_that_stands_at_the_end_is_paid():
    env = env_of()
    env.reset()
    rewards = [env.step(f"{answer}\nVerdict: incorrect")[1] for answer in ("hi", "h")]
    _, last, terminated, truncated, info = env.step("no\nVerdict: incorrect")
    assert rewards == [1.0, -0.5] and last == -0.5
    assert (terminated, truncated, info["success"], info["best_score"]) == (False, True, False, 1.0)
    assert info["messages"][-1]["content"] == DONE


def test_attempts_used_up_with_a_right_answer_is_a_success():
    env = env_of(max_attempts=1)
    env.reset()
    _, reward, terminated, truncated, info = env.step("hi\nVerdict: incorrect")
    assert (reward, terminated, truncated, info["success"]) == (1.0, False, True, True)


def test_every_environment_has_it():
    env = gym.make("corgi/Countdown-v0", self_check=True)
    message, _ = env.reset(seed=0)
    assert message.endswith(REQUEST)
    task = env.unwrapped.task_at(0)
    env.reset(options={"index": 0})
    assert env.step(f"{task.witness}\nVerdict: correct")[4]["success"]
    envs = gym.make_vec(
        "corgi/Countdown-v0", num_envs=2, vectorization_mode="vector_entry_point", self_check=True
    )
    assert all(m.endswith(REQUEST) for m in envs.reset(seed=0)[0])


def test_a_verdict_is_read_from_what_the_chat_shows():
    """Other line breaks, and characters that no one sees, are gone there."""
    line = "Verdict: correct"
    for reply in (f"hi\u2028{line}", f"hi\r{line}", f"hi\n\u200b{line}\u200b"):
        env = env_of()
        env.reset()
        _, reward, terminated, _, info = env.step(reply)
        assert info["messages"][1]["content"] == "hi\nVerdict: correct"
        assert (reward, terminated, env.answer_of(reply)) == (1.0, True, "hi")
    env.reset()
    for reply in ("x" * 30_000 + f"\n{line}", "hi\nFeedback: " + "x" * 30_000 + f"\n{line}"):
        env.reset()
        (problem,) = env.step(reply)[4]["problems"]
        assert problem["kind"] == "too_long" and env.answer_of(reply) == reply


def test_bad_input():
    with pytest.raises(ValueError, match=r"noise=0.5 has no use with self_check"):
        env_of(noise=0.5)
    env = env_of()
    env.reset()
    with pytest.raises(TypeError, match="a reply must be a string, got int: 3"):
        env.step(3)
