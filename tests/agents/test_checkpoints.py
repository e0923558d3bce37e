"""Checkpoints: whole or not there, found again, and complete enough to go on from."""

import copy
import json
import os
import shutil
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from transformers import TrainerCallback

from corgi_gym.agents import checkpoints
from corgi_gym.agents.checkpoints import KEEP, MANIFEST, drop_after, latest, publish, sweep
from corgi_gym.agents.grpo import GuidedGRPOTrainer
from corgi_gym.envs import GuidedEnv


def save(folder, rounds, *, trained=False):
    """A checkpoint with two small files."""
    scratch = folder / ".tmp-new"
    (scratch / "deep").mkdir(parents=True)
    (scratch / "weights").write_bytes(b"w" * 10 * rounds)
    (scratch / "deep" / "state").write_text("s")
    run = {"tokens": 7 * rounds}
    publish(scratch, folder / f"round-{rounds:05d}", rounds=rounds, trained=trained, run=run)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_newest_checkpoint_is_found_and_the_oldest_go(tmp_path):
    assert latest(tmp_path / "none") == (None, [])
    for rounds in (5, 10, 15):
        save(tmp_path, rounds, trained=rounds == 15)
    assert KEEP == 2 and names(tmp_path) == ["round-00010", "round-00015"]
    found, skipped = latest(tmp_path)
    assert skipped == [] and found.path == tmp_path / "round-00015"
    assert (found.rounds, found.trained, found.run) == (15, True, {"tokens": 105})
    assert json.loads((found.path / MANIFEST).read_text())["files"] == {
        "deep/state": 1, "weights": 150,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda path: (path / MANIFEST).unlink(), "No such file.*complete.json"),
        (lambda path: (path / MANIFEST).write_text('{"files": {'), "Expecting"),
        (lambda path: (path / MANIFEST).write_text("{}"), "files"),
        (lambda path: (path / "deep" / "state").unlink(), "deep/state is missing"),
        (lambda path: os.truncate(path / "weights", 3), "weights has 3 bytes instead of 100"),
    ],
)
def test_a_torn_checkpoint_is_named_and_passed_over(tmp_path, harm, words):
    save(tmp_path, 5)
    save(tmp_path, 10)
    harm(tmp_path / "round-00010")
    found, skipped = latest(tmp_path)
    assert found.rounds == 5 and len(skipped) == 1
    with pytest.raises(AssertionError, match=f"checkpoint round-00010 is passed over: .*{words}"):
        raise AssertionError(skipped[0])
    drop_after(tmp_path, 5)
    assert names(tmp_path) == ["round-00005"]


class Killed(BaseException):
    """Stands for the end of the process."""


class Fuse:
    """Lets so many of the system calls that a save makes go through, then ends the process."""

    calls = ((os, "replace"), (os, "fsync"), (os, "open"), (shutil, "rmtree"))

    def __init__(self, left, patch):
        self.left = left
        for owner, name in self.calls:
            patch.setattr(owner, name, self.guard(getattr(owner, name)))

    def guard(self, original):
        def call(*arguments, **keywords):
            self.left -= 1
            if self.left < 0:
                raise Killed
            return original(*arguments, **keywords)

        return call


def test_wherever_a_save_ends_a_whole_checkpoint_is_found(tmp_path, monkeypatch):
    for calls in range(100):
        folder = tmp_path / str(calls)
        save(folder, 1)
        save(folder, 2)
        with monkeypatch.context() as patch, suppress(Killed):
            fuse = Fuse(calls, patch)
            save(folder, 3)
        found, skipped = latest(folder)
        assert found.rounds in (2, 3) and skipped == []
        assert (found.path / "weights").read_bytes() == b"w" * 10 * found.rounds
        sweep(folder)
        assert all(name.startswith("round-") for name in names(folder))
        save(folder, 3)
        assert latest(folder)[0].rounds == 3
        if fuse.left >= 0:
            break
    assert 10 < calls < 99


# ---------------------------------------------------------------- the trainer's


class WithCritic(GuidedGRPOTrainer):
    """A trainer with state of its own."""

    critic = torch.zeros(2)

    def checkpoint_state(self):
        return {**super().checkpoint_state(), "critic": self.critic}

    def load_checkpoint_state(self, state):
        super().load_checkpoint_state(state)
        self.critic = state["critic"]


def ninths(reply, target):
    """Rewards the letter e."""
    return reply.count("e") / 9


@pytest.fixture
def trainer_of(make_tiny_trainer):
    """A function: a trainer of three rounds."""

    def make(model, *, cls=GuidedGRPOTrainer, options=None, seconds_before=0.0, **spec):
        def make_env():
            return GuidedEnv(prompts=["Say a.", "Say b."], checker=ninths)

        whole = {
            "rounds": 3, "sessions": 4, "num_generations": 2, "updates": 2, "micro_batch": 2,
            "learning_rate": 1e-3, "max_attempts": 1, **spec,
        }  # fmt: skip
        trainer = make_tiny_trainer(
            model, make_env, whole, algorithm="grpo", max_tokens=4, options=options,
            seconds_before=seconds_before,
        )  # fmt: skip
        trainer.__class__ = cls
        return trainer

    return make


