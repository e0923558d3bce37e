"""`GuidedEnv`: the loop, its promises, and every kind of bad input."""

import json
import math
import random

import gymnasium as gym
import numpy as np
import pytest

from corgi_gym.envs import FAMILIES, GuidedEnv, load_family
from corgi_gym.rewards import Problem, Verdict, checker_names

INFO_TYPES = {
    "messages": list,
    "task": str,
    "task_id": str,
    "attempt": int,
    "score": float,
    "best_score": float,
    "success": bool,
    "unscored": bool,
    "problems": list,
}
HOSTILE = (
    "<|im_end|>", "<|im_start|>user\n", "</s>", "\x00", "\x1b[2J", "\ud800", "\u200b", "\u202e",
    "[INST]", "Answer: ", "1+", "(", "a ", "Group 1:", "\n", "9" * 50,
)  # fmt: skip


def number(reply, target):
    """Scores a reply by the number in it; raises for any other text."""
    score = float(reply)
    return Verdict.ok() if score == 1.0 else Verdict.wrong(score, Problem("low", "Too low."))


def make(**kwargs) -> GuidedEnv:
    kwargs = {"prompts": ["a", "b"], "checker": number, **kwargs}
    env = GuidedEnv(**kwargs)
    env.reset(seed=0, options={"index": 0})
    return env


def assert_info(info) -> None:
    assert {key: type(value) for key, value in info.items()} == INFO_TYPES
    assert all(type(m) is dict and set(m) == {"role", "content"} for m in info["messages"])
    assert all(set(p) == {"kind", "message", "where"} for p in info["problems"])
    json.dumps(info, ensure_ascii=False).encode()


# ---------------------------------------------------------------- the loop


def test_an_episode_ends_when_solved():
    env = make()
    message, reward, terminated, truncated, info = env.step("0.5")
    assert (message, reward, terminated, truncated) == ("Too low. Try again.", 0.5, False, False)
    message, reward, terminated, truncated, info = env.step("1")
    assert (message, reward, terminated, truncated) == ("Correct.", 0.5, True, False)
    assert info["messages"] == [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "0.5"},
        {"role": "user", "content": "Too low. Try again."},
        {"role": "assistant", "content": "1"},
        {"role": "user", "content": "Correct."},
    ]


@pytest.mark.parametrize("attempts", [1, 2, 5, np.int64(3)])
def test_an_episode_is_truncated_when_its_attempts_are_used_up(attempts):
    env = make(max_attempts=attempts)
    ends = [env.step("0.5")[2:4] for _ in range(attempts)]
    assert ends == [(False, False)] * (attempts - 1) + [(False, True)]


def test_success_at_the_last_attempt_terminates():
    env = make(max_attempts=2)
    env.step("0")
    assert env.step("1")[2:4] == (True, False)


@pytest.mark.parametrize("spec", ["best", "last", "first", "delta", "discounted(0.5)"])
def test_rewards_of_an_episode_sum_to_the_session_reward(spec):
    rng = random.Random(spec)
    for _ in range(30):
        env = make(session_reward=spec, max_attempts=5)
        rewards, scores = [], []
        while True:
            _, reward, terminated, truncated, info = env.step(str(rng.choice((0, 0.3, 0.7, 1))))
            assert type(reward) is float
            rewards.append(reward)
            scores.append(info["score"])
            assert info["best_score"] == max(scores)
            if terminated or truncated:
                break
        wins = [0.5**i for i, score in enumerate(scores) if score == 1.0]
        expected = {
            "best": max(scores),
            "last": scores[-1],
            "first": scores[0],
            "delta": scores[-1] - scores[0],
            "discounted(0.5)": max(wins, default=0.0),
        }
        assert sum(rewards) == pytest.approx(expected[spec])


def test_repeating_a_reply_earns_nothing():
    env = make()
    assert [env.step("0.5")[1] for _ in range(4)] == [0.5, 0.0, 0.0, 0.0]


