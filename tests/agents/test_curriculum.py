"""Curricula: what is drawn, and from which scores."""

import itertools
import json

import numpy as np
import pytest

from corgi_gym.agents.curriculum import PoolTask, Uniform, capped, make_curriculum
from corgi_gym.agents.curriculum_scores import PoolScorer, taught
from corgi_gym.agents.curriculum_settings import LearnableSpec, TapirSpec, check_curriculum
from corgi_gym.agents.engines import CharCodec, Sampling, ScriptedEngine
from corgi_gym.agents.rollout import Rollout
from corgi_gym.agents.teacher import Teacher
from corgi_gym.agents.training import check_training
from corgi_gym.benchmarks.recipe import TrainSpec
from corgi_gym.envs import Draft, GuidedEnv, Task, TaskSource
from corgi_gym.rewards import Problem, Verdict

# Two easy and two hard tasks, of a reasoning family (weight 2) and of another (weight 1).
POOL = [
    PoolTask(100, "concepts", score=0.9, success=0.5),
    PoolTask(101, "countdown", score=0.8, success=0.0),
    PoolTask(102, "concepts", score=0.1, success=0.25),
    PoolTask(103, "countdown", score=0.0, success=1.0),
    PoolTask(104, "countdown", score=0.2, success=0.0),
]


def tapir(tasks=POOL, **numbers):
    made = make_curriculum({"name": "tapir", **numbers}, rounds=9, seed=3, first=100)
    made.take_scores(0, tasks)
    return made


def by_index(curriculum, stage=0):
    pairs = zip(curriculum.tasks, curriculum.chances(stage), strict=True)
    return {task.index: pytest.approx(chance) for task, chance in pairs}


# ---------------------------------------------------------------- what is drawn


def test_tapir_mixes_hard_and_easy_by_stage_and_families_by_weight():
    # hard: 102 (weight 1), 103 and 104 (together 2); easy: 100 (1), 101 (2)
    assert by_index(tapir(), 0) == {100: 0.7 / 3, 101: 1.4 / 3, 102: 0.1, 103: 0.1, 104: 0.1}
    assert by_index(tapir(), 2) == {100: 0.1, 101: 0.2, 102: 0.7 / 3, 103: 0.7 / 3, 104: 0.7 / 3}
    assert tapir().chances(7) == tapir().chances(2)  # the last share holds on
    flat = tapir(weights={"concepts": 2.0})
    assert by_index(flat, 1) == {100: 0.25, 101: 0.25, 102: 0.25, 103: 0.125, 104: 0.125}


def test_tapir_compares_with_the_reference_and_the_threshold_is_exposed():
    assert [tapir(delta=0.1).stratum(t) for t in POOL[:2]] == ["easy", "hard"]
    weak = PoolTask(7, "concepts", score=0.5, success=0.0, reference=0.6)
    assert weak.difficulty == pytest.approx(0.1) and tapir().stratum(weak) == "easy"


def test_an_empty_stratum_leaves_its_share_to_the_other():
    assert by_index(tapir(POOL[:2]), 2) == {100: 1 / 3, 101: 2 / 3}
    alone = tapir(POOL[:2], weights={"concepts": 0, "countdown": 0})
    assert by_index(alone) == {100: 0.5, 101: 0.5}


def test_learnable_takes_the_zone_alone():
    made = make_curriculum({"name": "learnable"}, rounds=9, seed=0, first=0)
    made.take_scores(0, POOL)
    assert [made.stratum(t) for t in POOL] == ["learnable", "hard", "learnable", "easy", "hard"]
    assert made.chances(0) == [0.5, 0, 0.5, 0, 0]
    made.take_scores(0, [POOL[1], POOL[3]])
    assert made.chances(0) == [0.5, 0.5]  # nothing in the zone: everything


