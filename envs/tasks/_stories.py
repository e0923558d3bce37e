"""The stories behind `word_problems`: text, ranges of numbers, and the calculation, one step each.

In a text, ``{ann}``, ``{bob}`` and ``{cem}`` are people, ``{things}`` is what they own or buy,
``{boxes}`` what it is kept in; single letters are numbers. In a calculation, ``{s1}`` is the result
of the first step. All sentences are our own.
"""

from __future__ import annotations

from dataclasses import dataclass

# name -> (smallest, largest), or the choices of a longer tuple; all are inclusive integers or text.
Numbers = dict[str, tuple[int | str, ...]]


@dataclass(frozen=True, slots=True)
class Story:
    """A template; ``decimals`` allows results such as 7.5 (money)."""

    text: str
    numbers: Numbers
    steps: tuple[str, ...]
    decimals: bool = False


NAMES = (
    "Ada", "Amir", "Bella", "Boris", "Carla", "Chen", "Dora", "Dev", "Elif", "Emil", "Fay", "Finn",
    "Greta", "Hugo", "Ida", "Ivan", "Jana", "Jonas", "Kira", "Kofi", "Lena", "Luis", "Mina", "Milo",
    "Nora", "Nils", "Olga", "Omar", "Petra", "Paul", "Rosa", "Ravi", "Sara", "Sven", "Tara",
    "Tomas", "Uma", "Vera", "Victor", "Wanda", "Yara", "Zoe",
)  # fmt: skip
THINGS = (
    "apples", "badges", "beads", "buttons", "cards", "coins", "comics", "cookies", "crayons",
    "eggs", "figs", "lemons", "magnets", "marbles", "muffins", "nuts", "oranges", "peaches",
    "pencils", "pens", "plums", "postcards", "ribbons", "rings", "seeds", "shells", "stamps",
    "stickers", "stones", "toys",
)  # fmt: skip
BOXES = ("bags", "baskets", "boxes", "cases", "crates", "drawers", "jars", "packs", "tins")

# Sentences that change nothing; ``{n}`` is a number that no step uses.
DISTRACTORS = (
    "The neighbor is {n} years old.",
    "The shop next door opened {n} years ago.",
    "It is {n} kilometers to the next town.",
    "{cem} lives in house number {n}.",
    "The radio plays {n} songs meanwhile.",
    "Last year {bob} read {n} books.",
    "There are {n} chairs in the room.",
    "Yesterday it rained for {n} minutes.",
)