def test_feedback_levels_reach_the_observation():
    texts = {level: make(feedback=level).step("0.25")[0] for level in ("silent", "score", "which")}
    assert texts == {
        "silent": "Try again.",
        "score": "Score: 0.25 of 1. Try again.",
        "which": "Wrong: low. Try again.",
    }


# ---------------------------------------------------------------- info


@pytest.mark.parametrize("name", FAMILIES)
def test_info_has_the_same_keys_and_types_and_never_target_or_witness(name):
    env = GuidedEnv(name, max_attempts=3)
    for index in range(4):
        message, info = env.reset(seed=index, options={"index": index})
        task = load_family(name)().item(0, index)
        assert (message, info["task"], info["task_id"]) == (task.prompt, name, task.task_id)
        replies = ("first try", "a second try", "x" * 30_000)
        infos = [info, *(env.step(reply)[4] for reply in replies)]
        for number, each in enumerate(infos):
            assert_info(each)
            assert each["attempt"] == number
            texts = [m["content"] for m in each["messages"][1:]]
            texts += [p["message"] for p in each["problems"]]
            assert not any(task.witness in text for text in texts)
            assert not any(value == task.target for value in each.values() if value)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_witness_solves_through_the_environment(name):
    env = GuidedEnv(name)
    for index in range(4):
        env.reset(options={"index": index})
        _, reward, terminated, _, info = env.step(load_family(name)().item(0, index).witness)
        assert (reward, terminated, info["success"], info["problems"]) == (1.0, True, True, [])


def test_every_info_is_made_of_fresh_objects():
    env = make()
    infos = [env.reset(options={"index": 0})[1], env.step("0.5")[4], env.step("0.5")[4]]
    snapshot = json.dumps(infos[1])
    for info in infos[:2]:
        for message in info["messages"]:
            message["content"] = "spoiled"
        info["messages"].clear()
        info["problems"].append("spoiled")
    assert json.dumps(env.step("0.5")[4]["messages"]).count("spoiled") == 0
    assert json.dumps(infos[2]).count("spoiled") == 0 and snapshot.count("spoiled") == 0


# ---------------------------------------------------------------- replies


@pytest.mark.parametrize("reply", [None, 3, b"bytes", ["text"], np.float64(1)])
def test_a_reply_that_is_no_string_is_refused_and_costs_no_attempt(reply):
    env = make()
    with pytest.raises(TypeError, match="a reply must be a string, got"):
        env.step(reply)
    assert env.step("1")[4]["attempt"] == 1


@pytest.mark.parametrize(
    ("reply", "feedback"),
    [
        ("", "Your reply is empty. Write an answer. Try again."),
        ("\x00\u200b \n", "Your reply is empty. Write an answer. Try again."),
        ("x" * 10**6, "Your reply has 1000000 characters. Write at most 20000. Try again."),
        ("\ud800" * 10**6, "Your reply has 1000000 characters. Write at most 20000. Try again."),
    ],
    ids=["empty", "invisible", "megabyte", "surrogates"],
)
def test_a_reply_without_an_answer_is_scored_zero(reply, feedback):
    message, reward, terminated, truncated, info = make().step(reply)
    assert (message, reward, terminated, truncated) == (feedback, 0.0, False, False)
    assert not info["unscored"]
    assert_info(info)


@pytest.mark.parametrize("name", FAMILIES)
def test_hostile_replies_get_a_verdict_and_clean_feedback(name):
    rng = random.Random(name)
    env = GuidedEnv(name, max_attempts=100)
    env.reset(options={"index": 0})
    for _ in range(60):
        reply = "".join(rng.choices(HOSTILE, k=rng.randrange(12)))
        message, reward, terminated, _, info = env.step(reply)
        assert not info["unscored"] and not terminated and math.isfinite(reward)
        assert not any(token in message for token in ("<|", "|>", "</s>", "[INST]"))
        assert message.replace("\n", " ").isprintable()
        assert_info(info)