def test_a_draw_is_a_pure_function_with_the_right_frequencies():
    made = tapir(max_share=1.0)
    drawn = [made.task(i, 0) for i in range(2_000)]
    assert drawn == [tapir(max_share=1.0).task(i, 0) for i in range(2_000)]
    for index, chance in zip((t.index for t in POOL), made.chances(0), strict=True):
        assert np.mean([d == index for d in drawn]) == pytest.approx(chance, abs=0.03)
    assert [made.task(i, 1) for i in range(50)] != drawn[:50]


def test_one_task_of_the_wanted_kind_is_not_all_that_is_played():
    """Seen on the packaged model: two tasks of 64 were in the zone, and were learned by heart."""
    pool = [PoolTask(i, "concepts", 0.5, 0.5 if i < 2 else 0.0) for i in range(64)]
    made = make_curriculum({"name": "learnable"}, rounds=9, seed=0, first=0)
    made.take_scores(0, pool)
    assert made.chances(0)[:3] == [0.5, 0.5, 0.0]
    assert made.draws(0) == pytest.approx([0.05, 0.05, *[0.9 / 62] * 62])
    drawn = [made.task(i, 0) for i in range(4_000)]
    assert np.mean([d < 2 for d in drawn]) == pytest.approx(0.1, abs=0.02)
    # tapir's easy stratum of one task would have 0.7 of the first stage
    easy = [PoolTask(i, "concepts", float(i == 0), float(i == 0)) for i in range(64)]
    made = tapir(easy)
    assert made.chances(0)[0] == pytest.approx(0.7)
    assert made.draws(0) == pytest.approx([0.05, *[0.95 / 63] * 63])


def test_the_bound_leaves_alpha_where_a_stratum_can_take_its_share():
    """One easy task of a heavy family among thirty: the others take what it leaves."""
    easy = [PoolTask(0, "countdown", 1.0, 1.0)]
    easy += [PoolTask(i, "concepts", 1.0, 1.0) for i in range(1, 30)]
    hard = [PoolTask(i, "concepts", 0.0, 0.0) for i in range(30, 64)]
    made = tapir([*easy, *hard])
    assert made.chances(0)[0] == pytest.approx(1.4 / 3)
    found = made.draws(0)
    assert found[0] == pytest.approx(0.05) and sum(found[30:]) == pytest.approx(0.3)
    assert found[1:30] == pytest.approx([0.65 / 29] * 29)
    # families without weight are drawn from only where nothing else can be
    made = tapir([PoolTask(0, "countdown", 1.0, 1.0), *hard], weights={"concepts": 0.0})
    assert made.draws(0) == pytest.approx([3 / 35, *[32 / 35 / 34] * 34])
    # and what two hard tasks leave over goes to easy ones of a family that has weight
    none = [PoolTask(i, "countdown", 0.0, 0.0) for i in range(64, 94)]
    made = tapir([*hard[:2], *none, *easy], weights={"countdown": 0.0})
    for stage in range(3):
        found = made.draws(stage)
        assert found[:2] == pytest.approx([0.05, 0.05]) and sum(found[2:32]) == 0.0
        assert sum(found) == pytest.approx(1.0)


def test_a_small_pool_is_not_drawn_alike():
    made = tapir()
    assert made.draws(0) == pytest.approx(made.chances(0))  # five tasks: up to 0.6 each
    made = tapir([POOL[0], *POOL[2:]] * 2)  # eight tasks: up to 0.375
    assert made.draws(2) == pytest.approx(made.chances(2))


@pytest.mark.parametrize("seed", range(20))
def test_capped_chances_are_chances(seed):
    draw = np.random.default_rng(seed)
    chances = draw.random(int(draw.integers(1, 12))) * (draw.random() < 0.7)
    chances[0] += 1.0
    chances = list(chances / chances.sum())
    most = float(draw.random()) + 1e-3
    found = capped(chances, most)
    assert sum(found) == pytest.approx(1.0)
    assert max(found) <= max(most, 1 / len(chances)) + 1e-12
    order = sorted(range(len(chances)), key=chances.__getitem__)
    assert all(found[a] <= found[b] + 1e-12 for a, b in itertools.pairwise(order))
    if max(chances) <= most:
        assert found == pytest.approx(chances)


