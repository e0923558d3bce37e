"""Values of ``train.options`` are held against what the field of a method's arguments takes."""

import gymnasium as gym
import pytest

from corgi_gym.agents.algorithms import ALGORITHMS
from corgi_gym.agents.option_types import check_types
from corgi_gym.agents.ppo import GuidedPPOConfig
from corgi_gym.agents.training import check_training
from corgi_gym.agents.tripost import TripostConfig
from corgi_gym.benchmarks.recipe import RECIPES, TrainSpec, load_recipe


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"pairs": "maybe"}, "train.options.pairs must be true or false, got 'maybe'"),
        ({"pairs": 1}, "train.options.pairs must be true or false, got 1"),
        ({"pairs": None}, "train.options.pairs must be true or false, got None"),
        ({"rho": "high"}, "train.options.rho must be a number, got 'high'"),
        ({"rho": True}, "train.options.rho must be a number, got True"),
        ({"rho": "5e-1"}, r"got '5e-1' \(YAML reads it as text; write 0.5\)"),
        ({"data": 3}, "train.options.data must be a string, got 3"),
        ({"teacher": "gpt"}, "train.options.teacher must be a mapping, got 'gpt'"),
        ({"credit": "step"}, "train.options.credit must be 'session' or 'loo' or .*, got 'step'"),
        # fields of the library under it
        ({"num_iterations": 2.5}, "train.options.num_iterations must be an integer, got 2.5"),
        ({"epsilon_high": "x"}, "train.options.epsilon_high must be a number or null, got 'x'"),
        ({"ddp_backend": 3}, "train.options.ddp_backend must be a string or null, got 3"),
        ({"fsdp": 3}, "train.options.fsdp must be .*true or false, got 3"),
    ],
)
def test_a_value_of_another_type_is_refused(options, says):
    env = gym.make("SelfImprovement-v0", tasks="word_sorting", max_attempts=1)
    with pytest.raises(ValueError, match=says):
        check_training("tripost", TrainSpec(options=options), env)


@pytest.mark.parametrize(
    ("config", "options"),
    [
        (TripostConfig, {"pairs": True, "rho": 1, "teacher": {"engine": "openai"}}),
        (GuidedPPOConfig, {"cliprange_value": None, "critic": "shared", "critic_model": None}),
        (GuidedPPOConfig, {"scale_rewards": False}),
        (GuidedPPOConfig, {"lr_scheduler_type": "linear", "fsdp": True, "report_to": ["none"]}),
    ],
)
def test_what_a_field_takes_is_let_through(config, options):
    check_types(options, config, "train.options")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"loss_type": "foo"}, "unknown train.options.loss_type 'foo'; choose from grpo, "),
        ({"optim": "foo"}, r"train.options \(optim='foo'\) are refused: foo is not a valid"),
        ({"lr_scheduler_type": "foo"}, r"\(lr_scheduler_type='foo'\) are refused"),
        ({"num_generations": 3}, r"\(num_generations=3\) are refused: .*divisible"),
        ({"max_steps": 3}, "train.options.max_steps follows from others: set train.rounds"),
        ({"save_strategy": "steps"}, "save_strategy follows from others: set train.save_every"),
        ({"gradient_accumulation_steps": 3}, "follows from others: set train.micro_batch and"),
        ({"per_device_train_batch_size": 3}, "follows from others: set train.micro_batch"),
        ({"seed": 7}, "train.options.seed follows from others: set --seed"),
        ({"output_dir": "x"}, "train.options.output_dir follows from others: set --out"),
        ({"temperature": 0.9}, "train.options.temperature follows from others: set sampling.temp"),
        ({"top_p": 0.9}, "train.options.top_p follows from others: set sampling.temperature"),
    ],
)
def test_what_the_trainer_would_refuse_later_is_refused_before_anything_is_loaded(options, says):
    env = gym.make("ConstrainedGen-v0")
    with pytest.raises(ValueError, match=says):
        check_training("grpo", TrainSpec(options=options), env)


def test_an_integer_is_no_truth_value_of_a_choice():
    with pytest.raises(ValueError, match="must be 'detached' or 'shared' or 'separate', got 0"):
        check_types({"critic": 0}, GuidedPPOConfig, "train.options")


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_shipped_recipes_have_values_of_the_right_types(path):
    recipe = load_recipe(str(path))
    row = ALGORITHMS[recipe.algorithm]
    if row.trainer:
        env = gym.make(recipe.env.id, **{**row.env, **recipe.env.kwargs})
        check_training(recipe.algorithm, recipe.train, env)


def test_pieces_are_no_sample_of_a_policy_gradient():
    env = gym.make("corgi/WordProblems-v0", max_attempts=1)
    for algorithm in ("turn_grpo", "ppo", "rloo", "echo"):
        with pytest.raises(ValueError, match=f"{algorithm} needs the log-probs .* 'pieces'"):
            check_training(algorithm, TrainSpec(), env, "pieces")
    for algorithm in ("as_es", "sft", "rft"):
        check_training(algorithm, TrainSpec(), env, "pieces")