STORIES = (
    # two steps
    Story(
        "{ann} has {a} {boxes} with {b} {things} in each. {ann} gives {c} {things} to {bob}. "
        "How many {things} does {ann} have left?",
        {"a": (3, 12), "b": (4, 15), "c": (2, 40)},
        ("{a} * {b}", "{s1} - {c}"),
    ),
    Story(
        "{ann} buys {a} {things} for {b} dollars each and pays with {c} dollars. "
        "How many dollars does {ann} get back?",
        {"a": (3, 14), "b": (2, 9), "c": (30, 150)},
        ("{a} * {b}", "{c} - {s1}"),
    ),
    Story(
        "A bus sets off with {a} passengers. At the first stop {b} of them get off and {c} people "
        "get on. How many passengers are on the bus then?",
        {"a": (20, 70), "b": (3, 19), "c": (3, 30)},
        ("{a} - {b}", "{s1} + {c}"),
    ),
    Story(
        "{ann}'s book has {c} pages. {ann} reads {a} pages a day. "
        "How many pages are left after {b} days?",
        {"a": (8, 30), "b": (3, 9), "c": (100, 400)},
        ("{a} * {b}", "{c} - {s1}"),
    ),
    Story(
        "{ann} finds {a} {things}, and {bob} finds {b} times as many. "
        "How many {things} do they find together?",
        {"a": (6, 45), "b": (2, 6)},
        ("{a} * {b}", "{a} + {s1}"),
    ),
    Story(
        "{ann} keeps {a} {things} in a drawer and loses {b} of them. {ann} puts the others into "
        "{c} {boxes}, the same number into each. How many {things} are in each of the {boxes}?",
        {"a": (30, 160), "b": (2, 25), "c": (3, 8)},
        ("{a} - {b}", "{s1} / {c}"),
    ),
    Story(
        "A rope is {a} meters long. {ann} cuts off {b} pieces of {c} meters each. "
        "How many meters of the rope remain?",
        {"a": (40, 160), "b": (3, 9), "c": (3, 12)},
        ("{b} * {c}", "{a} - {s1}"),
    ),
    # three steps
    Story(
        "A garden has {a} rows of {b} tulips and {c} rows of {d} roses. "
        "How many flowers does it have?",
        {"a": (3, 12), "b": (6, 20), "c": (3, 12), "d": (6, 20)},
        ("{a} * {b}", "{c} * {d}", "{s1} + {s2}"),
    ),
    Story(
        "{ann} earns {a} dollars an hour and works {b} hours a day for {c} days. Then {ann} spends "
        "{d} dollars. How many dollars are left?",
        {"a": (9, 25), "b": (3, 8), "c": (2, 6), "d": (20, 150)},
        ("{a} * {b}", "{s1} * {c}", "{s2} - {d}"),
    ),
    Story(
        "A bakery makes {a} trays of {b} rolls and sells {c} rolls one by one. It packs the others "
        "into bags of {d}. How many bags does it fill?",
        {"a": (8, 20), "b": (12, 30), "c": (10, 90), "d": (3, 8)},
        ("{a} * {b}", "{s1} - {c}", "{s2} / {d}"),
    ),
    Story(
        "{ann} is {a} years old. {bob} is {b} years older than {ann}, and {cem} is {c} times as "
        "old as {ann}. How old are the three together?",
        {"a": (5, 24), "b": (2, 25), "c": (2, 4)},
        ("{a} + {b}", "{c} * {a}", "{a} + {s1} + {s2}"),
    ),
    Story(
        "A jacket costs {a} dollars. Today the price is {b} percent lower. "
        "How many dollars do {c} of these jackets cost today?",
        {"a": (20, 160), "b": (5, 10, 15, 20, 25, 30, 40, 50), "c": (2, 6)},
        ("{a} * {b} / 100", "{a} - {s1}", "{s2} * {c}"),
    ),
    Story(
        "A train travels at {a} kilometers an hour for {b} hours, and then at {c} kilometers an "
        "hour for {d} hours. How many kilometers does it travel?",
        {"a": (50, 140), "b": (2, 6), "c": (50, 140), "d": (2, 6)},
        ("{a} * {b}", "{c} * {d}", "{s1} + {s2}"),
    ),
    Story(
        "A tank holds {d} liters of water. Each minute {a} liters flow in and {b} liters leak out. "
        "How many liters does it hold {c} minutes later?",
        {"a": (15, 60), "b": (2, 14), "c": (4, 20), "d": (20, 300)},
        ("{a} - {b}", "{s1} * {c}", "{s2} + {d}"),
    ),
    Story(
        "A farmer has {a} hens and {b} goats. A hen has 2 legs and a goat has 4. "
        "How many legs do these animals have?",
        {"a": (5, 60), "b": (5, 60)},
        ("{a} * 2", "{b} * 4", "{s1} + {s2}"),
    ),
    Story(
        "{ann} scores {a}, {b} and {c} points in three games. How many points does {ann} need in "
        "the fourth game for an average of {d} points?",
        {"a": (10, 60), "b": (10, 60), "c": (10, 60), "d": (20, 60)},
        ("{a} + {b} + {c}", "{d} * 4", "{s2} - {s1}"),
    ),
    Story(
        "A machine makes {a} parts in {b} minutes. At this speed, how many parts does it make in "
        "{c} hours?",
        {"a": (6, 90), "b": (2, 3, 4, 5, 6, 8, 10), "c": (2, 7)},
        ("{a} / {b}", "{c} * 60", "{s1} * {s2}"),
    ),
    Story(
        "A school has {a} classes of {b} pupils. With {c} teachers they go on a trip in buses of "
        "{d} seats, and no seat stays empty. How many buses are there?",
        {"a": (4, 30), "b": (15, 32), "c": (4, 60), "d": (12, 40)},
        ("{a} * {b}", "{s1} + {c}", "{s2} / {d}"),
    ),
    Story(
        "A recipe for {a} people needs {b} grams of flour. {ann} cooks for {c} people and has {d} "
        "grams of flour. How many more grams does {ann} need?",
        {"a": (2, 8), "b": (120, 900), "c": (5, 24), "d": (50, 400)},
        ("{b} / {a}", "{s1} * {c}", "{s2} - {d}"),
    ),
    Story(
        "{ann} borrows {a} dollars and pays back {b} dollars a week for {c} weeks. From then on it "
        "is {d} dollars a week. How many more weeks does {ann} have to pay?",
        {"a": (150, 900), "b": (6, 25), "c": (3, 9), "d": (5, 24)},
        ("{b} * {c}", "{a} - {s1}", "{s2} / {d}"),
    ),
    # four steps
    Story(
        "{ann} has {a} {things}. {ann} gives half of them to {bob}, and then a third of the rest "
        "to {cem}. How many {things} does {ann} keep?",
        {"a": (18, 300)},
        ("{a} / 2", "{a} - {s1}", "{s2} / 3", "{s2} - {s3}"),
    ),
    Story(
        "A ticket costs {a} dollars for an adult and half as much for a child. "
        "How many dollars do {b} adults and {c} children pay?",
        {"a": (6, 40), "b": (2, 20), "c": (2, 25)},
        ("{a} / 2", "{b} * {a}", "{c} * {s1}", "{s2} + {s3}"),
    ),
    Story(
        "A library has {a} shelves with {b} books each. It buys {c} {boxes} with {d} books each "
        "and then lends {e} books. How many books are there now?",
        {"a": (5, 20), "b": (15, 40), "c": (2, 9), "d": (6, 20), "e": (10, 90)},
        ("{a} * {b}", "{c} * {d}", "{s1} + {s2}", "{s3} - {e}"),
    ),
    Story(
        "A wall is {a} meters long and {b} meters high. It has a window of {c} by {d} meters, "
        "which stays unpainted. A can of paint covers {e} square meters. "
        "How many cans does the wall need?",
        {"a": (6, 24), "b": (3, 9), "c": (1, 4), "d": (1, 2), "e": (2, 3, 4, 5, 6)},
        ("{a} * {b}", "{c} * {d}", "{s1} - {s2}", "{s3} / {e}"),
    ),
    Story(
        "A field is {a} meters long and {b} meters wide. A fence around it costs {c} dollars a "
        "meter. {ann} has {d} dollars. How many more dollars does the fence cost?",
        {"a": (12, 70), "b": (8, 50), "c": (3, 15), "d": (50, 500)},
        ("{a} + {b}", "2 * {s1}", "{s2} * {c}", "{s3} - {d}"),
    ),
    Story(
        "{ann} makes {a} candles a day for {b} days. {c} of them break, and {ann} sells the others "
        "for {d} dollars each. The wax cost {e} dollars. How many dollars does {ann} gain?",
        {"a": (6, 20), "b": (3, 9), "c": (2, 15), "d": (3, 12), "e": (15, 120)},
        ("{a} * {b}", "{s1} - {c}", "{s2} * {d}", "{s3} - {e}"),
    ),
    Story(
        "A phone contract costs {a} dollars a month, and {b} dollars for each gigabyte over {c}. "
        "{ann} uses {d} gigabytes every month. How many dollars does {ann} pay in {e} months?",
        {"a": (8, 30), "b": (2, 7), "c": (3, 9), "d": (10, 20), "e": (2, 9)},
        ("{d} - {c}", "{s1} * {b}", "{a} + {s2}", "{s3} * {e}"),
    ),
    Story(
        "{ann} buys {a} {things} at {b} dollars each and {c} drinks at {d} dollars each, and pays "
        "with {e} dollars. How many dollars does {ann} get back?",
        {
            "a": (2, 9),
            "b": ("1.5", "2.5", "3.5", "4.5", "0.75", "1.25", "2.25"),
            "c": (2, 7),
            "d": ("1.2", "1.4", "1.6", "1.8", "2.2", "2.4"),
            "e": (20, 90),
        },
        ("{a} * {b}", "{c} * {d}", "{s1} + {s2}", "{e} - {s3}"),
        decimals=True,
    ),
    # five steps
    Story(
        "{ann} has {a} dollars and saves {b} dollars a week. {bob} has {c} dollars and saves {d} "
        "dollars a week. How many dollars more than {bob} does {ann} have after {e} weeks?",
        {"a": (40, 150), "b": (8, 25), "c": (10, 90), "d": (3, 20), "e": (4, 15)},
        ("{b} * {e}", "{a} + {s1}", "{d} * {e}", "{c} + {s3}", "{s2} - {s4}"),
    ),
    Story(
        "A tree is {a} centimeters tall. It grows {b} centimeters a year for {c} years, and {d} "
        "centimeters a year after that. How many centimeters tall is it {e} years from now?",
        {"a": (40, 200), "b": (15, 40), "c": (2, 6), "d": (5, 14), "e": (8, 15)},
        ("{b} * {c}", "{e} - {c}", "{s2} * {d}", "{a} + {s1}", "{s4} + {s3}"),
    ),
    Story(
        "{ann} has {a} {things}. {bob} has {b} more than {ann}, and {cem} has twice as many as "
        "{bob}. They share all of them equally with the rest of their group of {c}. "
        "How many {things} does each of the {c} get?",
        {"a": (5, 60), "b": (2, 40), "c": (4, 9)},
        ("{a} + {b}", "{s1} * 2", "{a} + {s1}", "{s3} + {s2}", "{s4} / {c}"),
    ),
    Story(
        "A shop sells {a} {things} at {b} dollars each in the morning and {c} at {d} dollars each "
        "in the afternoon. It pays {e} helpers 45 dollars each. How many dollars remain?",
        {"a": (15, 60), "b": (4, 12), "c": (15, 60), "d": (3, 10), "e": (1, 4)},
        ("{a} * {b}", "{c} * {d}", "{s1} + {s2}", "{e} * 45", "{s3} - {s4}"),
    ),
)
