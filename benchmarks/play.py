"""Environments in the terminal: a person as the policy, and the list of families."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Callable, Sequence
from inspect import signature

import gymnasium as gym

from corgi_gym.envs import FAMILIES, TaskSource, family_names, feedback, load_family
from corgi_gym.rewards import judge
from corgi_gym.rewards.names import did_you_mean


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
        known = [
            *_suites(),
            "SelfImprovement-v0",
            *(f"corgi/{f.env_id}" for f in FAMILIES.values()),
        ]
        families = {name: f"corgi/{f.env_id}" for name, f in FAMILIES.items()}
        near = families.get(env_id) or f"corgi/{env_id}"
        hint = f"; did you mean {near!r}?" if near in known else did_you_mean(env_id, known)
        text = f"no environment {env_id!r} ({error}){hint or ';'} try one of: {', '.join(known)}"
        raise ValueError(text) from error
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

    Of all families, one that needs a package that is not installed has what to install instead.

    Raises:
        ValueError: For an unknown family.
        ImportError: For a named one that needs a package that is not installed.
    """
    width = min(100, shutil.get_terminal_size((100, 24)).columns)
    blocks = []
    for name in names or family_names():
        family = FAMILIES.get(name)
        place = (
            f"corgi/{family.env_id}, {family.suite}, {family.role}" if family else "by name only"
        )
        try:
            source = load_family(name)()
        except ImportError as error:
            if names:
                raise
            blocks += [
                f"{name}  ({place})",
                textwrap.indent(textwrap.fill(str(error), width - 2), "  "),
                "",
            ]
            continue
        task = source.item(seed, 0, "train")
        blocks.append(f"{name}  ({place})")
        blocks.append(textwrap.indent(textwrap.fill(source.summary, width - 2), "  "))
        rows = [
            ("options", _options(type(source))),
            ("task", task.prompt),
            ("solved by", task.witness),
        ]
        verdicts = {r: judge(task.checker, r, task.target) for r in source.near_misses(task)}
        if verdicts:
            nearest = max(verdicts, key=lambda reply: verdicts[reply].score)
            rows.append(("near miss", nearest))
            rows.append(("feedback", feedback(verdicts[nearest])))
        for label, text in (row for row in rows if row[1]):
            shown = "\n".join(
                textwrap.fill(line, width - 16, replace_whitespace=False)
                for line in text.splitlines()
            )
            blocks.append(f"    {label + ':':<11} " + textwrap.indent(shown, " " * 16).lstrip())
        blocks.append("")
    return "\n".join(blocks).rstrip()


def _options(family: type[TaskSource]) -> str:
    """What ``task_options`` can set of a family, with the defaults."""
    takes = list(signature(family).parameters.values())
    named = [p for p in takes if p.kind is not p.VAR_KEYWORD]
    text = ", ".join(f"{p.name}={_short(p.default)}" for p in named)
    return text + (", and fields of its own configuration" if len(named) < len(takes) else "")


def _short(value: object) -> str:
    return repr(value) if len(repr(value)) <= 60 else f"({type(value).__name__})"
