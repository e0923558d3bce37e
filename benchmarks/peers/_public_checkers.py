"""Public checkers of other projects behind one call ``(reply, target) -> score``, and their tasks.

Thin: each adapter does what its project's own evaluation does, and nothing else. Runs in the
environment of ``requirements/peers.txt``; used by `audit_public.py`.
"""

import copy
import importlib.util
import json
import logging
import pickle
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from corgi_gym.rewards.audit import Row


def _folder(package: str) -> Path:
    """Where an installed package lies, without importing it (its other modules need much more)."""
    spec = importlib.util.find_spec(package)
    assert spec is not None and spec.submodule_search_locations
    return Path(next(iter(spec.submodule_search_locations)))


# ---------------------------------------------------------------- IFEval


@cache
def _instructions() -> dict[str, Any]:
    """The published registry of checkers, with NLTK's sentence model from a wheel."""
    import nltk

    nltk.data.path.insert(0, str(_folder("llama_index") / "core/_static/nltk_cache"))
    logging.disable(logging.WARNING)
    folder = _folder("eval_framework") / "tasks" / "ifeval"
    for name in ("", ".instructions_util", ".instructions", ".instructions_registry"):
        file = folder / (f"{name[1:]}.py" if name else "__init__.py")
        full = f"published_ifeval{name}"
        spec = importlib.util.spec_from_file_location(
            full, file, submodule_search_locations=None if name else [str(folder)]
        )
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[full] = module
        if name:
            spec.loader.exec_module(module)
    return sys.modules["published_ifeval.instructions_registry"].INSTRUCTION_DICT


def ifeval(reply: str, target: dict[str, Any]) -> bool:
    """The published strict evaluation of one prompt: every instruction is followed."""
    for kind, kwargs in zip(target["kinds"], target["kwargs"], strict=True):
        instruction = _instructions()[kind](kind)
        instruction.build_description(**kwargs)
        arguments = instruction.get_instruction_args()
        if arguments and "prompt" in arguments:
            instruction.build_description(prompt=target["prompt"])
        if not (reply.strip() and instruction.check_following(reply)):
            return False
    return True


def ifeval_rows() -> Iterator[Row]:
    """The 541 published prompts; no reply to them is known to be right."""
    file = _folder("eval_framework") / "tasks/ifeval/data/input_data.jsonl"
    for line in file.read_text().splitlines():
        row = json.loads(line)
        target = {
            "kinds": row["instruction_id_list"],
            "kwargs": row["kwargs"],
            "prompt": row["prompt"],
        }
        yield Row(row["prompt"], target, name=f"prompt {row['key']}")


# ---------------------------------------------------------------- math-verify


def math_verify(reply: str, target: str) -> bool:
    """What its README shows: parse the gold answer, parse the reply, verify."""
    from math_verify import parse, verify

    return bool(verify(parse(target), parse(reply)))


def math_verify_rows() -> Iterator[Row]:
    """Expressions of our family, asked for in a box; the unsolved expression is a near miss."""
    from corgi_gym.envs.tasks.multistep_arithmetic import MultistepArithmetic

    source = MultistepArithmetic(cells=["l3d0", "l3d2", "l4d2"])
    for index in range(200):
        task = source.item(0, index)
        value = int(task.witness.rpartition(" ")[2])
        yield Row(
            f"Work out {task.target}. Put your final answer in \\boxed{{}}.",
            str(value),
            f"\\boxed{{{value}}}",
            (f"\\boxed{{{task.target}}}", f"\\boxed{{{value + 1}}}", f"\\boxed{{{-value}}}"),
            closed=True,
            name=f"expression {index}",
        )


# ---------------------------------------------------------------- reasoning-gym

# Items per family in the mixture.
PER_FAMILY = 2


@cache
def _dataset(family: str) -> Any:
    import reasoning_gym

    return reasoning_gym.create_dataset(family, seed=0, size=PER_FAMILY)


def reasoning_gym(reply: str, target: dict[str, Any]) -> float:
    """The family's own scorer on the reply as the answer."""
    return float(_dataset(target["family"]).score_answer(reply, copy.deepcopy(target["entry"])))


def reasoning_gym_rows() -> Iterator[Row]:
    """Two items of every family that can be made; the stored answer is the witness."""
    from reasoning_gym.factory import DATASETS

    for family in sorted(DATASETS):
        try:
            entries = [_dataset(family)[i] for i in range(PER_FAMILY)]
            pickle.dumps(entries)
        except Exception as error:  # a family may need what is not installed
            print(f"{family} was left out: {error}", file=sys.stderr)
            continue
        for i, entry in enumerate(entries):
            answer = entry["answer"]
            witness = answer if isinstance(answer, str) else None
            target = {"family": family, "entry": entry}
            yield Row(entry["question"], target, witness, name=f"{family} {i}")
