"""Which checkers say that they can take long."""

import pickle

import pytest

from corgi_gym.envs import GuidedEnv
from corgi_gym.rewards import AllOf, NamedChecker, checker, get_checker, is_slow, scale
from corgi_gym.rewards.isolated_checker import isolated
from corgi_gym.rewards.llm_judge import Judge, Rubric
from corgi_gym.rewards.semantic import choose_checker

WAITING = {"math_verify", "mbpp", "program", "rationale_generation", "reasoning_gym"}


@pytest.mark.parametrize("name", [*sorted(WAITING), "concepts", "countdown", "constraint_grammar"])
def test_shipped_checkers_that_wait_for_others_say_so(name):
    assert is_slow(get_checker(name)) is (name in WAITING)


def test_what_waits_by_its_nature():
    assert is_slow(isolated("countdown")) and is_slow(get_checker("isolated:countdown"))
    assert is_slow(Judge(lambda messages: "", Rubric.of(clear="Clear.")))
    assert not is_slow(lambda reply, target: True)


def test_a_checker_that_asks_a_model_is_slow_by_whatever_way_it_is_chosen():
    chosen = choose_checker(
        "paper", None, embedded=get_checker("sentiment"),
        rule=lambda reply, target, scorer: True, critic=lambda model: object(),
    )  # fmt: skip
    assert is_slow(chosen) and not is_slow(get_checker("sentiment"))


def test_checkers_made_of_slow_ones_are_slow():
    quick, slow = get_checker("countdown"), get_checker("mbpp")
    assert is_slow(AllOf(quick, slow)) and not is_slow(AllOf(quick, quick))
    assert is_slow(scale(slow, 0.5)) and not is_slow(scale(quick, 0.5))


def long_look(reply, target):
    return True


def test_the_decorator_says_so_and_pickle_keeps_it():
    named = checker("doc_long_look", slow=True)(long_look)
    assert is_slow(named) and not is_slow(checker("doc_long_look")(long_look))
    assert is_slow(pickle.loads(pickle.dumps(named)))

    class Looks:
        slow = True

        def __call__(self, reply, target):
            return True

    wrapped = get_checker(Looks())
    assert isinstance(wrapped, NamedChecker) and is_slow(wrapped)


def test_an_environment_says_so_of_its_current_task():
    env = GuidedEnv(["countdown", "mbpp"])
    assert not env.slow  # no task yet
    seen = {}
    for task in ("countdown", "mbpp"):
        env.reset(seed=0, options={"task": task})
        seen[task] = env.slow
    assert seen == {"countdown": False, "mbpp": True}