def test_the_chat_keeps_replies_normalised():
    info = make().step("0.5\x00\u200b\ud800")[4]
    assert info["messages"][1]["content"] == "0.5\ufffd"


# ---------------------------------------------------------------- checkers


@pytest.mark.parametrize("value", [math.nan, 2.0, -0.1, None, "0.5", [1.0], Verdict])
def test_a_broken_checker_makes_an_unscored_attempt_and_the_session_goes_on(value):
    results = iter([0.5, value, 0.75, True])
    env = make(checker=lambda reply, target: next(results))
    rows = []
    for _ in range(4):
        message, reward, terminated, truncated, info = env.step("reply")
        rows.append((reward, info["score"], info["best_score"], info["unscored"], info["success"]))
        if info["unscored"]:
            assert message == "Your reply could not be checked. Try again."
            assert not terminated and not truncated
            assert info["problems"][0]["kind"] == "unscored"
        assert_info(info)
    assert rows == [
        (0.5, 0.5, 0.5, False, False),
        (0.0, 0.0, 0.5, True, False),
        (0.25, 0.75, 0.75, False, False),
        (0.25, 1.0, 1.0, False, True),
    ]
    assert terminated


@pytest.mark.parametrize("spec", ["best", "last", "first", "delta", "discounted(0.5)"])
def test_unscored_attempts_leave_no_trace_in_any_session_reward(spec):
    with_failures, without = make(session_reward=spec, max_attempts=6), make(session_reward=spec)
    replies = ["0.2", "fails", "0.9", "fails", "0.4"]
    paid = [with_failures.step(reply)[1] for reply in replies]
    assert paid == [0.0 if reply == "fails" else without.step(reply)[1] for reply in replies]


def test_only_unscored_attempts_still_use_up_the_episode():
    env = make(max_attempts=2)
    env.step("fails")
    _, reward, terminated, truncated, info = env.step("fails")
    assert (reward, terminated, truncated, info["best_score"]) == (0.0, False, True, 0.0)


@pytest.mark.parametrize("error", [RecursionError, MemoryError, AssertionError])
def test_every_exception_is_unscored(error):
    def check(reply, target):
        raise error("deep")

    assert make(checker=check).step("reply")[4]["unscored"]


def test_an_interrupt_passes_through_and_costs_no_attempt():
    answers = iter([KeyboardInterrupt(), True])

    def check(reply, target):
        answer = next(answers)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    env = make(checker=check)
    with pytest.raises(KeyboardInterrupt):
        env.step("reply")
    assert env.step("reply")[4]["attempt"] == 1


def test_feedback_never_holds_what_a_checker_smuggles_in():
    def check(reply, target):
        return Verdict.wrong(0.5, Problem("k<|im_end|>", f"Bad\x00 <|im_end|>\x1b {reply} \ud800"))

    for level in ("which", "full"):
        message = make(checker=check, feedback=level).step("<|im_start|>system </s>")[0]
        assert message.isprintable() and "<|" not in message and "</s>" not in message


@pytest.mark.parametrize("name", checker_names())
def test_a_checker_may_replace_the_families_own(name):
    env = GuidedEnv("panagram", checker=name)
    assert {source.checker.name for source in env.sources.values()} == {name}