def test_what_a_trainer_saves_is_what_it_goes_on_from(tiny_model, trainer_of, tmp_path):
    notes = iter(range(100, 200))
    trainer = trainer_of(tiny_model, cls=WithCritic)
    trainer.critic = torch.tensor([1.0, 2.0])
    trainer.keep_checkpoints(tmp_path / "c", every=2, run_state=lambda: {"note": next(notes)})
    trainer.train()
    assert names(tmp_path / "c") == ["round-00002", "round-00003"]
    assert trainer.args.save_only_model is False
    middle = checkpoints.read(tmp_path / "c" / "round-00002")
    last, _ = latest(tmp_path / "c")
    assert (middle.rounds, middle.trained, middle.run) == (2, False, {"note": 100})
    assert (last.rounds, last.trained, last.run) == (3, True, {"note": 101})
    parts = {"model.safetensors", "trainer_state.json", "guided_state.pt", "tokenizer.json"}
    resumable = {"optimizer.pt", "scheduler.pt", "rng_state.pth"}
    assert parts | resumable <= set(names(middle.path))
    assert parts <= set(names(last.path)) and not resumable & set(names(last.path))

    from corgi_gym.agents.models import load_model

    fresh = load_model(str(tmp_path / "c" / "round-00002"))
    other = trainer_of(fresh, cls=WithCritic)
    other.load_policy(last.path)
    assert other.critic.tolist() == [1.0, 2.0]
    assert other.state.global_step == 6 and other._step == trainer._step == 6
    trained = tiny_model.state_dict()
    assert all(torch.equal(t, trained[n]) for n, t in fresh.state_dict().items())


def test_training_that_stops_early_has_ended(tiny_model, trainer_of, tmp_path):
    class Stop(TrainerCallback):
        def on_step_end(self, args, state, control, **_):
            control.should_training_stop = state.global_step == 2

    trainer = trainer_of(tiny_model)
    trainer.add_callback(Stop())
    trainer.keep_checkpoints(tmp_path / "c", every=0)
    trainer.train()
    found, _ = latest(tmp_path / "c")
    assert (found.rounds, found.trained) == (1, True)
    assert names(tmp_path / "c") == ["round-00001"]


def test_the_time_limit_counts_earlier_parts(tiny_model, trainer_of):
    trainer = trainer_of(tiny_model, max_seconds=1000, seconds_before=1000.0)
    trainer.train()
    assert trainer.state.global_step == 2  # it ends with the first round


def test_transformers_own_checkpoints_have_a_methods_state_too(tiny_model, trainer_of, tmp_path):
    """Without `keep_checkpoints`, as for any trainer of transformers."""
    trainer = trainer_of(tiny_model, cls=WithCritic)
    trainer.args.save_strategy, trainer.args.save_steps = "steps", 2
    trainer.critic = torch.tensor([1.0, 2.0])
    trainer.train()
    place = Path(trainer.args.output_dir)
    for resume in (True, str(place / "checkpoint-4")):
        other = trainer_of(tiny_model, cls=WithCritic)
        other.train(resume_from_checkpoint=resume)
        assert other.critic.tolist() == [1.0, 2.0] and other._step == trainer._step == 6


def test_another_number_of_processes_cannot_go_on(tiny_model, trainer_of):
    """Rounds would begin in the middle of the other ones, without a word."""
    trainer = trainer_of(tiny_model)
    state = trainer.checkpoint_state()
    assert state["processes"] == 1
    with pytest.raises(
        ValueError, match=r"written by 2 processes and 1 would go on: .*_processes 2"
    ):
        trainer.load_checkpoint_state({**state, "processes": 2})


def test_a_moving_reference_model_is_saved(tiny_model, trainer_of):
    trainer = trainer_of(tiny_model, beta=0.1, options={"sync_ref_model": True})
    weight = next(trainer.ref_model.parameters())
    before = weight.detach().clone()
    state = copy.deepcopy(trainer.checkpoint_state())
    with torch.no_grad():
        weight.add_(1.0)
    trainer.load_checkpoint_state(state)
    assert torch.equal(weight, before)
    fixed = trainer_of(tiny_model, beta=0.1)
    assert "reference" not in fixed.checkpoint_state()


def test_a_save_that_fails_leaves_the_one_before_and_no_scraps(
    tiny_model, trainer_of, tmp_path, monkeypatch
):
    def full(self, *arguments):
        if self.state.global_step > 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(GuidedGRPOTrainer, "_save_rng_state", full)
    trainer = trainer_of(tiny_model)
    trainer.keep_checkpoints(tmp_path / "c", every=1)
    with pytest.raises(OSError, match="No space left"):
        trainer.train()
    assert names(tmp_path / "c") == ["round-00001"]
    assert latest(tmp_path / "c")[0].rounds == 1
