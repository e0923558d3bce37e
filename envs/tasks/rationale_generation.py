"""`rationale_generation`: background with which a student answers right (CORGI, source task).

The paper takes questions of ECQA. They are in no package, so `_facts.py` holds questions of our own
about everyday things, each with a background that is known to help the embedded student; wrong
options are other answers of the same kind. There are some ninety questions with many lists of
options each; a question belongs to one split with all its lists. With ``data=…`` questions come
from a data set (ECQA's fields ``q_text``, ``q_op1`` to ``q_op5``, ``q_ans``).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from corgi_gym.envs.data import BadRow, Source
from corgi_gym.envs.task import Draft, Task, check_unused
from corgi_gym.envs.tasks._facts import FACTS
from corgi_gym.envs.tasks._generated_or_rows import GeneratedOrRows
from corgi_gym.rewards.rationale_generation import judge_rationale
from corgi_gym.rewards.rationale_generation import rationale_generation as check_rationale
from corgi_gym.rewards.semantic import WithScorer, check_scorer
from corgi_gym.rewards.semantic.student import PAPER_MODEL, CausalStudent, PaperStudent

PROMPT = (
    "A student must answer this question: {question}\nOptions: {options}\n"
    "Write background knowledge of one or two sentences with which the student finds the right "
    "option: {gold}. Take up a word of the question and explain. Use no word more than twice "
    '(apart from small ones such as "the"). Do not name any of the options, and do not reveal the '
    'answer, nor point at it with digits or words such as "answer", "option", "letter" or "word".'
)
_ECQA_OPTIONS = ("q_op1", "q_op2", "q_op3", "q_op4", "q_op5")
_OPTIONS = len(_ECQA_OPTIONS)


@dataclass(frozen=True, slots=True)
class Fact:
    """A question, its answer, a background that helps, and what may be wrong options."""

    answer: str
    question: str
    background: str
    others: tuple[str, ...]


@lru_cache(maxsize=1)
def facts() -> tuple[Fact, ...]:
    """All facts, parsed once."""
    found = []
    for block in FACTS.strip().split("\n\n"):
        rows = [[part.strip() for part in line.split("|")] for line in block.split("\n")[1:]]
        answers = [row[0] for row in rows]
        for row in (row for row in rows if len(row) > 1):
            left_out = {row[0], *(row[3].split() if len(row) > 3 else ())}
            others = tuple(answer for answer in answers if answer not in left_out)
            found.append(Fact(row[0], row[1], row[2], others))
    return tuple(found)


class RationaleGeneration(GeneratedOrRows):
    """Write background with which a student picks the right option.

    Args:
        options: Number of options, within 2 and 6.
        data: Questions from a data set in ECQA's format.
        scorer: ``"embedded"``: a causal language model that ranks the options. ``"paper"``: an
            encoder-decoder that writes its answer.
        model: The student: a hub id or folder; default: the packaged SmolLM2-135M or, for
            ``"paper"``, flan-t5-large.

    Raises:
        ValueError: For a value outside these bounds.
        ImportError: Where torch, transformers or the packaged weights are missing.

    Example:
        >>> source = RationaleGeneration()  # doctest: +SKIP
    """

    family = "rationale_generation"
    summary = "Write background with which a student picks the right option."

    def __init__(
        self,
        options: int = _OPTIONS,
        data: Source | None = None,
        scorer: str = "embedded",
        model: str | None = None,
    ) -> None:
        if isinstance(options, bool) or options not in range(2, 7):
            raise ValueError(f"options must be an integer within 2 and 6, got {options!r}")
        if data is not None:
            check_unused("data", options=(options, _OPTIONS))
        self.options = int(options)
        self.facts = facts()
        if check_scorer(scorer) == "paper":
            paper = PaperStudent(model or PAPER_MODEL)
            self.checker = WithScorer("rationale_generation[paper]", judge_rationale, paper)
        elif model is not None:
            own = CausalStudent(model)
            self.checker = WithScorer(f"rationale_generation[{model}]", judge_rationale, own)
        else:
            CausalStudent()  # a missing extra fails here, not at the first reply
            self.checker = check_rationale
        super().__init__(data, dict.fromkeys(("q_text", "q_ans", *_ECQA_OPTIONS), str))

    def make(self, rng: np.random.Generator) -> Draft:
        """Draw a question and wrong options of the same kind."""
        fact = self.facts[int(rng.integers(len(self.facts)))]
        wrong = [fact.others[int(i)] for i in rng.permutation(len(fact.others))]
        options = [fact.answer, *wrong[: self.options - 1]]
        options = [options[int(i)] for i in rng.permutation(len(options))]
        # a background solves its question whatever the options: they are one task
        return _draft(fact.question, fact.question, options, fact.answer, fact.background)

    def draft(self, row: dict[str, Any]) -> Draft:
        """A question of ECQA."""
        options = [row[name].strip() for name in _ECQA_OPTIONS]
        gold = row["q_ans"].strip()
        if gold not in options:
            raise BadRow(f"field 'q_ans' is none of the options: {gold!r:.60}")
        question = " ".join(row["q_text"].split())
        return _draft(f"{question} {options}", question, options, gold, "")

    def near_misses(self, task: Task) -> list[str]:
        """The answer, its number, the other options, the question, other topics, the prompt."""
        options, gold = task.target["options"], task.target["gold"]
        answer = options[gold]
        return [
            answer,
            f"The answer is {answer}.",
            f"The answer is option {gold + 1}.",
            str(gold + 1),
            f"It is the {answer}, because everybody knows that.",
            f"It is not {' and not '.join(o for o in options if o != answer)}.",
            f"{task.target['question']} People use the {answer} for it.",
            task.target["question"],
            f"The word starts with the letter {answer[0].upper()}.",
            "The student must think carefully about everything and choose well.",
            "The old violin was silent for many years because nobody listened.",
            f"{task.witness} It is the {answer}.".strip(),
            task.prompt,
        ]


def _draft(key: str, question: str, options: list[str], gold: str, witness: str) -> Draft:
    listed = "; ".join(f"{number}. {text}" for number, text in enumerate(options, start=1))
    prompt = PROMPT.format(question=question, options=listed, gold=gold)
    target = {"question": question, "options": options, "gold": options.index(gold)}
    return Draft(key, prompt, target, witness)