# ---------------------------------------------------------------- arguments


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tasks": "nope"}, "unknown task family 'nope'; known: num_planning"),
        ({"split": "dev"}, "unknown split 'dev'; choose from train, validation, test"),
        ({"split": None}, "unknown split None"),
        ({"feedback": "loud"}, "unknown feedback level 'loud'; choose from silent, binary, score"),
        ({"session_reward": "sum"}, "unknown session_reward 'sum'; choose from best, last, first"),
        ({"session_reward": None}, "unknown session_reward None"),
        ({"render_mode": "rgb_array"}, "unknown render_mode 'rgb_array'; choose None, 'ansi'"),
        ({"max_attempts": 0}, "max_attempts must be an integer of at least 1, got 0"),
        ({"max_attempts": -1}, "max_attempts must be an integer of at least 1, got -1"),
        ({"max_attempts": True}, "max_attempts must be an integer of at least 1, got True"),
        ({"max_attempts": "4"}, "max_attempts must be an integer of at least 1, got '4'"),
        ({"max_attempts": 2.0}, "max_attempts must be an integer of at least 1, got 2.0"),
        ({"noise": 2}, r"noise must be a number in \[0, 1\], got 2"),
        ({"noise": -0.1}, r"noise must be a number in \[0, 1\], got -0.1"),
        ({"noise": math.nan}, r"noise must be a number in \[0, 1\], got nan"),
        ({"noise": "0.5"}, r"noise must be a number in \[0, 1\], got '0.5'"),
        ({"noise": True}, r"noise must be a number in \[0, 1\], got True"),
        ({"seed": -1}, "seed must be an integer of at least 0, got -1"),
        ({"seed": None}, "seed must be an integer of at least 0, got None"),
        ({"checker": "nope"}, "unknown checker 'nope'; known: .*countdown"),
        ({"suite": "Nope-v0"}, "unknown suite 'Nope-v0'; choose from ConstrainedGen-v0"),
    ],
)
def test_bad_arguments_name_the_value_and_the_way_out(arguments, message):
    with pytest.raises(ValueError, match=message):
        GuidedEnv(**arguments)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"idx": 3}, r"unknown reset option\(s\) \['idx'\]; known: task, index, max_attempts"),
        ({"task": "panagram"}, "unknown task family 'panagram' in this environment; it has: promp"),
        ({"task": ["prompts"]}, r"unknown task family \['prompts'\]"),
        ({"index": -1}, "reset option 'index' must be an integer of at least 0, got -1"),
        ({"index": 1.0}, "reset option 'index' must be an integer of at least 0, got 1.0"),
        ({"index": True}, "reset option 'index' must be an integer of at least 0, got True"),
        ({"index": "3"}, "reset option 'index' must be an integer of at least 0, got '3'"),
        ({"max_attempts": 0}, "reset option 'max_attempts' must be an integer of at least 1, got"),
        ({"max_attempts": 1, "idx": 3}, "unknown reset option"),
    ],
)
def test_bad_reset_options_are_refused_and_leave_the_episode(options, message):
    env = make()
    env.step("0.5")
    with pytest.raises(ValueError, match=message):
        env.reset(options=options)
    assert env.step("1")[4]["attempt"] == 2


def test_the_attempts_of_one_episode_can_be_set():
    env = make(max_attempts=3)
    env.reset(options={"index": 0, "max_attempts": 1})
    assert env.step("0.5")[2:4] == (False, True)
    env.reset(options={"index": 0, "max_attempts": 5})
    assert [env.step("0.5")[3] for _ in range(5)] == [False] * 4 + [True]
    env.reset(options={"index": 0})
    assert [env.step("0.5")[3] for _ in range(3)] == [False, False, True]


def test_stepping_without_an_episode_says_what_to_call():
    env = GuidedEnv(prompts=["a"], checker=number)
    with pytest.raises(RuntimeError, match=r"call reset\(\) before step\(\)"):
        env.step("1")
    for reply, attempts in (("1", 4), ("0", 1)):
        env = make(max_attempts=attempts)
        env.step(reply)
        with pytest.raises(RuntimeError, match=r"has ended; call reset\(\) to start the next"):
            env.step("1")


# ---------------------------------------------------------------- tasks and determinism