def test_uniform_changes_nothing():
    made = make_curriculum({"name": "uniform"}, rounds=9, seed=0, first=0)
    assert isinstance(made, Uniform) and [made.task(i, 5) for i in (0, 7)] == [0, 7]
    assert made.pool_indices(0) == [] and made.state() == {} and made.summary(0, []) is None


def test_stages_begin_with_new_scores():
    made = make_curriculum({"name": "tapir", "pool": 4}, rounds=8, seed=0, first=10)
    due = {r: made.pool_indices(r) for r in range(8) if made.pool_indices(r)}
    # three stages of up to three rounds, each with tasks of its own
    assert due == {0: [10, 11, 12, 13], 3: [14, 15, 16, 17], 6: [18, 19, 20, 21]}
    for rounds, stages in ((4, [0, 0, 1, 2]), (2, [0, 1]), (1, [0]), (7, [0, 0, 0, 1, 1, 2, 2])):
        made = make_curriculum({"name": "tapir"}, rounds=rounds, seed=0, first=0)
        assert [made.stage(r) for r in range(rounds)] == stages  # the last share is reached
    same = make_curriculum(
        {"name": "learnable", "pool": 2, "renew": False, "rescore": 5}, rounds=8, seed=0, first=10
    )
    assert {r: same.pool_indices(r) for r in (0, 1, 5)} == {0: [10, 11], 1: [], 5: [10, 11]}
    made.take_scores(0, POOL)
    assert made.pool_indices(0) == []
    with pytest.raises(
        ValueError, match="on every one of its tasks the checker failed, or the ref"
    ):
        made.take_scores(3, [])


def test_state_is_plain_and_whole():
    made, other = tapir(), make_curriculum({"name": "tapir"}, rounds=9, seed=3, first=100)
    other.load_state(json.loads(json.dumps(made.state())))
    assert other.tasks == made.tasks and other.pool_indices(0) == []
    assert [other.task(i, 0) for i in range(20)] == [made.task(i, 0) for i in range(20)]


def test_weights_give_a_draw_its_target_shares():
    made = tapir(
        POOL[:3], max_share=1.0
    )  # easy: 100 (1/3 of 0.7), 101 (2/3 of 0.7); hard: 102 (0.3)
    weights = made.task_weights([100, 102, 102, 101], 0)
    assert weights == pytest.approx([4 * 0.7 / 3, 4 * 0.15, 4 * 0.15, 4 * 1.4 / 3])
    assert sum(weights) == pytest.approx(4)
    assert made.task_weights([102, 102], 0) == [1.0, 1.0]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({}, "needs a name, one of uniform, learnable, tapir"),
        ({"name": "tapr"}, "got 'tapr'"),
        ({"name": "uniform", "pool": 3}, "unknown train.curriculum key 'pool' for uniform"),
        ({"name": "tapir", "alpha": [0.1]}, "'alpha' for tapir; did you mean 'alphas'"),
        ({"name": "tapir", "alphas": []}, r"alphas must be a list of shares in \[0, 1\]"),
        ({"name": "tapir", "alphas": 0.3}, "alphas must be a list of shares.* got 0.3"),
        ({"name": "tapir", "alphas": [1.5]}, "alphas must be a list of shares"),
        ({"name": "tapir", "renew": "never"}, "renew must be true or false, got 'never'"),
        ({"name": "learnable", "samples": 1}, "no success rate of 1 sessions is from 0.1 to 0.9"),
        ({"name": "tapir", "delta": "big"}, "delta must be in"),
        ({"name": "tapir", "max_share": 0}, "max_share must be above 0 and at most 1, got 0"),
        ({"name": "learnable", "max_share": 1.5}, "max_share must be above 0"),
        ({"name": "tapir", "pool": 0}, "pool must be an integer of at least 1, got 0"),
        ({"name": "tapir", "weights": {"concepts": -1}}, "'concepts' needs a weight"),
        ({"name": "tapir", "weights": ["concepts"]}, r"must be a mapping .* got \['concepts'\]"),
        ({"name": "tapir", "reference": {"engine": "openai"}}, "needs a model"),
        ({"name": "learnable", "low": 0.9, "high": 0.1}, "0 <= low <= high <= 1"),
    ],
)
def test_impossible_numbers_are_named(spec, words):
    with pytest.raises(ValueError, match=words):
        check_curriculum(spec)


