"""Logical deduction: objects in a row, and statements that allow exactly one order.

Source: BIG-bench's logical deduction and the cells of TriPosT (arXiv 2310.13522): 3 and 5 objects
(``o3``, ``o5``, *seen*) | 7 (``o7``, *unseen*). Settings and wording are our own. That the
statements allow one order only is proved for every task by going through all orders (at most
5,040), and no statement could be left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import permutations
from typing import Any, NamedTuple

import numpy as np

from corgi_gym.envs.task import Draft, Task, TaskSource, stable_hash
from corgi_gym.rewards.logical_deduction import logical_deduction

SEEN = ("o3", "o5")
UNSEEN = ("o7",)
_NAMED_CELLS = {"seen": SEEN, "unseen": UNSEEN, "all": SEEN + UNSEEN}
FORMS = ("order", "choice")
# A statement: (object, "before", object) or (object, "at", place).
Statement = tuple[str, str, str | int]


class Setting(NamedTuple):
    """How a row of objects is told.

    ``before`` and ``after`` are two ways to say that one object precedes another; ``first`` and
    ``last`` name the ends, ``place`` the others (``{nth}`` is "second from the left").
    """

    intro: str
    ask: str
    objects: tuple[str, ...]
    before: str
    after: str
    first: str
    last: str
    from_first: str
    from_last: str


SETTINGS = (
    Setting(
        "{count} birds sit on a wire: {names}.",
        "the birds from left to right",
        ("owl", "hawk", "crow", "robin", "finch", "heron", "swift", "stork", "quail", "raven"),
        "The {a} is to the left of the {b}.",
        "The {b} is to the right of the {a}.",
        "The {a} is the leftmost bird.",
        "The {a} is the rightmost bird.",
        "The {a} is the {nth} from the left.",
        "The {a} is the {nth} from the right.",
    ),
    Setting(
        "A shelf holds {count} books: {names}.",
        "the books from left to right",
        ("atlas", "novel", "diary", "comic", "manual", "bible", "thriller", "cookbook", "guide"),
        "The {a} stands to the left of the {b}.",
        "The {b} stands to the right of the {a}.",
        "The {a} is the leftmost book.",
        "The {a} is the rightmost book.",
        "The {a} is the {nth} from the left.",
        "The {a} is the {nth} from the right.",
    ),
    Setting(
        "{count} runners finished a race, none at the same time: {names}.",
        "the runners from first to last",
        ("ada", "boris", "carla", "dev", "elif", "finn", "greta", "hugo", "ivan", "jana", "kofi"),
        "{A} finished before {B}.",
        "{B} finished after {A}.",
        "{A} finished first.",
        "{A} finished last.",
        "{A} finished {nth}.",
        "{A} finished {nth} to last.",
    ),
    Setting(
        "A stall sells {count} kinds of fruit, each at another price: {names}.",
        "the fruits from the cheapest to the most expensive",
        ("plums", "figs", "pears", "apples", "kiwis", "mangoes", "peaches", "lemons", "melons"),
        "The {a} cost less than the {b}.",
        "The {b} cost more than the {a}.",
        "The {a} are the cheapest.",
        "The {a} are the most expensive.",
        "The {a} are the {nth} cheapest.",
        "The {a} are the {nth} most expensive.",
    ),
    Setting(
        "{count} cars of different ages stand in a yard: {names}.",
        "the cars from the oldest to the newest",
        ("van", "truck", "jeep", "sedan", "coupe", "bus", "pickup", "limousine", "wagon"),
        "The {a} is older than the {b}.",
        "The {b} is newer than the {a}.",
        "The {a} is the oldest.",
        "The {a} is the newest.",
        "The {a} is the {nth} oldest.",
        "The {a} is the {nth} newest.",
    ),
)
_NUMBERS = {3: "Three", 5: "Five", 7: "Seven"}
_NTH = ("", "first", "second", "third", "fourth")


class LogicalDeduction(TaskSource):
    """Find the order of objects in a row.

    Args:
        cells: ``"seen"``, ``"unseen"``, ``"all"``, one of ``"o3"``, ``"o5"`` and ``"o7"``, or a
            list of them. A task's cell is drawn evenly from these.
        form: ``"order"`` asks for all objects; ``"choice"`` for the letter of one of as many
            options as objects, where a blind guess is right once in 3 to 7 times. Splits are of
            one form: a puzzle that is trained on in one may be a test puzzle in the other.

    Raises:
        ValueError: For an unknown cell or form.

    Example:
        >>> LogicalDeduction(cells="o3").item(seed=0, index=0).witness
        'Answer: van, bus, jeep'
    """

    family = "logical_deduction"
    summary = "Find the one order of objects that all statements allow."
    checker = logical_deduction

    def __init__(self, cells: str | Sequence[str] = "seen", form: str = "order") -> None:
        names = _NAMED_CELLS.get(cells, (cells,)) if isinstance(cells, str) else tuple(cells)
        if not names or not set(names) <= set(SEEN + UNSEEN):
            raise ValueError(
                f"unknown cells {cells!r}; choose from {', '.join([*_NAMED_CELLS, *SEEN, *UNSEEN])}"
            )
        if form not in FORMS:
            raise ValueError(f"unknown form {form!r}; choose from {', '.join(FORMS)}")
        self.cells = [int(name[1:]) for name in dict.fromkeys(names)]
        self.form = form

    def generate(self, rng: np.random.Generator) -> Draft:
        """Draw a setting and an order, then true statements until only that order is left."""
        count = self.cells[int(rng.integers(len(self.cells)))]
        number = int(rng.integers(len(SETTINGS)))
        setting = SETTINGS[number]
        picks = rng.choice(len(setting.objects), size=count, replace=False)
        order = [setting.objects[i] for i in picks]
        chosen = sorted(_statements(rng, order), key=str)
        key = f"{number} {self.form} {order} {chosen}"
        # the order of the statements is wording too: a puzzle must not have a twin in another split
        wording = np.random.default_rng(stable_hash("wording", key))
        statements = [chosen[i] for i in wording.permutation(len(chosen))]
        texts = [_say(wording, setting, statement, count) for statement in statements]
        shown = sorted(order)
        intro = setting.intro.format(
            count=_NUMBERS[count] if setting.intro[0] == "{" else _NUMBERS[count].lower(),
            names=", ".join(_title(setting, name) for name in shown),
        )
        start = f"{intro} {' '.join(texts)}"
        if self.form == "choice":
            stated = {order.index(name) for name, relation, _ in statements if relation == "at"}
            asked = [at for at in range(count) if at not in stated]
            return _choice(wording, setting, order, asked, start, key)
        prompt = (
            f'{start} Find their order. End with one line: "Answer:" and then {setting.ask}, '
            "separated by commas."
        )
        target = {"order": order, "statements": [list(s) for s in statements], "texts": texts}
        names = ", ".join(_title(setting, name) for name in order)
        return Draft(key, prompt, target, f"Answer: {names}")

    def near_misses(self, task: Task) -> list[str]:
        """Other orders, lost and added objects, several answers, slips of form."""
        right = task.witness.removeprefix("Answer: ")
        misses = [
            task.prompt,
            f"The answer is {right}",
            f"Answer: not {right}",
            f"Answer: maybe {right}",
            f"Answer: {right}\nAnswer: {right}",
            f"Answer: {right}\nWait, no.",
            f"Answer: {right} = {right}",
            "Answer: all of them",
            "Answer: 1",
            "Answer:",
        ]
        if "option" in task.target:
            other = next(letter for letter in "AB" if letter != task.target["option"])
            return [
                *misses,
                f"Answer: ({other})",
                f"Answer: {other}",
                f"Answer: {right} or ({other})",
                f"Answer: {right}, ({other})",
                f"Answer: ({other}) {right}",
                "Answer: (A) (B) (C)",
            ]
        names = right.split(", ")
        swapped = ", ".join([names[1], names[0], *names[2:]])
        return [
            *misses,
            f"Answer: {swapped}",
            f"Answer: {', '.join(reversed(names))}",
            f"Answer: {', '.join(names[1:])}",
            f"Answer: {right}, {names[0]}",
            f"Answer: {right}, emu",
            f"Answer: {right} or {swapped}",
            f"Answer: {names[0]}",
            f"Answer: {''.join(names)}",
        ]


# ---------------------------------------------------------------- puzzles


@lru_cache(maxsize=len(_NUMBERS))
def _places(count: int) -> Any:
    """All orders as an array: row ``i`` holds the place of each object in order ``i``."""
    return np.array(list(permutations(range(count))), dtype=np.int8)


def _allowed(statement: Statement, order: list[str]) -> Any:
    """Which of all orders a statement allows; object ``i`` is ``order[i]``."""
    places = _places(len(order))
    name, relation, other = statement
    if relation == "before":
        return places[:, order.index(name)] < places[:, order.index(str(other))]
    place = int(other) - 1 if int(other) > 0 else len(order) + int(other)
    return places[:, order.index(name)] == place


def _statements(rng: np.random.Generator, order: list[str]) -> list[Statement]:
    """True statements that together allow one order only, and none of which could be left out."""
    count = len(order)
    pool: list[Statement] = []
    for at, name in enumerate(order):
        # the nearer end: "second to last" reads better than "fourth"
        pool.append((name, "at", at + 1 if 2 * at < count else at - count))
        pool += [(name, "before", other) for other in order[at + 1 :]]
    chosen: list[Statement] = []
    masks: list[Any] = []
    left = np.ones(len(_places(count)), dtype=bool)
    for i in rng.permutation(len(pool)):
        mask = _allowed(pool[i], order)
        both = left & mask
        if both.sum() < left.sum():
            chosen.append(pool[i])
            masks.append(mask)
            left = both
        if left.sum() == 1:
            break
    for i in reversed(range(len(chosen))):
        others = masks[:i] + masks[i + 1 :]
        if others and np.logical_and.reduce(others).sum() == 1:
            del chosen[i], masks[i]
    return chosen


def _title(setting: Setting, name: str) -> str:
    """Runners are people; everything else is a thing."""
    return name.capitalize() if "{A}" in setting.before else name


def _say(rng: np.random.Generator, setting: Setting, statement: Statement, count: int) -> str:
    name, relation, other = statement
    words = {"a": name, "A": name.capitalize()}
    if relation == "before":
        words |= {"b": str(other), "B": str(other).capitalize()}
        return (setting.before, setting.after)[int(rng.integers(2))].format(**words)
    return _say_place(setting, words, int(other))


def _say_place(setting: Setting, words: dict[str, str], place: int) -> str:
    if place in (1, -1):
        return (setting.first if place == 1 else setting.last).format(**words)
    form = setting.from_first if place > 0 else setting.from_last
    return form.format(**words, nth=_NTH[abs(place)])


def _choice(
    rng: np.random.Generator,
    setting: Setting,
    order: list[str],
    asked: list[int],
    start: str,
    key: str,
) -> Draft:
    """Options about one of the places ``asked``: each object stands there in one of them."""
    at = asked[int(rng.integers(len(asked)))]
    place = at + 1 if 2 * at < len(order) else at - len(order)
    named = [order[i] for i in rng.permutation(len(order))]
    options = [
        f"({letter}) " + _say_place(setting, {"a": name, "A": name.capitalize()}, place)
        for letter, name in zip("ABCDEFG", named, strict=False)
    ]
    letter = "ABCDEFG"[named.index(order[at])]
    prompt = (
        f"{start} Which option is true?\n" + "\n".join(options) + "\n"
        'End with one line: "Answer:" and then the letter of the option.'
    )
    return Draft(key, prompt, {"option": letter}, f"Answer: ({letter})")
