"""Adapters: real PEFT on the tiny model, through training, engines and checkpoints."""

import copy

import pytest
import torch

from corgi_gym.agents import tripost
from corgi_gym.agents.algorithms import ALGORITHMS, get_algorithm
from corgi_gym.agents.lora import is_adapted, lora_config
from corgi_gym.agents.models import load_model
from corgi_gym.agents.sync import engine_weights, save_policy
from corgi_gym.agents.training import check_training
from corgi_gym.benchmarks.recipe import TrainSpec
from corgi_gym.envs import GuidedEnv
from corgi_gym.envs.self_improvement import SelfImproving
from corgi_gym.rewards.step_feedback import StepScript
from corgi_gym.rewards.trajectory import StepFeedback

from .conftest import Letters, letters

SPEC = {
    "rounds": 1, "sessions": 16, "num_generations": 4, "updates": 2, "micro_batch": 4,
    "learning_rate": 3e-2, "max_attempts": 2, "lora": {"r": 8, "alpha": 32},
}  # fmt: skip

peft = pytest.importorskip("peft")


def make_env():
    return GuidedEnv(prompts=["Say a.", "Say b."], checker=letters, max_attempts=2)


def letters_env(algorithm):
    source = Letters()
    if algorithm == "tripost":  # whose sessions are trajectories with a script for mistakes
        source = SelfImproving(source, request="")
    return GuidedEnv(
        tasks={"letters": source}, **{"max_attempts": 2, **get_algorithm(algorithm).env}
    )


@pytest.fixture
def trainer_of(make_tiny_trainer):
    """A function: a trainer of an adapter on the letter task."""

    def make(model, algorithm="turn_grpo", spec=None, make_env=make_env, **options):
        whole = {**SPEC, **(spec or {})}
        return make_tiny_trainer(model, make_env, whole, algorithm=algorithm, options=options)

    return make


def logits(model):
    with torch.no_grad():
        return model(input_ids=torch.arange(3, 43)[None]).logits


def test_an_adapter_learns_and_nothing_else_moves(tiny_model, trainer_of, tmp_path):
    before = {n: t.clone() for n, t in tiny_model.state_dict().items()}
    names = [name for name, _ in tiny_model.named_parameters()]
    reference = copy.deepcopy(tiny_model)
    trainer = trainer_of(
        tiny_model, spec={"rounds": 12, "sessions": 32, "num_generations": 8, "micro_batch": 8}
    )
    reports = []
    trainer.on_rollout = reports.append
    trainer.train()
    means = [sum(e.reward for e in r.episodes) / len(r.episodes) for r in reports]
    assert sum(means[-2:]) > sum(means[:2]) + 0.2, means
    assert all(r.mismatch < 0.05 for r in reports)
    moved = {n for n, p in trainer.model.named_parameters() if p.requires_grad}
    assert moved and all(".lora_" in n for n in moved)
    wrapped = dict(trainer.model.get_base_model().named_parameters())
    for name, tensor in before.items():
        if name == "lm_head.weight":
            continue
        module, _, last = name.rpartition(".")
        there = wrapped.get(name)
        there = wrapped[f"{module}.base_layer.{last}"] if there is None else there
        assert torch.equal(there, tensor), name
    # every linear layer but the tied output
    assert sum("lora_A" in n for n in moved) == 2 * 7

    # engines get whole weights under the names of the checkpoint
    with engine_weights(trainer.model) as weights:
        merged = {n: t.detach().clone() for n, t in weights}
    assert sorted(merged) == sorted(names)

    # the checkpoint is a whole model, and the same policy
    trainer.save_policy(tmp_path / "checkpoint")
    assert not list((tmp_path / "checkpoint").glob("adapter*"))
    loaded = load_model(str(tmp_path / "checkpoint"))
    assert not hasattr(loaded, "peft_config")
    tiny_model.eval()
    # adding the products in another order moves logits by 2e-4 on some processors
    torch.testing.assert_close(logits(loaded), logits(tiny_model), rtol=1e-3, atol=1e-3)
    assert float((logits(loaded) - logits(reference)).abs().max()) > 0.1
    # saving has changed nothing: the adapter is still apart
    assert any(".lora_" in n for n, _ in trainer.model.named_parameters())
    assert all(torch.equal(t, merged[n]) for n, t in loaded.named_parameters())


