"""Session rewards: the plain sum of the steps is the value that the class names."""

import random

import pytest

from corgi_gym.rewards import make_session_reward


def rewards(spec: str, scores: list[float]) -> list[float]:
    session = make_session_reward(spec)
    last = len(scores) - 1
    return [session.step(s, s == 1.0, i == last) for i, s in enumerate(scores)]


def first_success(scores: list[float], gamma: float) -> float:
    return next((gamma**i for i, s in enumerate(scores) if s == 1.0), 0.0)


VALUES = {
    "best": max,
    "last": lambda scores: scores[-1],
    "first": lambda scores: scores[0],
    "delta": lambda scores: scores[-1] - scores[0],
    "discounted": lambda scores: first_success(scores, 0.9),
    "discounted(0.5)": lambda scores: first_success(scores, 0.5),
    "discounted(1)": lambda scores: float(1.0 in scores),
}


@pytest.mark.parametrize("spec", VALUES)
def test_steps_sum_to_the_value_on_random_sessions(spec):
    rng = random.Random(spec)
    for _ in range(500):
        scores = [rng.choice((0.0, 1.0, rng.random())) for _ in range(rng.randint(1, 8))]
        assert sum(rewards(spec, scores)) == pytest.approx(VALUES[spec](scores)), scores


@pytest.mark.parametrize("spec", ["best", "last", "first", "delta"])
def test_a_reply_that_repeats_its_score_earns_nothing_more(spec):
    assert rewards(spec, [0.4, 0.4, 0.4])[1:] == [0.0, 0.0]


def test_best_never_takes_back():
    rng = random.Random(0)
    for _ in range(200):
        assert min(rewards("best", [rng.random() for _ in range(6)])) >= 0.0


def test_delta_pays_for_failing_first_and_best_does_not():
    honest, sandbagging = [1.0], [0.0, 1.0]
    assert sum(rewards("delta", sandbagging)) > sum(rewards("delta", honest))
    assert sum(rewards("best", sandbagging)) == sum(rewards("best", honest))
    assert sum(rewards("discounted", sandbagging)) < sum(rewards("discounted", honest))


def test_sessions_share_no_state():
    one, other = make_session_reward("best"), make_session_reward("best")
    one.step(0.8, False, False)
    assert other.step(0.5, False, True) == 0.5


@pytest.mark.parametrize(
    "spec", ["", "sum", "best(", "best)", "discounted(0.9", "discounted(0.9)x", None, 3, ["best"]]
)
def test_an_unknown_kind_is_refused_with_the_known_ones(spec):
    with pytest.raises(ValueError, match=r"unknown session_reward .*best, last, first") as error:
        make_session_reward(spec)
    assert repr(spec) in str(error.value)


@pytest.mark.parametrize("spec", ["discounted()", "discounted(x)", "discounted(0.5, 1)"])
def test_a_gamma_that_is_no_number_is_refused(spec):
    with pytest.raises(ValueError, match="gamma must be a number"):
        make_session_reward(spec)


@pytest.mark.parametrize("gamma", ["0", "-1", "1.01", "nan", "inf"])
def test_a_gamma_out_of_range_is_refused(gamma):
    with pytest.raises(ValueError, match=r"gamma must be in \(0, 1\]"):
        make_session_reward(f"discounted({gamma})")


def test_only_discounted_takes_an_argument():
    with pytest.raises(ValueError, match=r"'best' takes no argument, got 'best\(1\)'"):
        make_session_reward("best(1)")
