"""What generated instruction tasks ask for: subjects, values and wordings of each kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

# Concrete things, one word each, none of them in the sentences of `_filler`.
SUBJECTS = tuple(
    [
        "lighthouse",
        "violin",
        "glacier",
        "compass",
        "tortoise",
        "windmill",
        "orchard",
        "telescope",
        "harbor",
        "lantern",
        "beehive",
        "volcano",
        "canoe",
        "puppet",
        "cathedral",
        "meadow",
        "avalanche",
        "saddle",
        "fountain",
        "anchor",
        "caravan",
        "chimney",
        "dolphin",
        "eclipse",
        "falcon",
        "gondola",
        "hammock",
        "iceberg",
        "jasmine",
        "kettle",
        "locomotive",
        "magnet",
        "nectar",
        "oasis",
        "parachute",
        "quarry",
        "raft",
        "scarecrow",
        "tunnel",
        "umbrella",
        "vineyard",
        "waterfall",
        "yogurt",
        "zipper",
        "acorn",
        "bagpipe",
        "cactus",
        "desert",
        "elevator",
        "feather",
        "greenhouse",
        "honeycomb",
        "island",
        "jigsaw",
        "kayak",
        "ladder",
        "mosaic",
        "nutmeg",
        "octopus",
        "pelican",
        "quilt",
        "rainbow",
        "sundial",
        "trumpet",
        "unicycle",
        "vaccine",
        "walrus",
        "yacht",
        "almond",
        "balloon",
        "carousel",
        "diamond",
        "emerald",
        "flamingo",
        "galaxy",
        "helmet",
        "inkwell",
        "jellyfish",
        "kimono",
        "labyrinth",
        "mammoth",
        "needle",
        "opal",
        "pendulum",
        "quartz",
        "rooster",
        "submarine",
        "tapestry",
        "turbine",
        "vase",
        "whistle",
        "aquarium",
        "bakery",
        "cinnamon",
        "donkey",
        "embroidery",
        "fossil",
        "guitar",
        "haystack",
        "insect",
        "jungle",
        "keyboard",
        "lemon",
        "marathon",
        "nightingale",
        "onion",
        "pyramid",
        "reindeer",
        "satellite",
        "thermometer",
        "typewriter",
        "velvet",
        "wheelbarrow",
        "apron",
        "bridge",
        "candle",
        "drum",
        "engine",
        "ferry",
        "glove",
        "hammer",
        "igloo",
        "jacket",
        "knot",
        "leopard",
        "mirror",
        "noodle",
        "olive",
        "parrot",
        "rocket",
        "spoon",
        "tiger",
        "trophy",
        "valley",
        "wagon",
        "zebra",
        "antelope",
        "barn",
        "crater",
        "dragonfly",
        "eagle",
        "fiddle",
        "goldfish",
        "hedgehog",
        "ivory",
        "jewel",
        "kangaroo",
        "lizard",
        "maple",
        "necklace",
        "otter",
        "penguin",
        "raven",
        "sandal",
        "thunder",
        "tulip",
        "turtle",
        "vulture",
        "willow",
        "badger",
        "bamboo",
        "cobweb",
        "daffodil",
        "earthquake",
        "firefly",
        "geyser",
        "hurricane",
        "icicle",
        "kite",
        "lagoon",
        "moss",
        "nest",
        "oyster",
        "pebble",
        "robin",
        "seashell",
        "tornado",
        "tundra",
        "walnut",
        "wreath",
        "accordion",
        "biscuit",
        "carpet",
        "dandelion",
        "envelope",
        "fireplace",
        "garlic",
        "hourglass",
        "invention",
        "junction",
        "knitting",
        "lobster",
        "mustard",
        "navigator",
        "oven",
        "pancake",
        "quiver",
        "ruler",
        "scissors",
        "tractor",
        "ukulele",
        "veil",
        "woodpecker",
    ]
)
# What cannot be counted ("a garlic"), or is a pair.
_NO_ARTICLE = frozenset(
    (
        "bamboo", "cinnamon", "embroidery", "garlic", "ivory", "knitting", "moss", "mustard",
        "nectar", "nutmeg", "quartz", "scissors", "thunder", "velvet",
    )
)  # fmt: skip
_SILENT_H = ("hour", "heir", "honest", "honor")
OPENINGS = (
    "Write a short text about {a} and {b}.",
    "Tell me something about {a} and {b}, in full sentences.",
    "I would like to read a few sentences on {a} and {b}.",
    "Compose a little piece of prose in which {a} and {b} matter.",
    "Explain to a visitor what {a} and {b} have to do with each other.",
)
MENTION = (
    "Use both of these words: {a}, {b}.",
    'The words "{a}" and "{b}" must both appear.',
    "Both {a} and {b} have to be mentioned by name.",
)
FOREIGN_OPENINGS = (
    'Write a few sentences that use the words "{a}" and "{b}", all of them in {language}.',
    "Your whole reply must be in {language}. Use both of these words in it: {a}, {b}.",
)
FOREIGN_WORDS = {
    "de": "Fluss Brücke Garten Schule Vogel Winter Fenster Straße Kaffee Uhr Insel Wolke Zug Mond",
    "es": "río puente jardín escuela pájaro invierno ventana calle reloj isla nube tren luna pan",
    "fr": "fleuve pont jardin école oiseau hiver fenêtre rue horloge île nuage train lune pain",
    "it": "fiume ponte giardino scuola uccello inverno finestra strada isola nuvola treno luna",
    "pt": "rio ponte jardim escola pássaro inverno janela rua relógio ilha nuvem trem lua pão",
    "fi": "joki silta puutarha koulu lintu talvi ikkuna katu kello saari pilvi juna kuu leipä",
    "pl": "rzeka most ogród szkoła ptak zima okno ulica zegar wyspa chmura pociąg księżyc chleb",
    "ru": "река мост сад школа птица зима окно улица часы остров облако поезд луна хлеб",
}
_WORDS_TO_USE = [
    "harvest",
    "silence",
    "copper",
    "journey",
    "whisper",
    "velvet",
    "thunderous",
    "marble",
    "autumn",
    "puzzle",
    "signal",
    "bargain",
    "festival",
    "horizon",
    "gravity",
    "memory",
    "pattern",
    "rhythm",
    "shadow",
    "texture",
]
_FORBIDDEN = [
    "people",
    "town",
    "friend",
    "good",
    "time",
    "story",
    "street",
    "house",
    "school",
    "hour",
    "garden",
    "idea",
    "book",
    "light",
    "work",
    "evening",
    "road",
    "world",
    "water",
    "year",
]
_LAST = ["forever", "indeed", "tonight", "somewhere", "goodbye", "anyway", "together", "sunshine"]
_PHRASES = (
    "That is all I know.",
    "What do you say?",
    "Thank you for reading this.",
    "And so the day ends.",
    "Ask me again tomorrow.",
)
_SPANS = (
    "the old miller closed the heavy door before the first snow fell on the quiet valley",
    "nobody at the station could say when the last boat to the northern shore would leave",
    "seven grey geese crossed the frozen lake while the children counted them from the pier",
    "a map without names is of little use to those who have never seen the coast themselves",
)
_ACROSTICS = [
    "boat",
    "lamp",
    "tree",
    "moon",
    "hill",
    "gold",
    "wind",
    "star",
    "bird",
    "frog",
    "lime",
    "corn",
]
_REPEATED = (
    "The door is open.",
    "We will be back soon.",
    "Nothing is lost.",
    "The light stays on.",
)
_MARK_SETS = (["?", "!"], [";", "!"], [":", "?"], [";", ":"], ["?", ";", "!"])
_DIVIDERS = ("---", "+++", "~~~~", "====", "%%%")


# A noun that a wording counts, in the plural.
_ONE = re.compile(
    r"\b(1 (?:(?:more|further|different) )*(?:bullet point|column|line|number|paragraph|part|"
    r"placeholder|point|question|row|section|sentence|statement|time|word))s\b"
)


class Request(NamedTuple):
    """One kind as the generator asks for it."""

    draw: Callable[[np.random.Generator], dict[str, Any]]
    wordings: Sequence[str]
    shape: bool = False  # fixes the shape of the whole reply: at most one of these in a set


def _int(rng: np.random.Generator, low: int, high: int) -> int:
    return int(rng.integers(low, high + 1))


def _pick(rng: np.random.Generator, items: Sequence[Any]) -> Any:
    return items[int(rng.integers(len(items)))]


def _some(rng: np.random.Generator, items: Sequence[str], number: int) -> list[str]:
    return [items[i] for i in rng.choice(len(items), size=number, replace=False)]


def _bound(
    field: str, relation: str, less: tuple[int, int], least: tuple[int, int], **fixed: Any
) -> Callable[[np.random.Generator], dict[str, Any]]:
    def draw(rng: np.random.Generator) -> dict[str, Any]:
        which = _pick(rng, ("less than", "at least"))
        low, high = less if which == "less than" else least
        return {**fixed, field: _int(rng, low, high), relation: which}

    return draw


def _letter(rng: np.random.Generator) -> dict[str, Any]:
    if rng.random() < 0.5:
        letter, low, high = _pick(rng, (("e", 20, 40), ("o", 15, 30), ("m", 5, 9), ("g", 4, 8)))
        which = "at least"
    else:
        letter, low, high = _pick(rng, (("z", 2, 3), ("x", 2, 3), ("q", 2, 3), ("j", 2, 3)))
        which = "less than"
    return {"letter": letter, "let_frequency": _int(rng, low, high), "let_relation": which}


def _frequency(rng: np.random.Generator) -> dict[str, Any]:
    number = _int(rng, 2, 4)
    return {"keyword": _pick(rng, _WORDS_TO_USE), "frequency": number, "relation": "at least"}


def _range(rng: np.random.Generator) -> dict[str, Any]:
    low = 5 * _int(rng, 5, 14)
    return {"low": low, "high": low + _int(rng, 2, 9)}


def _nth_paragraph(rng: np.random.Generator) -> dict[str, Any]:
    number = _int(rng, 2, 4)
    nth = _int(rng, 1, number)
    return {
        "num_paragraphs": number,
        "nth_paragraph": nth,
        "first_word": _pick(rng, _WORDS_TO_USE),
    }


def _span(rng: np.random.Generator) -> dict[str, Any]:
    source = _pick(rng, _SPANS)
    start = _int(rng, 1, 8)
    return {"source": source, "start": start, "end": start + _int(rng, 2, 5)}


def _repeat(rng: np.random.Generator) -> dict[str, Any]:
    return {"prompt_to_repeat": ""}  # filled in with the opening of the prompt


NO_VALUES: Callable[[np.random.Generator], dict[str, Any]] = lambda rng: {}  # noqa: E731

REQUESTS: dict[str, Request] = {
    "keywords:existence": Request(
        lambda rng: {"keywords": _some(rng, _WORDS_TO_USE, _int(rng, 2, 3))},
        ("Include these keywords: {keywords}.", "Each of these words must occur: {keywords}."),
    ),
    "keywords:frequency": Request(
        _frequency,
        (
            'Use the word "{keyword}" {relation} {frequency} times.',
            'The word "{keyword}" has to appear {relation} {frequency} times.',
        ),
    ),
    "keywords:forbidden_words": Request(
        lambda rng: {"forbidden_words": _some(rng, _FORBIDDEN, _int(rng, 2, 4))},
        ("Do not use any of these words: {forbidden_words}.", "Avoid the words {forbidden_words}."),
    ),
    "keywords:letter_frequency": Request(
        _letter,
        (
            'Let the letter "{letter}" appear {let_relation} {let_frequency} times.',
            'I want {let_relation} {let_frequency} of the letter "{letter}", in either case.',
        ),
    ),
    "length_constraints:number_words": Request(
        _bound("num_words", "relation", (18, 60), (30, 120)),
        (
            "Write {relation} {num_words} words.",
            "The reply has to have {relation} {num_words} words.",
        ),
    ),
    "length_constraints:number_sentences": Request(
        _bound("num_sentences", "relation", (3, 6), (4, 10)),
        (
            "Write {relation} {num_sentences} sentences.",
            "Use {relation} {num_sentences} sentences in all.",
        ),
    ),
    "length_constraints:number_paragraphs": Request(
        lambda rng: {"num_paragraphs": _int(rng, 2, 4)},
        (
            "Write exactly {num_paragraphs} paragraphs, with a line of three asterisks (***) "
            "between two.",
            "Divide the text into {num_paragraphs} paragraphs by lines that hold only ***.",
        ),
        shape=True,
    ),
    "length_constraints:nth_paragraph_first_word": Request(
        _nth_paragraph,
        (
            "Write exactly {num_paragraphs} paragraphs with a blank line between two, and start "
            'paragraph {nth_paragraph} with the word "{first_word}".',
        ),
        shape=True,
    ),
    "detectable_content:number_placeholders": Request(
        lambda rng: {"num_placeholders": _int(rng, 2, 4)},
        ("Use at least {num_placeholders} placeholders in square brackets, such as [address].",),
    ),
    "detectable_content:postscript": Request(
        lambda rng: {"postscript_marker": _pick(rng, ("P.S.", "P.P.S"))},
        ("End with a postscript that starts with {postscript_marker}",),
    ),
    "detectable_format:number_bullet_lists": Request(
        lambda rng: {"num_bullets": _int(rng, 2, 5)},
        (
            "Write exactly {num_bullets} bullet points, sub-points included, each on a line that "
            "starts with a bullet mark (such as * or -) and a space.",
            'Give exactly {num_bullets} bullet points in Markdown ("* text" or "- text"), '
            "sub-points included.",
        ),
        shape=True,
    ),
    "detectable_format:number_highlighted_sections": Request(
        lambda rng: {"num_highlights": _int(rng, 1, 3)},
        ("Highlight at least {num_highlights} different parts with asterisks, *like this*.",),
    ),
    "detectable_format:multiple_sections": Request(
        lambda rng: {
            "section_spliter": _pick(rng, ("Section", "SECTION", "Chapter", "Part")),
            "num_sections": _int(rng, 2, 4),
        },
        (
            'Write exactly {num_sections} sections, and head them "{section_spliter} 1", '
            '"{section_spliter} 2" and so on, each at the start of a line.',
        ),
        shape=True,
    ),
    "detectable_format:json_format": Request(
        NO_VALUES, ("Wrap everything in one JSON object or list and write nothing outside it.",)
    ),
    "detectable_format:title": Request(
        NO_VALUES, ("Give it a title in double angular brackets, as in <<a calm day>>.",)
    ),
    "combination:two_responses": Request(
        NO_VALUES,
        ("Give two different versions, with a line of six asterisks (******) between them.",),
        shape=True,
    ),
    "combination:repeat_prompt": Request(
        _repeat,
        (
            'First repeat this sentence word for word: "{prompt_to_repeat}" Then write your text. '
            "Write nothing before the repeated sentence.",
        ),
    ),
    "startend:end_checker": Request(
        lambda rng: {"end_phrase": _pick(rng, _PHRASES)},
        ('End with exactly this: "{end_phrase}"', 'The last words must be: "{end_phrase}"'),
    ),
    "startend:quotation": Request(
        NO_VALUES, ("Put the whole reply between double quotation marks.",)
    ),
    "change_case:capital_word_frequency": Request(
        _bound("capital_frequency", "capital_relation", (2, 4), (2, 5)),
        (
            "Write {capital_relation} {capital_frequency} words of two or more letters in all "
            "capital letters.",
        ),
    ),
    "change_case:english_capital": Request(
        NO_VALUES, ("Write in English and in capital letters only.",)
    ),
    "change_case:english_lowercase": Request(
        NO_VALUES, ("Write in English and without a single capital letter.",)
    ),
    "punctuation:no_comma": Request(
        NO_VALUES, ("Do not use any commas.", "The reply must be free of commas.")
    ),
    "count:word_range": Request(
        _range,
        ("Write {low} to {high} words.", "The reply must have between {low} and {high} words."),
    ),
    "count:unique_words": Request(
        lambda rng: {"number": _int(rng, 25, 60)}, ("Use at least {number} different words.",)
    ),
    "count:numbers": Request(
        lambda rng: {"number": _int(rng, 1, 4)},
        ("Use exactly {number} numbers, written in digits.",),
    ),
    "count:questions": Request(
        lambda rng: {"number": _int(rng, 1, 4)}, ("Ask exactly {number} questions.",)
    ),
    "count:keyword_exact": Request(
        lambda rng: {"keyword": _pick(rng, _WORDS_TO_USE), "times": _int(rng, 2, 4)},
        ('Use the word "{keyword}" exactly {times} times.',),
    ),
    "count:lines": Request(
        lambda rng: {"number": _int(rng, 3, 7)},
        ("Write exactly {number} lines, none of them empty.",),
        shape=True,
    ),
    "count:conjunctions": Request(
        lambda rng: {"number": _int(rng, 3, 6)},
        (
            "Use at least {number} different coordinating conjunctions "
            "(and, but, or, nor, for, so, yet).",
        ),
    ),
    "count:marks": Request(
        lambda rng: {"marks": list(_pick(rng, _MARK_SETS))},
        ("Use each of these punctuation marks at least once: {marks}",),
    ),
    "ratio:stop_words": Request(
        lambda rng: {"percent": _int(rng, 24, 32)},
        ("At most {percent} percent of the words may be function words such as the, of, is, and.",),
    ),
    "ratio:long_words": Request(
        lambda rng: {"percent": _int(rng, 30, 50), "letters": _int(rng, 7, 8)},
        ("At least {percent} percent of the words must have {letters} or more letters.",),
    ),
    "ratio:questions": Request(
        lambda rng: {"statements": _int(rng, 2, 3), "questions": 1},
        ("Write exactly {statements} statements for every {questions} question.",),
        shape=True,
    ),
    "position:nth_word": Request(
        lambda rng: {"n": _int(rng, 3, 11), "word": _pick(rng, _WORDS_TO_USE)},
        ('Word number {n} of your reply must be "{word}".',),
    ),
    "position:last_word": Request(
        lambda rng: {"word": _pick(rng, _LAST)}, ('The very last word must be "{word}".',)
    ),
    "position:keyword_in_sentence": Request(
        lambda rng: {"n": _int(rng, 2, 5), "word": _pick(rng, _WORDS_TO_USE)},
        ('Use the word "{word}" in sentence number {n}.',),
    ),
    "position:acrostic": Request(
        lambda rng: {"letters": _pick(rng, _ACROSTICS)},
        (
            'The first letters of your sentences must spell "{letters}", one sentence for each '
            "letter and no more.",
        ),
        shape=True,
    ),
    "position:paragraph_ring": Request(
        lambda rng: {"number": _int(rng, 2, 4)},
        (
            "Write exactly {number} paragraphs with a blank line between two, and end each with "
            "the word that it starts with.",
        ),
        shape=True,
    ),
    "words:max_letters": Request(
        lambda rng: {"letters": _int(rng, 11, 12)},
        ("Use no word of more than {letters} letters.",),
    ),
    "words:chain": Request(
        lambda rng: {"sentences": _int(rng, 3, 6)},
        (
            "Write at least {sentences} sentences, and start each with the last word of the "
            "sentence before it.",
        ),
        shape=True,
    ),
    "sentence:increment": Request(
        lambda rng: {"sentences": _int(rng, 3, 5), "step": _int(rng, 1, 3)},
        (
            "Write at least {sentences} sentences, each with exactly {step} more words than the "
            "one before (word counts grow by {step}).",
        ),
        shape=True,
    ),
    "copy:span": Request(
        _span,
        (
            "As the first line, copy words {start} to {end} (counting from 1) of this text, "
            'unchanged: "{source}" Then go on with your own text on the next line.',
        ),
    ),
    "copy:sentence_times": Request(
        lambda rng: {"sentence": _pick(rng, _REPEATED), "times": _int(rng, 2, 3)},
        ('The sentence "{sentence}" must stand there exactly {times} times.',),
    ),
    "format:numbered_list": Request(
        lambda rng: {"number": _int(rng, 2, 5)},
        ('Give exactly {number} points on lines numbered "1." to "{number}.".',),
        shape=True,
    ),
    "format:sub_bullets": Request(
        lambda rng: {"number": _int(rng, 2, 3)},
        (
            'Write exactly {number} bullet points ("* text"), each with at least one sub-point '
            '("- text") on a line below it.',
        ),
        shape=True,
    ),
    "format:table": Request(
        lambda rng: {"rows": _int(rng, 2, 4), "columns": _int(rng, 2, 3)},
        (
            "Include one Markdown table with a head, {rows} further rows and {columns} columns, "
            "no cell empty.",
        ),
        shape=True,
    ),
    "format:separator": Request(
        lambda rng: {"mark": _pick(rng, _DIVIDERS), "parts": _int(rng, 2, 4)},
        ("Write exactly {parts} parts, with a line that holds only {mark} between two.",),
        shape=True,
    ),
}


def say(wording: str, values: Mapping[str, Any]) -> str:
    """A wording with its values: "exactly 1 question", "exactly 2 questions".

    Example:
        >>> say("Ask exactly {number} questions.", {"number": 1})
        'Ask exactly 1 question.'
        >>> say("each with exactly {step} more words than the one before", {"step": 1})
        'each with exactly 1 more word than the one before'
    """
    said = wording.format(**{name: shown(value) for name, value in values.items()})
    return _ONE.sub(r"\1", said)


def article(noun: str) -> str:
    """A subject as the opening names it: with "a" or "an", or without, if it is no thing to count.

    Example:
        >>> [article(noun) for noun in ("owl", "unicycle", "hourglass", "garlic")]
        ['an owl', 'a unicycle', 'an hourglass', 'garlic']
    """
    if noun in _NO_ARTICLE:
        return noun
    vowel = noun.startswith(_SILENT_H) or (
        noun[0] in "aeiou" and not noun.startswith(("uni", "uku"))
    )
    return f"{'an' if vowel else 'a'} {noun}"


def shown(value: Any) -> str:
    """A value as a prompt writes it."""
    return ", ".join(value) if isinstance(value, (list, tuple)) else str(value)