def test_weights_are_of_families_that_the_environment_has():
    spec = {"name": "tapir", "weights": {"concept": 3.0}}
    env = GuidedEnv(["concepts", "countdown"])
    with pytest.raises(ValueError, match=r"no family 'concept'; did you mean 'concepts'"):
        check_training("grpo", TrainSpec(curriculum=spec), env)


def test_what_is_as_hard_as_delta_is_not_hard():
    assert tapir(delta=0.3).stratum(PoolTask(0, "concepts", 0.7, 1 - 0.7)) == "easy"


# ---------------------------------------------------------------- scores


class Numbers(TaskSource):
    """Say the number: odd ones cannot be checked."""

    family = "numbers"
    summary = "Say a number."

    def generate(self, rng: np.random.Generator) -> Draft:
        number = int(rng.integers(1_000))
        return Draft(str(number), f"Say {number}.", number, str(number))

    def near_misses(self, task: Task) -> list[str]:
        return [f"{task.target}!"]

    @staticmethod
    def checker(reply, target):
        if target % 2:
            return Verdict.unscored("odd")
        if reply == str(target):
            return Verdict.ok()
        return Verdict.wrong(0.4, Problem("number", "Say the number."))


def number_rollout(script):
    codec = CharCodec()
    return Rollout(
        lambda: GuidedEnv(tasks={"numbers": Numbers()}, max_attempts=3),
        ScriptedEngine(script, codec), codec, Sampling(0.8, 20),
    )  # fmt: skip


def test_the_pool_is_scored_by_the_runs_own_rollout():
    asked = []

    def script(text):
        asked.append(text)
        return text.split()[1].rstrip(".") if "0" in text else "no"

    rollout = number_rollout(script)
    tasks = [GuidedEnv(tasks={"numbers": Numbers()}).task_at(i) for i in range(12)]
    scored, tokens = PoolScorer(rollout, TapirSpec(), seed=0)(range(12), 0)
    assert [s is None for s in scored] == [bool(t.target % 2) for t in tasks]
    for task, one in zip(tasks, scored, strict=True):
        if one is not None:
            good = "0" in str(task.target)
            assert (one.score, one.success, one.reference) == (1.0 if good else 0.4, good, 1.0)
            assert one.family == "numbers" and one.index == tasks.index(task)
    assert len(asked) == 12 and tokens > 0  # one attempt each
    assert rollout.sampling.temperature == 0.8
    several, _ = PoolScorer(rollout, LearnableSpec(samples=3), seed=0)(range(4), 0)
    assert len(asked) == 12 + 12 and len(several) == 4


def test_a_teacher_is_the_reference_where_one_is_named():
    rollout = number_rollout(lambda text: "no")
    spec = TapirSpec(reference={"engine": "policy"})
    scored, _ = PoolScorer(rollout, spec, seed=0)(range(8), 0)
    assert {(s.score, s.reference, s.difficulty) for s in scored if s} == {(0.4, 0.4, 0.0)}
    teacher = Teacher(ScriptedEngine(lambda text: text[4:-1]), CharCodec(), 20, None)
    found = taught(rollout, teacher, range(8), 0.0, 0)
    assert all(e.success or e.unscored for e in found)