# What makes a row learn something in two rounds of the tiny model.
OPTIONS = {
    "rft": {"keep_score": 0.25},
    "s2r": {"warmup_rounds": 1},
    "revise": {"warmup_rounds": 1},
    "self": {"warmup_rounds": 1},
    "as_es": {"min_words": 0},
    "ppo_corgi": {"learning_rate": 1e-2},  # its own is made for long runs
}


@pytest.mark.parametrize("name", [name for name, row in ALGORITHMS.items() if row.trainer])
def test_adapters_work_with_every_row_that_trains(
    name, tiny_model, trainer_of, tmp_path, monkeypatch
):
    script = StepScript(
        lambda attempt, target, witness: StepFeedback(1, "", "it lacks letters"),
        lambda attempt, mistake, target, witness: witness,
    )
    monkeypatch.setitem(tripost.SCRIPTS, "letters", script)
    untrained = logits(tiny_model)
    spec = {"rounds": 2, "learning_rate": 1e-2}
    trainer = trainer_of(tiny_model, name, spec, lambda: letters_env(name), **OPTIONS.get(name, {}))
    parameters = dict(trainer.model.named_parameters())
    kept = {n: p.clone() for n, p in parameters.items() if not p.requires_grad}
    trainer.train()
    assert kept and all(torch.equal(parameters[n], tensor) for n, tensor in kept.items())
    # a critic has weights of its own
    learned = {n for n, p in parameters.items() if p.requires_grad and ".critic." not in n}
    assert learned and all(".lora_" in n for n in learned)
    trainer.save_policy(tmp_path / "checkpoint")
    loaded = load_model(str(tmp_path / "checkpoint"))
    tiny_model.eval()
    # adding the products in another order moves logits by 2e-4 on some processors
    torch.testing.assert_close(logits(loaded), logits(tiny_model), rtol=1e-3, atol=1e-3)
    assert float((logits(loaded) - untrained).abs().max()) > 0.05


def test_the_reference_of_an_adapter_is_the_model_without_it(tiny_model, trainer_of):
    trainer = trainer_of(tiny_model, beta=0.1, bf16=False)
    assert trainer.ref_model is None
    trainer.train()
    assert any(row.get("kl", 0) > 0 for row in trainer.state.log_history)


@pytest.mark.parametrize("given", [False, True], ids=["new", "given"])
@pytest.mark.parametrize("engine_logps", [True, False])
def test_a_round_is_scored_by_its_reference_and_not_for_old_log_probs(
    given, engine_logps, tiny_model, trainer_of, monkeypatch
):
    """Its old log-probs are the engine's; the pass for them was done and thrown away."""
    spec = {"rounds": 2}
    if given:  # an adapter that was trained before has a frozen copy of itself as its reference
        tiny_model, spec["lora"] = peft.get_peft_model(tiny_model, lora_config({"r": 8})), {}
        for name, parameter in tiny_model.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(parameter, std=0.05)
    start = copy.deepcopy(tiny_model)
    trainer = trainer_of(tiny_model, spec=spec, beta=0.1, bf16=False, engine_logps=engine_logps)
    kind, rows, batches = type(trainer), [], []
    made, score = kind._generate_and_score_completions, kind._score_rows

    def generate(self, inputs):
        rows.append([])
        batches.append(made(self, inputs))
        rows.append(None)  # the loss's own passes follow
        return batches[-1]

    def watched(self, model, ids, mask, wanted):
        if rows[-1] is not None:
            rows[-1] += [is_adapted(model)] * len(ids)
        return score(self, model, ids, mask, wanted)

    monkeypatch.setattr(kind, "_generate_and_score_completions", generate)
    monkeypatch.setattr(kind, "_score_rows", watched)
    trainer.train()
    passes = [each for each in rows if each is not None]
    wanted = [False] * 16 if engine_logps else [True] * 16 + [False] * 16
    assert passes == [wanted] * 2
    # and the reference is the policy as it was at the start, also in the second round
    batch = batches[1]
    ids, mask = (
        torch.cat([batch[f"prompt_{part}"], batch[f"completion_{part}"]], 1)
        for part in ("ids", "mask")
    )
    kept = (batch["completion_mask"] * batch["tool_mask"]).bool()
    with torch.no_grad():
        logits = start(input_ids=ids, attention_mask=mask).logits[:, -kept.shape[1] - 1 : -1]
    expected = logits.log_softmax(-1).gather(-1, batch["completion_ids"][..., None])[..., 0]
    torch.testing.assert_close(
        batch["ref_per_token_logps"][kept], expected[kept], rtol=1e-3, atol=1e-3
    )
    assert any(row.get("kl", 0) > 0 for row in trainer.state.log_history)


