"""How good or bad a product review is, read with a lexicon: five classes, as stars have.

The method is that of lexicon readers such as SO-CAL (Taboada et al., 2011) and VADER (Hutto and
Gilbert, 2014): opinion words have a value, and words around them change it. The word list and its
values are our own, for product reviews. A word's value lies in [-4, 4]; then

- "very", "absolutely" and the like strengthen the next opinion, "a bit", "fairly" weaken it;
- a negation up to three words before it turns it around, and makes it weaker; so do idioms such as
  "far from" and "anything but";
- a comparative that is denied says the most ("I could not be more pleased", "there is no better
  lamp"), and what never fails is good;
- "too" with a word that is no opinion is a mild complaint ("too short");
- what stands after "but" counts double, since it is the writer's conclusion;
- what is conceded ("although it looks nice") counts a third;
- what is only hoped, expected, doubted or imagined does not count ("I expected a great kettle").

The class is where the weighted mean falls. What it does not read: irony, facts that imply an
opinion ("it took fire"), opinions in words that it does not know.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from corgi_gym.rewards.lexicon import lemmas


def _words(text: str) -> list[str]:
    return text.split()


# Lower bounds of the classes 5, 4, 3, 2 on the mean value. Two words of one class never leave it:
# the values below are chosen inside these bounds.
BOUNDS = ((2.5, 5), (0.8, 4), (-0.8, 3), (-2.5, 2))
LIMIT = 4.0
AFTER_BUT, BEFORE_BUT, CONCEDED = 1.5, 0.75, 0.5
# A negation reaches so many words ("not a very good").
REACH = 3
TOO = -1.6
# "I could not be more pleased", or less; a denied comparative stands this near to its negation.
UTMOST, UTMOST_REACH = 3.6, 5
# "It never fails": good, and no strong praise alone.
NEVER_FAILS = 2.4

_VALUES = {
    4.0: "excellent outstanding superb perfect perfectly amazing fantastic wonderful brilliant "
    "awesome flawless exceptional magnificent terrific phenomenal stunning delightful marvelous "
    "marvellous unbeatable thrilled delighted adore incredible sublime",
    3.2: "great love loved loves beautiful beautifully fabulous gorgeous impressive impressed "
    "superior favorite favourite best happiest lovely treasure joy ideal excited",
    2.0: "good nice well pleased happy glad satisfied solid sturdy reliable useful handy practical "
    "comfortable enjoy enjoyed enjoys like likes liked recommend recommended pretty attractive "
    "elegant durable convenient helpful pleasant quick efficient effective stylish bright smooth "
    "smoothly easy easily nicely strong sharp soft quiet clever affordable cheerful neat tidy "
    "fresh cozy cosy generous accurate warm pleasantly worth safe better powerful fine-looking "
    "robust dependable precise crisp tasty delicious charming fun spacious precisely firmly",
    1.0: "fine decent works reasonable suitable",
    0.6: "acceptable adequate usable serviceable satisfactory okayish",
    0.0: "okay ok average ordinary mediocre middling fair so-so mixed unremarkable standard "
    "neutral passable tolerable plain basic",
    -1.3: "flimsy loose weak slow noisy heavy dull thin stiff bulky awkward pricey loud tight "
    "rough scratchy overpriced expensive uncomfortable fragile confusing wobbly faded limited "
    "boring inconvenient difficult smaller shorter problem problems issue issues crooked scratched "
    "dirty complicated clumsy blurry dim crackles squeaks slips rattles fades underwhelming "
    "underwhelmed hard-to-use scratches stains wobbles tricky unclear sticky smelly smells",
    -2.0: "bad badly poor poorly disappointed disappointing disappointment disappoint unhappy "
    "unreliable cheaply dislike disliked annoying annoyed frustrating frustrated regret shoddy "
    "unpleasant ugly inferior faulty leaky leaks leak leaked complain complaint complaints "
    "cracked dented bent worse lacking dissatisfied unsatisfied fails fail failed regrettable "
    "uneven wrong chipped peels peeled misleading tear tears tore",
    -3.2: "broke broken breaks defective useless unusable hate hated hates worthless junk garbage "
    "trash rubbish refund scam dangerous angry furious ruined ruins worst rotten painful shattered "
    "collapsed exploded filthy",
    -4.0: "terrible terribly awful awfully horrible horribly dreadful atrocious abysmal disgusting "
    "appalling disaster pathetic nightmare catastrophe unacceptable",
}  # fmt: skip
# Longest first where one begins another.
_PHRASES = {
    "could not be happier": 4.0, "could not be better": 4.0, "could not ask for more": 4.0,
    "worth every penny": 3.8, "worth every cent": 3.8, "highly recommend": 3.8,
    "works like a charm": 3.6, "top quality": 3.4, "high quality": 2.8, "best of all": 3.4,
    "buy it again": 3.0, "buy another": 3.0, "buy this again": 3.0, "order it again": 3.0,
    "exceeded my expectations": 3.6, "exceeded all my expectations": 3.6,
    "exceeded all expectations": 3.6, "exceeded expectations": 3.6, "exceeds my expectations": 3.6,
    "exceeds all my expectations": 3.6, "exceeds all expectations": 3.6, "a gem": 3.4,
    "expected more": -1.6, "expected better": -1.8, "would be better": -1.2,
    "would have been better": -1.4, "better than expected": 2.6, "better than i expected": 2.6,
    "could not put it down": 3.6, "no complaints": 2.2, "no problems": 2.0, "no complaint": 2.2,
    "worth the money": 2.2, "worth the price": 2.2, "good value": 2.0, "not bad": 1.0,
    "does its job": 0.6, "does the job": 0.6, "did its job": 0.6, "not too bad": 1.0,
    "as described": 1.2, "as expected": 0.6, "nothing special": 0.0, "neither good nor bad": 0.0,
    "neither great nor terrible": 0.0, "so so": 0.0, "hit or miss": 0.0, "good and bad": 0.0,
    "pros and cons": 0.0, "in the middle": 0.0, "nothing more and nothing less": 0.0,
    "could be better": -1.2, "could have been better": -1.4, "room for improvement": -1.2,
    "not worth the money": -2.4, "not worth the price": -2.4, "not worth it": -2.4,
    "not worth": -2.4, "low quality": -2.2, "poor quality": -2.4, "less than i expected": -1.6,
    "let me down": -2.2, "send it back": -2.4, "sent it back": -2.4, "returned it": -2.4,
    "return it": -2.2, "gave it away": -2.0, "not buy it again": -2.4, "not buy it": -2.4,
    "never buy it again": -3.4, "never buy": -3.4, "never again": -3.4, "not buy this": -2.4,
    "not buy another": -2.4,
    "not recommend": -2.4, "stay away": -3.6, "keep away": -3.4, "avoid": -2.4,
    "waste of money": -4.0, "waste of time": -4.0, "waste your money": -4.0, "money back": -3.2,
    "fell apart": -3.6, "falls apart": -3.6, "stopped working": -3.4, "does not work": -3.4,
    "did not work": -3.4, "never worked": -3.6, "not work": -3.2, "not working": -3.2,
    "threw it away": -3.4, "throw it away": -3.4, "straight in the bin": -3.6, "do not buy": -3.6,
    "broke down": -3.4, "zero quality": -4.0, "catches fire": -4.0, "caught fire": -4.0,
    "even worse": -2.4, "a lot to be desired": -2.0, "not what i ordered": -2.4, "poor value": -2.4,
    "works well": 2.0, "worked well": 2.0, "looks cheap": -1.6, "feels cheap": -1.6,
    "cheap plastic": -1.6, "looks good": 2.0, "feels good": 2.0, "kind of": None, "a bit": None,
    "a little": None, "sort of": None, "at best": None, "well made": 2.2, "well built": 2.2,
    "as well": None, "best before": None, "as well as": None, "hard to": -1.3, "at least": None,
    "such as": None, "looks like": None, "look like": None, "feels like": None, "feel like": None,
    "sounds like": None, "smells like": None, "just like": None, "would like": None,
    "fall apart": -3.2, "well as": None, "hard to use": -1.6, "easy to use": 2.0, "for the price":
    None, "break": -2.8,
}  # fmt: skip
_STRONGER = frozenset(
    _words(
        "very really so extremely absolutely totally completely incredibly truly super highly "
        "utterly exceptionally remarkably deeply especially particularly always simply just"
    )
)
_WEAKER = frozenset(_words("slightly somewhat fairly rather mildly partly almost mostly sometimes"))
_WEAK_PHRASES = frozenset(("a bit", "a little", "kind of", "sort of", "at best"))
_NEGATIONS = frozenset(
    _words("not never no hardly barely neither nor without nothing nobody cannot none n't few")
)
_UNREAL = frozenset(
    _words(
        "if wish wished hope hoped expect expected wanted promised claimed claims supposed "
        "supposedly advertised imagine imagined unless doubt doubted doubts"
    )
)
# Idioms, and a word that does the same to what follows. Those that become "not" are read so only
# before an opinion ("far from perfect", not "far from home").
_STAND_INS = {
    "far from": "not", "less than": "not", "anything but": "not", "opposite of": "not",
    "impossible to": "not", "impossible not to": "really", "nothing short of": "really",
    "nothing less than": "really", "never less than": "really", "a few": "some",
    "without a doubt": "surely", "without any doubt": "surely", "without doubt": "surely",
    "no doubt": "surely", "not doubt": "surely", "never doubted": "surely",
    "never fails to": "always", "never failed to": "always", "not fail to": "always",
    "would hate to": "wish", "i'd hate to": "wish",
}  # fmt: skip
_BETWEEN = frozenset(_words("a an the being very so really completely totally"))
_FAILURES = frozenset(
    (*_words("fail fails failed break breaks broke broken leak leaks leaked slips rattles squeaks"),
     "fall apart", "falls apart", "fell apart", "broke down")
)  # fmt: skip
# Between "never" and a comparative: "I have never been happier".
_FEELING = frozenset(_words("been felt slept looked"))
# After "could not": "I could not ask for a better lamp", not "I could not make it better".
_WISHING = frozenset(_words("be ask find imagine want buy have"))
_ALONE = frozenset(_words("no nothing nobody few"))
# "I never said that it is good" says nothing about it.
_SAID = frozenset(_words("say says said think thought believe believed claim call called"))
_JOINTS = frozenset(("but", "however", "although", "though", "yet", "while", "except", "still"))
_CLAUSE = re.compile(r"[,;:.!?]")
_TOKEN = re.compile(r"[a-z]+(?:[-'][a-z]+)*|[,;:.!?]")
# "I cannot recommend this lamp enough": so good that no praise is enough.
_NEVER_ENOUGH = re.compile(
    r"\b(?:can|could) not (?:recommend|praise|love|thank)\b([^.,;!?]{0,60}?)\benough\b"
)
_SHORT = (("won't", "will not"), ("can't", "can not"), ("cannot", "can not"), ("n't", " not"))


@dataclass(frozen=True, slots=True)
class Reading:
    """The class that was read, the mean value, and how many opinions there were."""

    stars: int
    mean: float
    opinions: int


@lru_cache(maxsize=1)
def word_values() -> Mapping[str, float]:
    """The value of each single word."""
    return {word: value for value, text in _VALUES.items() for word in text.split()}


@lru_cache(maxsize=1)
def _phrases() -> Mapping[str, tuple[tuple[tuple[str, ...], float | None], ...]]:
    table: dict[str, list[tuple[tuple[str, ...], float | None]]] = {}
    for phrase, value in _PHRASES.items():
        parts = tuple(phrase.split())
        table.setdefault(parts[0], []).append((parts, value))
    return {word: tuple(sorted(rows, key=lambda r: -len(r[0]))) for word, rows in table.items()}


@lru_cache(maxsize=1 << 14)
def value_of(word: str) -> float | None:
    """The value of a word or its lemma, or ``None`` where it is no opinion.

    Example:
        >>> value_of("excellent"), value_of("kettle")
        (4.0, None)
    """
    values = word_values()
    if word in values:
        return values[word]
    return next((values[form] for form in sorted(lemmas(word)) if form in values), None)


def read_stars(text: str) -> Reading:
    """Read a review; without an opinion it is of class 3.

    Example:
        >>> read_stars("The lamp is excellent.").stars, read_stars("It is not very good.").stars
        (5, 2)
    """
    low = text.lower().replace("\u2019", "'")
    for short, full in _SHORT:
        low = low.replace(short, full)
    total = weight = 0.0
    opinions = 0
    for sentence in re.split(r"(?<=[.!?])", low):
        if sentence.endswith("?"):
            continue
        sentence = _NEVER_ENOUGH.sub(r"highly recommend \1", sentence)
        for value, share in _weigh(_with_stand_ins(_TOKEN.findall(sentence))):
            total, weight, opinions = total + share * value, weight + share, opinions + 1
    mean = round(total / weight, 6) if weight else 0.0
    stars = next((stars for bound, stars in BOUNDS if mean >= bound), 1)
    return Reading(stars, mean, opinions)


@lru_cache(maxsize=1)
def _stand_ins() -> Mapping[tuple[str, ...], str]:
    """The idioms as words, the longest first."""
    rows = {tuple(idiom.split()): word for idiom, word in _STAND_INS.items()}
    return dict(sorted(rows.items(), key=lambda row: -len(row[0])))


def _with_stand_ins(tokens: list[str]) -> list[str]:
    """The tokens, with one word for each idiom.

    Example:
        >>> _with_stand_ins(["far", "from", "perfect", "far", "from", "home"])
        ['not', 'perfect', 'far', 'from', 'home']
    """
    result, i = [], 0
    while i < len(tokens):
        idiom, word = _idiom_at(tokens, i)
        result.append(word)
        i += idiom
    return result


def _idiom_at(tokens: list[str], i: int) -> tuple[int, str]:
    """How many tokens an idiom covers (1: there is none), and the word for it."""
    for parts, word in _stand_ins().items():
        end = i + len(parts)
        if tuple(tokens[i:end]) == parts and (word != "not" or _is_opinion(tokens, end)):
            return len(parts), word
    return 1, tokens[i]


def _is_opinion(tokens: list[str], i: int) -> bool:
    """Whether an opinion stands there, with up to two small words before it."""
    for k in range(i, min(i + 3, len(tokens))):
        if tokens[k] not in _BETWEEN:
            return bool(value_of(tokens[k]) or _phrase_at(tokens, k)[1])
    return False


def _weigh(tokens: list[str]) -> list[tuple[float, float]]:
    """(value, weight) of each opinion in one sentence."""
    found: list[tuple[float, float]] = []
    unreal, i, start, share = False, 0, 0, AFTER_BUT
    while i < len(tokens):
        token = tokens[i]
        phrase, value = _phrase_at(tokens, i)  # "expected more" says something, "expected" does not
        if token in _JOINTS:
            if token in ("but", "however", "yet"):
                found = [(value, old * BEFORE_BUT / AFTER_BUT) for value, old in found]
            unreal, start = False, i + 1
            share = CONCEDED if token in ("although", "though") else AFTER_BUT
        elif _CLAUSE.fullmatch(token):
            unreal, start, share = False, i + 1, AFTER_BUT
        elif value is None and (
            _is_imagined(tokens, i)
            or (token in _SAID and not _NEGATIONS.isdisjoint(tokens[start:i]))
        ):
            unreal = True
        if phrase:
            if value is not None and not unreal:
                said = " ".join(tokens[i : i + phrase])
                if said in _FAILURES:
                    value = _changed(value, tokens[start:i], said)
                found.append((value, share))
            i += phrase
            continue
        value = value_of(token)
        before = tokens[start:i]
        if value is None and before[-1:] == ["too"] and token.isalpha():
            value, before = TOO, []
        if value is not None and not unreal:
            found.append((_changed(value, before, token), share))
        i += 1
    return found


def _is_imagined(tokens: list[str], i: int) -> bool:
    """Whether what follows is not so: "I hoped for ...", "it would be ..." (not "I would be")."""
    would_be = tokens[i : i + 2] in (["would", "be"], ["would", "have"])
    return tokens[i] in _UNREAL or (would_be and tokens[i - 1] not in ("i", "we"))


def _phrase_at(tokens: list[str], i: int) -> tuple[int, float | None]:
    for parts, value in _phrases().get(tokens[i], ()):
        if tuple(tokens[i : i + len(parts)]) == parts:
            return len(parts), value
    return 0, None


def _is_utmost(word: str, before: list[str]) -> bool:
    """Whether a comparative is denied so that it says the most.

    Example:
        >>> _is_utmost("pleased", "i could not be more".split())
        True
        >>> _is_utmost("better", "it is no".split())
        False
    """
    near = before[-UTMOST_REACH:]
    if near[-1:] == ["more"]:
        near = near[:-1]
    elif not (word in ("better", "worse") or (word.endswith("er") and word not in word_values())):
        return False
    if "and" in near or not near:
        return False
    if near[-1] in ("a", "an", "no") and "there" in near:  # "there is no better lamp"
        return not _NEGATIONS.isdisjoint(near)
    if "never" in near:  # "I have never owned a better lamp"
        return near[-1] in ("a", "an") or not _FEELING.isdisjoint(near)
    if len(before) <= UTMOST_REACH and near[0] in _ALONE:  # "nothing is better", no "but no better"
        return near[-1] != "no" and "about" not in near
    can_not = any(pair in (("could", "not"), ("can", "not")) for pair in pairwise(near))
    return can_not and not _WISHING.isdisjoint(near)


def _changed(value: float, before: list[str], word: str = "") -> float:
    """``value`` of a word after the words that stand before it in its clause."""
    if value and _is_utmost(word, before):
        return UTMOST if value > 0 else -UTMOST
    near = before[-REACH:]
    if near and (near[-1] in _STRONGER or (near[-1] == "too" and value < 0)):
        value = max(-LIMIT, min(LIMIT, value * 1.3))
    elif near and (near[-1] in _WEAKER or " ".join(near[-2:]) in _WEAK_PHRASES):
        value *= 0.55
    if word in _FAILURES and "never" in near:
        return NEVER_FAILS
    if not _NEGATIONS.isdisjoint(near):
        value = -0.6 * value if value > 0 else max(-0.4 * value, 0.4) if value < 0 else -1.0
    return value
