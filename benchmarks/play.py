"""Environments in the terminal: a person as the policy, and the list of families."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Callable, Sequence

import gymnasium as gym

from corgi_gym.envs import FAMILIES, family_names, feedback, load_family
from corgi_gym.rewards import judge


def play(
    env_id: str,
    *,
    seed: int = 0,
    feedback: str = "full",
    max_attempts: int = 4,
    read: Callable[[str], str] = input,
    write: Callable[[str], None] = print,
) -> int:
    """Let a person attempt one task; an empty line sends the reply, Ctrl-D gives up.

    Returns:
        0 if the task was solved, else 1.

    Raises:
        ValueError: For an environment that does not exist or a bad argument.
    """
    if seed < 0:
        raise ValueError(f"seed must be at least 0, got {seed}")
    try:
        env = gym.make(env_id, feedback=feedback, max_attempts=max_attempts)
    except (gym.error.Error, TypeError) as error:  # TypeError: an environment of another kind
        known = ", ".join([*_suites(), *(f"corgi/{f.env_id}" for f in FAMILIES.values())])
        raise ValueError(f"no environment {env_id!r} ({error}); try one of: {known}") from error
    message, info = env.reset(seed=seed)
    write(f"[{info['task']}]\n{message}\n")
    write("Type your reply; an empty line sends it, Ctrl-D gives up.")
    over = False
    while not over:
        lines: list[str] = []
        try:
            while line := read(f"{info['attempt'] + 1}> "):
                lines.append(line)
        except EOFError:
            if not lines:
                write("\nYou gave up.")
                break
        message, reward, terminated, truncated, info = env.step("\n".join(lines))
        write(f"{message}   (score {info['score']:.2f}, reward {float(reward):+.2f})\n")
        over = terminated or truncated
    env.close()
    return 0 if info["success"] else 1


def _suites() -> list[str]:
    return list(dict.fromkeys(f.suite for f in FAMILIES.values()))


def describe_families(names: Sequence[str] = (), *, seed: int = 0) -> str:
    """Every family with an example task, a reply that solves it, and one that does not.

    Raises:
        ValueError: For an unknown family.
        ImportError: For one that needs a package that is not installed.
    """
    width = min(100, shutil.get_terminal_size((100, 24)).columns)
    blocks = []
    for name in names or family_names():
        source = load_family(name)()
        task = source.item(seed, 0, "train")
        family = FAMILIES.get(name)
        place = (
            f"corgi/{family.env_id}, {family.suite}, {family.role}" if family else "by name only"
        )
        blocks.append(f"{name}  ({place})")
        blocks.append(textwrap.indent(textwrap.fill(source.summary, width - 2), "  "))
        rows = [("task", task.prompt), ("solved by", task.witness)]
        verdicts = {r: judge(task.checker, r, task.target) for r in source.near_misses(task)}
        if verdicts:
            nearest = max(verdicts, key=lambda reply: verdicts[reply].score)
            rows.append(("near miss", nearest))
            rows.append(("feedback", feedback(verdicts[nearest])))
        for label, text in rows:
            shown = "\n".join(
                textwrap.fill(line, width - 16, replace_whitespace=False)
                for line in text.splitlines()
            )
            blocks.append(f"    {label + ':':<11} " + textwrap.indent(shown, " " * 16).lstrip())
        blocks.append("")
    return "\n".join(blocks).rstrip()
