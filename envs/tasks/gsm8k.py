"""GSM8K: grade-school word problems, from a hub or a local file.

Source: GSM8K (arXiv 2110.14168), columns ``question`` and ``answer``; the answer ends with
``#### 42``, and its calculator annotations (``<<6*7=42>>``) are not shown. Judged by the exact
checker of `word_problems`; a false equation explains a wrong answer but does not spoil a right one,
because some published solutions round.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from corgi_gym.envs.data import BadRow, Row
from corgi_gym.envs.task import Draft, Task
from corgi_gym.envs.tasks._hub import HubRows
from corgi_gym.rewards.rational import literal
from corgi_gym.rewards.word_problems import word_problems

HUB_ID = "openai/gsm8k:main"
_FINAL = re.compile(r"####[ \t]*\$?(?P<number>[-+]?[0-9.,]+)\s*\Z")
_ANNOTATION = re.compile(r"<<[^<>\n]*>>")


class Gsm8k(HubRows):
    r"""Grade-school word problems with their published solutions.

    Args:
        data: A hub id, a local file (``.jsonl``, ``.json``, ``.csv``, ``.parquet``), or rows.

    Raises:
        ValueError: For data without a usable row.

    Example:
        >>> rows = [{"question": "Two and two?", "answer": "2 + 2 = <<2+2=4>>4\n#### 4"}]
        >>> Gsm8k(rows).drafts.popitem()[1][0].target["answer"]
        '4'
    """

    family = "gsm8k"
    summary = "Solve a problem of GSM8K."
    checker = word_problems
    fields: Mapping[str, type] = {"question": str, "answer": str}

    def __init__(self, data: str | Path | Iterable[Mapping[str, Any]] = HUB_ID) -> None:
        super().__init__(data)

    def draft(self, row: Row) -> Draft:
        """Read the number behind ``####``."""
        match = _FINAL.search(row["answer"])
        value = literal(match["number"].rstrip(".,")) if match else None
        if match is None or value is None:
            end = row["answer"][-60:]
            raise BadRow(f"field 'answer' does not end with '#### number': {end!r}")
        question = row["question"].strip()
        prompt = (
            f'{question} You may show steps as equations. End with one line: "Answer:" and then '
            "one number, without a unit."
        )
        working = _ANNOTATION.sub("", row["answer"][: match.start()]).strip()
        answer = str(value)
        target = {"answer": answer, "strict_steps": False}
        return Draft(question, prompt, target, f"{working}\nAnswer: {answer}".strip())

    def near_misses(self, task: Task) -> list[str]:
        """Other numbers, several answers, units, and the published form."""
        answer = task.target["answer"]
        return [
            task.prompt,
            f"#### {answer}",
            answer,
            f"Answer: {answer}1",
            f"Answer: {answer} or {answer}1",
            f"Answer: {answer} dollars",
            f"Answer: maybe {answer}",
            f"Answer: 0 + {answer}",
            f"Answer: {answer}\nAnswer: {answer}1",
            f"Answer: {answer}\nNo, {answer}1.",
            "Answer:",
        ]