def test_an_adapter_that_is_off_or_a_copy_is_no_policy(tiny_model):
    model = peft.get_peft_model(tiny_model, lora_config({"r": 4}))
    assert is_adapted(model)
    with model.disable_adapter():
        assert not is_adapted(model)
    model.add_adapter("ref", model.peft_config["default"])
    model.set_adapter("ref")
    assert not is_adapted(model)
    model.set_adapter("default")
    assert is_adapted(model)
    # nothing is known of an adapter without layers
    plain = model.unload()
    prompt = peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=2)
    assert not is_adapted(peft.get_peft_model(plain, prompt))


def test_corgis_row_has_an_adapter_of_its_own(tiny_model, trainer_of):
    trainer = trainer_of(tiny_model, "ppo_corgi", {"lora": {}})
    config = trainer.model.peft_config["default"]
    assert (config.r, config.lora_alpha, config.bias) == (16, 16, "none")


def test_full_fine_tuning_is_the_default(tiny_model, trainer_of, tmp_path):
    trainer = trainer_of(tiny_model, spec={"lora": {}})
    assert not hasattr(trainer.model, "peft_config") and lora_config({}) is None
    save_policy(trainer.model, tmp_path / "checkpoint")
    loaded = load_model(str(tmp_path / "checkpoint"))
    assert all(torch.equal(t, loaded.state_dict()[n]) for n, t in tiny_model.state_dict().items())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rank": 8}, "unknown train.lora key 'rank'"),
        ({"r": 8, "lora_alfa": 8}, "did you mean 'lora_alpha'"),
        ({"r": 0}, "train.lora.r must be a positive integer, got 0"),
        ({"r": True}, "train.lora.r must be a positive integer, got True"),
        ({"r": 4, "alpha": "x"}, "train.lora.alpha must be a number of at least 0, got 'x'"),
        ({"r": 4, "lora_dropout": -1}, "train.lora.dropout must be a number of at least 0"),
    ],
)
def test_adapters_that_cannot_be_are_named(options, words):
    with pytest.raises(ValueError, match=words):
        check_training("turn_grpo", TrainSpec(lora=options), make_env())


@pytest.mark.parametrize(
    "options",
    [
        {"r": 4, "modules_to_save": ["embed_tokens"]},
        {"r": 4, "target_modules": ["q_proj", "embed_tokens"]},
        {"r": 4, "modules_to_save": ["lm_head"]},
    ],
    ids=str,
)
def test_an_adapter_on_one_side_of_a_tied_matrix_is_refused(options, tiny_model, trainer_of):
    """Saved and merged, it was another policy than the one that was trained."""
    with pytest.raises(ValueError, match="this model uses one matrix for both"):
        trainer_of(tiny_model, spec={"lora": options})


def test_a_reference_needs_the_base_weights_as_they_were():
    lora = {"r": 4, "init_lora_weights": "pissa_niter_4"}
    check_training("turn_grpo", TrainSpec(lora=lora), make_env())
    for spec, algorithm in (
        (TrainSpec(lora=lora, beta=0.1), "turn_grpo"),
        (TrainSpec(lora=lora), "ppo_corgi"),
    ):
        with pytest.raises(ValueError, match="'pissa_niter_4' changes the weights below the adap"):
            check_training(algorithm, spec, make_env())
    check_training("turn_grpo", TrainSpec(lora={"r": 4}, beta=0.1), make_env())


def test_short_names_and_peft_names_mean_the_same():
    short, long = lora_config({"alpha": 8, "dropout": 0.1}), lora_config({"lora_alpha": 8})
    assert (short.r, short.lora_alpha, short.lora_dropout) == (16, 8, 0.1)
    assert long.lora_alpha == 8 and long.target_modules == "all-linear"


def test_without_peft_the_error_names_the_installation(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install 'corgi-gym\[peft\]'"):
        lora_config({"r": 8})


def test_labels_are_scored_through_an_adapter(tiny_model):
    from corgi_gym.agents.labels import label_shares

    expected = label_shares(tiny_model, [[3, 4, 5]], [[6], [7, 8]])
    wrapped = peft.get_peft_model(copy.deepcopy(tiny_model), lora_config({"r": 4}))
    assert label_shares(wrapped, [[3, 4, 5]], [[6], [7, 8]])[0] == pytest.approx(expected[0])
