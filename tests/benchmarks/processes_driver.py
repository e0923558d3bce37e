"""One training run, for `test_processes.py`; started alone or by ``accelerate launch``.

python processes_driver.py MODEL_FOLDER RUN_FOLDER [KEY=VALUE ...]

The last arguments change the recipe. With DIE_AFTER set to the name of a checkpoint, the first
process is killed when that checkpoint is complete. With FAIL_AT set to a number of optimizer steps,
the engine of the second process fails when it has played its sessions at that step.
"""

import os
import signal
import sys

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"

from accelerate import DistributedType, PartialState
from torch.distributed.tensor import DTensor

from corgi_gym.agents import checkpoints, sync
from corgi_gym.agents.engines import EngineError
from corgi_gym.agents.processes import Processes
from corgi_gym.agents.rollout import Rollout
from corgi_gym.benchmarks.experiment import run
from corgi_gym.benchmarks.recipe import from_dict, override

MODEL, OUT, *CHANGES = sys.argv[1:]


def letters(reply, target):
    """Rewards the letter e."""
    return min(1.0, reply.count("e") / 4)


def shard_on_cpu():
    """Have accelerate take FSDP for processes on CPUs too: it looks at the kind of the devices.

    All that follows (its preparation of the model, torch's sharding, saving) is as on GPUs.
    """
    original = PartialState.__init__

    def init(self, *arguments, **keywords):
        original(self, *arguments, **keywords)
        if self.distributed_type == DistributedType.MULTI_CPU:
            self.distributed_type = DistributedType.MULTI_GPU

    PartialState.__init__ = init


def die_after(name):
    """Kills this process right after a certain checkpoint has got its name."""
    publish = checkpoints.publish

    def last(scratch, target, **facts):
        publish(scratch, target, **facts)
        if target.name == name:
            os.kill(os.getpid(), signal.SIGKILL)

    checkpoints.publish = last


def fail_at(step):
    """Lets the engine fail at the end of a process's sessions of a round."""
    play = Rollout.run

    def run(self, sessions, *, policy_version=0, **keywords):
        episodes = play(self, sessions, policy_version=policy_version, **keywords)
        if policy_version == step:
            raise EngineError("the engine is gone")
        return episodes

    Rollout.run = run


def count_sharded():
    """Counts the parameters that a sync has put together from several processes."""
    original, seen = sync._whole, []

    def whole(tensor, accelerator):
        seen.append(isinstance(tensor, DTensor))
        return original(tensor, accelerator)

    sync._whole = whole
    return seen


if "DIE_AFTER" in os.environ:
    die_after(os.environ["DIE_AFTER"])
if "FAIL_AT" in os.environ and Processes.current().index == 1:
    fail_at(int(os.environ["FAIL_AT"]))
if Processes.current().sharded:
    shard_on_cpu()
    seen = count_sharded()

recipe = from_dict({
    "name": "tiny", "model": MODEL, "engine": "transformers",
    "env": {"kwargs": {"prompts": [f"Say {c}." for c in "abcdef"], "checker": letters}},
    "sampling": {"max_tokens": 6, "max_length": 200},
    # one update per round: micro-batches are drawn per process, and their sum is the same
    "train": {"rounds": 4, "sessions": 16, "num_generations": 4, "updates": 1, "micro_batch": 4,
              "learning_rate": 1e-3, "max_attempts": 2, "save_every": 1,
              "options": {"bf16": False}},
    "evaluation": {"tasks": 5, "attempts": 2},
})  # fmt: skip

run(override(recipe, CHANGES), OUT, resume=True)
if Processes.current().sharded:
    assert seen and all(seen), "the weights were not sharded"
