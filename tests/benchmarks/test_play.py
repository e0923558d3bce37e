"""A person as the policy, and the list of families."""

from functools import partial

import pytest

from corgi_gym.benchmarks import play as module
from corgi_gym.benchmarks.play import describe_families, play
from corgi_gym.envs import FAMILIES, family_names, load_family


def session(*lines):
    """A reader of these lines (then end of file) and a writer that keeps what is written."""
    left, written = list(lines), []

    def read(prompt):
        written.append(prompt)
        if not left:
            raise EOFError
        return left.pop(0)

    return {"read": read, "write": written.append}, written


def witness(family, seed=0):
    import gymnasium as gym

    env = gym.make(f"corgi/{FAMILIES[family].env_id}")
    env.reset(seed=seed)
    return env.unwrapped._task.witness


def test_a_solved_task_returns_0_and_a_lost_one_1():
    answer = witness("num_planning").splitlines()
    console, written = session("wrong", "", *answer, "")
    assert play("corgi/NumPlanning-v0", **console) == 0
    text = "\n".join(written)
    assert text.startswith("[num_planning]\n")
    assert "score 1.00" in text and "2> " in text and "3> " not in text
    console, written = session("wrong", "", "wrong", "", "not read", "")
    assert play("corgi/NumPlanning-v0", max_attempts=2, **console) == 1
    assert "3> " not in written


def test_several_lines_are_one_reply():
    steps = witness("multistep_arithmetic").splitlines()
    console, written = session(*steps, "")
    assert play("corgi/MultistepArithmetic-v0", **console) == 0
    assert sum(w == "1> " for w in written) == len(steps) + 1


def test_giving_up_is_no_error():
    console, written = session()
    assert play("ConstrainedGen-v0", **console) == 1
    assert "\nYou gave up." in written
    # a reply that end of file cuts off is still judged
    console, written = session("half a reply")
    assert play("ConstrainedGen-v0", **console) == 1
    assert any("score 0." in w for w in written)


def test_the_seed_picks_the_task_and_the_level_the_feedback():
    def first(**kwargs):
        console, written = session("wrong", "")
        play("corgi/NumPlanning-v0", **kwargs, **console)
        return written

    assert first(seed=1) == first(seed=1)
    assert first(seed=1)[0] != first(seed=2)[0]
    assert any(w.startswith("Try again") for w in first(feedback="silent"))


@pytest.mark.parametrize(
    ("env_id", "kwargs", "words"),
    [
        ("Nope-v0", {}, r"no environment 'Nope-v0'.*corgi/NumPlanning-v0"),
        ("no such id", {}, "no environment 'no such id'"),
        ("CartPole-v1", {}, "no environment 'CartPole-v1'"),
        ("ConstrainedGen-v0", {"feedback": "loud"}, "'loud'"),
        ("ConstrainedGen-v0", {"max_attempts": 0}, "max_attempts"),
        ("ConstrainedGen-v0", {"seed": -1}, "seed must be at least 0, got -1"),
    ],
)
def test_bad_input_is_named(env_id, kwargs, words):
    console, _ = session()
    with pytest.raises(ValueError, match=words):
        play(env_id, **kwargs, **console)


def test_every_family_is_described_with_an_example():
    text = describe_families()
    for name in family_names():
        source = load_family(name)()
        assert f"{name}  (corgi/{FAMILIES[name].env_id}" in text
        assert source.item(0, 0, "train").witness.split()[0] in text
    assert text.count("solved by:") == len(family_names())
    assert describe_families(["countdown"]).count("solved by:") == 1
    assert describe_families(["countdown"]) == describe_families(["countdown"])
    assert describe_families(["countdown"], seed=1) != describe_families(["countdown"])
    with pytest.raises(ValueError, match="unknown task family 'nope'"):
        describe_families(["nope"])


def test_a_family_whose_package_is_missing_hides_no_other(monkeypatch):
    def load(name):
        if name == "paraphrase":
            raise ImportError('the family paraphrase needs: pip install "corgi-gym[semantic]"')
        return load_family(name)

    monkeypatch.setattr(module, "load_family", load)
    monkeypatch.setattr(module, "family_names", lambda: ["countdown", "paraphrase", "concepts"])
    text = describe_families()
    assert text.count("solved by:") == 2
    assert "paraphrase  (corgi/Paraphrase-v0, ConstrainedGen-v0, source)\n  the family" in text
    with pytest.raises(ImportError, match="semantic"):
        describe_families(["paraphrase"])


def test_the_options_of_a_family_are_shown():
    text = describe_families(["countdown"])
    assert "options:    numbers=(3, 4), largest=20, largest_target=100, use_all=False" in text


def test_families_chosen_by_name_are_described(monkeypatch):
    pytest.importorskip("reasoning_gym")
    rows = [{"question": f"{n} and {n}?", "answer": f"#### {2 * n}"} for n in range(2, 30)]
    known = load_family
    monkeypatch.setattr(
        module, "load_family", lambda name: partial(known(name), *[rows] * (name == "gsm8k"))
    )
    text = describe_families(["gsm8k", "reasoning_gym/chain_sum", "countdown"])
    heads = [line for line in text.splitlines() if line[:1].strip()]
    assert heads[:2] == ["gsm8k  (by name only)", "reasoning_gym/chain_sum  (by name only)"]
    assert heads[2].startswith("countdown  (corgi/") and text.count("solved by:  ") == 3