def test_index_walks_the_mixture_in_turn_and_task_picks_a_family():
    env = GuidedEnv(["panagram", "countdown"], split="test", seed=5)
    for index in range(6):
        _, info = env.reset(options={"index": index})
        family = ("panagram", "countdown")[index % 2]
        expected = load_family(family)().item(5, index // 2, "test")
        assert (info["task"], info["task_id"]) == (family, expected.task_id)
        _, info = env.reset(options={"task": "countdown", "index": np.int64(index)})
        assert info["task_id"] == load_family("countdown")().item(5, index, "test").task_id
    assert {env.reset(options={"task": "panagram"})[1]["task"] for _ in range(5)} == {"panagram"}


def play(env, seed: int, actions: list[str], options=None) -> list:
    trace = [env.reset(seed=seed, options=options)]
    for action in actions:
        trace.append(env.step(action))
        if trace[-1][2] or trace[-1][3]:
            trace.append(env.reset())
    return trace


ACTIONS = [
    "first try",
    "Answer: 42",
    "A second sentence is here.",
    "<|im_end|>\x00",
    "",
    "ran home",
]


@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_episodes_do_not_depend_on_what_other_environments_do(noise):
    alone = [play(GuidedEnv(noise=noise), seed, ACTIONS) for seed in range(3)]
    envs = [GuidedEnv(noise=noise) for _ in range(3)]
    traces = [[env.reset(seed=seed)] for seed, env in enumerate(envs)]
    jobs = [(i, action) for i in range(3) for action in ACTIONS]
    random.Random(0).shuffle(order := [i for i, _ in jobs])
    left = {i: list(ACTIONS) for i in range(3)}
    for i in order:
        traces[i].append(envs[i].step(left[i].pop(0)))
        if traces[i][-1][2] or traces[i][-1][3]:
            traces[i].append(envs[i].reset())
    assert traces == alone


def test_the_next_task_does_not_depend_on_replies_or_noise():
    ids = set()
    for noise, replies in ((0.0, ["x"]), (1.0, ["x", "y"]), (0.5, ["a", "b", "c"])):
        env = GuidedEnv(noise=noise)
        env.reset(seed=3)
        for reply in replies:
            env.step(reply)
        ids.add(env.reset()[1]["task_id"])
    assert len(ids) == 1


def test_noise_changes_feedback_only_and_about_as_often_as_asked():
    clean, noisy = GuidedEnv("num_planning"), GuidedEnv("num_planning", noise=0.5)
    changed, count = 0, 200
    for index in range(count):
        for env in (clean, noisy):
            env.reset(options={"index": index})
        one, other = (env.step("I went to the shop") for env in (clean, noisy))
        assert one[1:4] == other[1:4]
        assert one[4]["problems"] == other[4]["problems"]
        changed += one[0] != other[0]
    assert 0.25 < changed / count < 0.6


def test_noise_never_says_correct_of_a_wrong_reply():
    targets = [{"prompt": str(n), "target": n} for n in range(20)]
    env = GuidedEnv(prompts=targets, checker=lambda reply, target: reply == str(target), noise=1.0)
    for index in range(20):
        env.reset(options={"index": index})
        assert env.step(str((index + 1) % 20))[0] != "Correct."


# ---------------------------------------------------------------- rendering


def test_ansi_returns_the_chat_with_verdicts():
    env = GuidedEnv(prompts=["Give one."], checker=number, render_mode="ansi")
    assert env.render() == "(no episode yet: call reset())"
    env.reset()
    env.step("0.5")
    env.step("fails")
    env.step("1")
    assert env.render() == (
        "[task] Give one.\n"
        "[attempt 1] 0.5\n    (scored, score 0.50) Too low. Try again.\n"
        "[attempt 2] fails\n    (unscored: checker 'number' failed: ValueError: could not convert "
        "string to float: 'fails') Your reply could not be checked. Try again.\n"
        "[attempt 3] 1\n    (solved, score 1.00) Correct."
    )


def test_human_prints_each_attempt_once(capsys):
    env = GuidedEnv(prompts=["Give one."], checker=number, render_mode="human")
    env.reset()
    env.step("0.5")
    env.step("1")
    out = capsys.readouterr().out
    assert out.count("Give one.") == out.count("[attempt 1]") == out.count("[attempt 2]") == 1


def test_render_without_a_mode_warns_and_returns_nothing():
    with pytest.warns(UserWarning, match="render_mode='ansi' or 'human'"):
        assert make().render() is None


def test_spaces_hold_what_the_environment_says():
    env = GuidedEnv()
    assert isinstance(env, gym.Env)
    assert env.reset(seed=0)[0] in env.observation_space
    assert env.step("x" * 10**6)[0] in env.observation_space
    assert "x" * 10**6 in env.action_space


# ---------------------------------------------------------------- sources, noise and repeats


def test_two_sources_of_one_family_keep_their_names():
    family = load_family("concepts")
    sources = {"easy": family(count=(2, 3)), "hard": family(count=(5, 6))}
    env = GuidedEnv(tasks=sources, noise=1.0, render_mode="ansi")
    for name, sizes in (("easy", (2, 3)), ("hard", (5, 6))):
        _, info = env.reset(options={"task": name, "index": 0})
        assert info["task"] == name
        assert len(env.unwrapped._task.target["concepts"]) in sizes
        assert env.step("The dog runs.")[4]["attempt"] == 1
        assert "[attempt 1]" in env.render()
        again = env.reset(options={"task": info["task"], "index": 0})[1]
        assert again["task_id"] == info["task_id"]
    assert [env.task_at(i).family for i in range(4)] == ["easy", "hard"] * 2


def target_in(reply, target):
    return target in reply or Verdict.wrong(0.0, Problem("missing", f"Write {target}."))


def test_noise_is_always_that_of_another_task():
    prompts = [{"prompt": f"p{i}", "target": f"t{i}"} for i in range(2)]
    env = GuidedEnv(prompts=prompts, checker=target_in, noise=1.0, max_attempts=30)
    for index in range(2):
        env.reset(options={"index": index})
        told = {env.step(f"reply {i}")[0] for i in range(29)}
        assert told == {f"Write t{1 - index}. Try again."}
    alone = GuidedEnv(prompts=prompts[:1], checker=target_in, noise=1.0)
    alone.reset()
    assert alone.step("x")[0] == "Write t0. Try again."


def test_noise_never_stands_for_a_check_that_failed():
    broken = set()

    def failing(reply, target):
        if target in broken:
            raise OSError("no answer")
        return target_in(reply, target)

    prompts = [{"prompt": f"p{i}", "target": f"t{i}"} for i in range(2)]
    for target, told in (("t0", "Your reply could not be checked."), ("t1", "Write t0.")):
        broken.clear()
        broken.add(target)
        env = GuidedEnv(prompts=prompts, checker=failing, noise=1.0)
        env.reset(options={"index": 0})
        assert env.step("x")[0] == f"{told} Try again."


def test_sending_a_reply_again_that_could_not_be_checked_costs_nothing():
    outcomes = iter([OSError("no answer"), 0.5, 0.5, OSError("again"), True])

    def flaky(reply, target):
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return Verdict.ok() if outcome is True else Verdict.wrong(outcome, Problem("low", "Low."))

    env = GuidedEnv(prompts=["a"], checker=flaky, repeat_penalty=0.25, max_attempts=5)
    env.reset()
    steps = [env.step("same") for _ in range(5)]
    assert [step[1] for step in steps] == [0.0, 0.5, -0.25, 0.0, 0.5]
    assert ["the same" in step[0] for step in steps] == [False, False, True, False, False]


def test_arguments_that_contradict_are_refused():
    with pytest.raises(ValueError, match="tasks='countdown' has no meaning with prompts"):
        gym.make("ConstrainedGen-v0", tasks="countdown", prompts=["a"], checker=number)
    with pytest.raises(TypeError, match=r"tasks must be a list, got the set .* process to process"):
        GuidedEnv(tasks={"countdown", "concepts"})
