"""Registered ids: each passes Gymnasium's own checks without a warning."""

import subprocess
import sys

import gymnasium as gym
import pytest
from gymnasium.utils.env_checker import check_env

import corgi_gym  # noqa: F401  (registers the ids)
from corgi_gym.envs import FAMILIES, SUITES, GuidedEnv, family_names
from corgi_gym.envs.registration import register_envs
from corgi_gym.envs.tasks import LIGHT

IDS = [
    *SUITES,
    *(f"corgi/{family.env_id}" for family in FAMILIES.values()),
    "SelfImprovement-v0",
]


def test_all_ids_are_registered_and_no_others():
    ours = {
        env_id
        for env_id, spec in gym.registry.items()
        if str(spec.entry_point).startswith("corgi_gym")
    }
    assert ours == set(IDS)


@pytest.mark.parametrize("env_id", IDS)
@pytest.mark.filterwarnings("error")
def test_check_env_passes_without_warnings(env_id):
    check_env(gym.make(env_id).unwrapped)
    check_env(gym.make(env_id, render_mode="ansi").unwrapped, skip_render_check=False)


@pytest.mark.parametrize("env_id", IDS)
@pytest.mark.filterwarnings("error")
def test_an_episode_runs_through_the_wrappers_of_make(env_id):
    env = gym.make(env_id, max_attempts=2, render_mode="ansi")
    message, _ = env.reset(seed=1)
    with pytest.raises(TypeError):
        env.step(3)
    assert message in env.observation_space and message in env.render()
    ends = [env.step("A reply that solves nothing.")[2:4] for _ in range(2)]
    assert ends == [(False, False), (False, True)]
    env.close()


@pytest.mark.parametrize("env_id", IDS)
def test_an_environment_can_be_made_again_from_its_spec(env_id):
    env = gym.make(env_id, split="test", feedback="which", max_attempts=3)
    again = gym.make(gym.spec(env_id), split="test", feedback="which", max_attempts=3)
    copy = gym.make(env.spec)
    assert len({e.reset(seed=2)[0] for e in (env, again, copy)}) == 1
    assert copy.unwrapped.split == "test" and copy.unwrapped.max_attempts == 3


@pytest.mark.parametrize("name", FAMILIES)
def test_an_id_of_one_family_holds_that_family(name):
    env = gym.make(f"corgi/{FAMILIES[name].env_id}").unwrapped
    assert isinstance(env, GuidedEnv) and list(env.sources) == [name]


def test_an_id_of_one_family_takes_no_other():
    for tasks in ("concepts", "all", ["countdown", "concepts"]):
        with pytest.raises(ValueError, match="this id is the family 'countdown' alone"):
            gym.make("corgi/Countdown-v0", tasks=tasks)
    for tasks in (
        "countdown",
        ["countdown"],
        iter(["countdown"]),
        gym.make("corgi/Panagram-v0").unwrapped.sources,
    ):
        gym.make("corgi/Countdown-v0", tasks=tasks)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"concepts": {"count": [3]}},
            r"'concepts': count must be \(smallest, largest\) within 2 and 8, got \[3\]",
        ),
        ({"concepts": {"cuont": 3}}, "family 'concepts' has no option 'cuont'; it takes: count"),
        ({"concepts": 3}, "task_options must be {family: {option: value}}, got {'concepts': 3}"),
        (5, "task_options must be {family: {option: value}}, got 5"),
        ({"countdown": {}}, r"task_options for \['countdown'\], but the selected families are"),
    ],
)
def test_options_that_a_family_cannot_take_are_named(options, words):
    with pytest.raises(ValueError, match=words):
        gym.make("ConstrainedGen-v0", tasks="concepts", task_options=options)


@pytest.mark.parametrize("suite", SUITES)
def test_a_mixture_holds_the_families_of_its_suite(suite):
    assert list(gym.make(suite, tasks="all").unwrapped.sources) == family_names(suite)
    light = list(gym.make(suite).unwrapped.sources)
    assert light == [name for name in family_names(suite) if name in LIGHT]
    for role in ("source", "heldout"):
        sources = gym.make(suite, tasks=role).unwrapped.sources
        assert list(sources) == family_names(suite, role)


def test_custom_prompts_go_through_make():
    env = gym.make("ConstrainedGen-v0", prompts=["Say yes."], checker=lambda r, t: r == "yes")
    assert env.reset(seed=0)[0] == "Say yes."
    assert env.step("yes")[1:3] == (1.0, True)


@pytest.mark.filterwarnings("error")
def test_registering_twice_changes_nothing():
    before = dict(gym.registry)
    register_envs()
    assert gym.registry == before


def test_make_with_the_module_prefix_imports_the_package(run_python):
    code = (
        "import sys, gymnasium as gym\n"
        "assert 'corgi_gym' not in sys.modules\n"
        "print(gym.make('corgi_gym:ConstrainedGen-v0').reset(seed=0)[0])"
    )
    assert run_python(code).strip() == gym.make("ConstrainedGen-v0").reset(seed=0)[0]


def test_without_import_or_prefix_make_knows_no_such_id():
    result = subprocess.run(
        [sys.executable, "-c", "import gymnasium as gym; gym.make('ConstrainedGen-v0')"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode != 0 and "ConstrainedGen" in result.stderr
