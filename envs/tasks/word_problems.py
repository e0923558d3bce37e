"""Word problems from templates, with two to five steps.

Source: the form of GSM8K (arXiv 2110.14168), and the idea of templates with distracting numbers
from GSM-Symbolic (arXiv 2410.05229); templates and texts are our own (`_stories`). The surface of a
problem (names, things) is a function of its numbers, so that the splits share no problem that
differs in names only.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from corgi_gym.envs.task import Draft, Task, TaskSource, check_range, stable_hash
from corgi_gym.envs.tasks._stories import BOXES, DISTRACTORS, NAMES, STORIES, THINGS, Story
from corgi_gym.rewards.rational import evaluate
from corgi_gym.rewards.word_problems import word_problems

FEWEST_STEPS, MOST_STEPS = 2, 5
# Draws until all results are positive (and whole, unless it is about money): most stories need
# under 10; one that divides by 40 seats needs about 100.
_MAX_DRAWS = 3_000
# Largest number in a sentence that changes nothing.
_LARGEST_DISTRACTOR = 99


class WordProblems(TaskSource):
    """A short story with one number as its answer.

    Args:
        steps: Fewest and most steps of the calculation, within 2 and 5. The number of steps is
            drawn evenly, then one of its stories.
        distractors: Sentences with a number that changes nothing, from 0 to 2. Splits are of one
            number of them: a story that is trained on without may be a test story with some.

    Raises:
        ValueError: For options outside these ranges.

    Example:
        >>> task = WordProblems(steps=(2, 2)).item(seed=0, index=0)
        >>> print(task.witness)
        24 * 4 = 96
        342 - 96 = 246
        Answer: 246
    """

    family = "word_problems"
    summary = "Solve a word problem of a few steps, without a false equation."
    checker = word_problems

    def __init__(
        self, steps: tuple[int, int] = (FEWEST_STEPS, MOST_STEPS), distractors: int = 0
    ) -> None:
        if distractors not in (0, 1, 2):
            raise ValueError(f"distractors must be 0, 1 or 2, got {distractors!r}")
        self.steps = check_range(steps, "steps", FEWEST_STEPS, MOST_STEPS)
        self.distractors = int(distractors)

    def generate(self, rng: np.random.Generator) -> Draft:
        """Draw a number of steps, a story, and numbers until all results are possible."""
        count = int(rng.integers(self.steps[0], self.steps[1] + 1))
        numbers = [n for n, story in enumerate(STORIES) if len(story.steps) == count]
        number = numbers[int(rng.integers(len(numbers)))]
        story = STORIES[number]
        for _ in range(_MAX_DRAWS):
            values = {name: _draw(rng, choices) for name, choices in story.numbers.items()}
            working = _work(story, values)
            if working:
                break
        else:
            raise ValueError(f"story {number} has no possible numbers in {_MAX_DRAWS} draws")
        key = f"{number} {sorted(values.items())} {self.distractors}"
        answer = working[-1].rpartition(" ")[2]
        witness = "\n".join([*working, f"Answer: {answer}"])
        return Draft(key, self._prompt(story, values, key), {"answer": answer}, witness)

    def near_misses(self, task: Task) -> list[str]:
        """Slips, several answers, hedges, units, the last step in the asked place, false steps."""
        answer = task.target["answer"]
        other = str(int(Fraction(answer)) + 1)
        *working, last = task.witness.splitlines()[:-1]
        return [
            task.prompt,
            answer,
            f"The answer is {answer}.",
            f"Answer: {last}",
            f"Answer: {last.rpartition(' = ')[0]}",
            f"Answer: {other}",
            f"Answer: -{answer}",
            f"Answer: {answer} or {other}",
            f"Answer: {answer}, {other}",
            f"Answer: about {answer}",
            f"Answer: {answer} things",
            f"Answer: ${answer}",
            f"Answer: {answer}\nAnswer: {other}",
            f"Answer: {answer}\nOr is it {other}?",
            "\n".join([*working, last]),
            f"{last.rpartition(' ')[0]} {other}\nAnswer: {answer}",
            f"1 + 1 = 3\n{task.witness}",
            "Answer:",
        ]

    def _prompt(self, story: Story, values: dict[str, str], key: str) -> str:
        rng = np.random.default_rng(stable_hash("surface", key))
        ann, bob, cem = (NAMES[i] for i in rng.choice(len(NAMES), size=3, replace=False))
        words = {"ann": ann, "bob": bob, "cem": cem}
        words["things"] = THINGS[int(rng.integers(len(THINGS)))]
        words["boxes"] = BOXES[int(rng.integers(len(BOXES)))]
        text = story.text
        for i in rng.choice(len(DISTRACTORS), size=self.distractors, replace=False):
            numbers = [
                n for n in range(2, _LARGEST_DISTRACTOR + 1) if str(n) not in values.values()
            ]
            extra = DISTRACTORS[i].replace("{n}", str(numbers[int(rng.integers(len(numbers)))]))
            story_part, _, question = text.rpartition(". ")
            text = f"{story_part}. {extra} {question}"
        return (
            f"{text.format(**words, **values)} You may show steps as equations; each must be true. "
            'End with one line: "Answer:" and then one number, without a unit.'
        )


def _draw(rng: np.random.Generator, choices: tuple[int | str, ...]) -> str:
    if len(choices) == 2:
        low, high = map(int, choices)
        return str(int(rng.integers(low, high + 1)))
    return str(choices[int(rng.integers(len(choices)))])


def _work(story: Story, values: dict[str, str]) -> list[str]:
    """The steps as equations; none if a result is not positive (or not whole, where it must be)."""
    known, working = dict(values), []
    for number, step in enumerate(story.steps, start=1):
        text = step.format(**known)
        result = evaluate(text).value
        if result <= 0 or (result.denominator != 1 and not story.decimals):
            return []
        known[f"s{number}"] = _decimal(result)
        working.append(f"{text} = {known[f's{number}']}")
    return working


def _decimal(value: Fraction) -> str:
    """``7.5``; all results are whole or have at most two decimal places."""
    return str(value) if value.denominator == 1 else f"{float(value):.2f}".rstrip("0")
