"""Who can do what: the plainest nonsense that a grammar accepts ("The tree threw a ranch.").

A policy that may use any subject and object soon does: "The summer gathered the camper", "The boy
threw the ranch", "The woman wears a dress out of her head". Tables refuse the clearest of these:
things that do nothing, as subjects of what only people and animals do; places and times, as objects
of what hands and mouths do; "out of" after a verb that takes nothing out. Only plain clauses are
looked at (article, adjectives, noun, verb, article, ...), so an honest sentence is rarely refused;
and most nonsense passes: this is no judge of common sense.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from corgi_gym.rewards._recogniser import Token
from corgi_gym.rewards.lexicon import lemmas


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TIMES = _set(
    "morning afternoon evening night day week month year noon dawn summer winter autumn weekend "
    "holiday sunrise sunset"
)
_NATURE = _set(
    "beach shore lake pond ocean sea mountain hill valley waterfall forest orchard desert field "
    "meadow island oasis harbor river"
)
_ROOMS = _set(
    "kitchen bathroom bedroom basement garage classroom hallway lobby terrace patio playground "
    "corral stable driveway sidewalk"
)
_PLACES = _NATURE | _ROOMS | _set(
    "park garden yard backyard street road path trail bridge city town village country office "
    "library school hospital church restaurant bakery bank mall market museum airport station "
    "stadium theater circus zoo gym clinic laboratory studio workshop farm ranch barn lodge"
)  # fmt: skip
_THINGS = _TIMES | _NATURE - {"river", "sea", "ocean"} | _ROOMS | _set(
    "tree flower branch leaf grass bush table bench desk chair shelf sofa bed couch apple egg cake "
    "pie potato onion carrot tomato bread soup sandwich muffin cookie cherry melon pear plum "
    "mushroom salad burger shirt towel hat glove boot sock coat jacket scarf shoe basket bucket "
    "bottle cup bag box suitcase tent lesson smile story melody tune problem lunch dinner "
    "breakfast supper exhibition concert entrance pill puddle"
)  # fmt: skip
# With an object, only people and animals do these.
_LIVELY = _set(
    "chase throw toss knead ride study teach eat drink hug kiss kick chop peel gather buy borrow "
    "hunt fetch hail greet thank juggle knit sew write photograph lick chew milk rake pick steal "
    "visit answer ask learn climb"
)
# What hands and mouths do, to things that are small enough.
_HANDLE = _set(
    "throw toss lift carry wear eat drink knead fry bake chop peel stir fold sew juggle pour drop "
    "kick chew lick slice knit"
)
# What can be done "out of" something. One training ended half of its sentences with "out of her
# pocket", whatever the verb.
_OUT = _set(
    "take get pull bring come go run walk climb fall jump pour eat drink sip make build carve cut "
    "look lean drive fly step swim crawl throw lift carry move roll slide pick dig grow peer "
    "stare gaze lead help chase push drag draw drop leap hop race rush slip sneak stumble burst "
    "empty scoop serve spill shake squeeze wipe wash rinse remove rescue save steal pop poke peek "
    "be keep stay stick hang rise emerge escape break let set send order kick knock tear rip wake "
    "talk march sail row ride dance splash float drift tumble trip creep flow leak blow sweep "
    "scrape hurry gather collect tip turn back stand paddle steer ladle unpack read copy choose "
    "select lock shut"
)
_OUT_OF_MIND = _set("head heads mouth mouths mind minds pocket pockets face faces")
# What comes out of these.
_OUT_OF_MIND_VERBS = _set(
    "take get pull bring draw fall drop slip pop come fly remove empty spill fish"
)
_ARTICLES = _set("a an the my your his her its our their this that these those some every")
_STARTS = _set(", but while because when after before until as")
_OBJECTS = _ARTICLES | _set("him them me us himself herself itself themselves it")
_NOUN_OR_ADJECTIVE = frozenset(("Ns", "Nm", "Np", "ADJ"))
_FINITE = frozenset(("VBD", "VBZ", "VBP"))


def nonsense(tokens: Sequence[Token], shown: Sequence[str]) -> str | None:
    """A message about the first impossible subject or object, or ``None``.

    Args:
        tokens: A sentence that parses.
        shown: How its words are spelt.
    """
    for verb, noun in _subjects(tokens):
        does = sorted(tokens[verb].verbs & _LIVELY)
        things = lemmas(tokens[noun].word) & _THINGS
        if does and things and verb + 1 < len(tokens) and tokens[verb + 1].word in _OBJECTS:
            return f"No {min(things)} can {does[0]} anything."
    for verb, article, noun in _objects(tokens):
        does = sorted(tokens[verb].verbs & _HANDLE)
        if does and tokens[noun].word in _PLACES | _TIMES:
            return f"Nobody can {does[0]} {shown[article].lower()} {tokens[noun].word}."
    return _out_of_nothing(tokens)


def _out_of_nothing(tokens: Sequence[Token]) -> str | None:
    """A message about "out of" after a verb that takes nothing out."""
    for place in range(len(tokens) - 2):
        if (tokens[place].word, tokens[place + 1].word) != ("out", "of"):
            continue
        verbs = [
            token.verbs
            for before, token in pairwise(tokens[:place])
            if token.verbs and before.word not in _ARTICLES and "ADJ" not in before.readings
        ]
        end = next((t.word for t in tokens[place + 2 :] if t.word in _OUT_OF_MIND), None)
        allowed = _OUT if end is None else _OUT_OF_MIND_VERBS
        if verbs and not any(verb & allowed for verb in verbs):
            does = min(verbs[-1])
            return f'Leave out the part "out of ...": nobody can {does} anything out of that.'
    return None


def _subjects(tokens: Sequence[Token]) -> Iterator[tuple[int, int]]:
    """(verb, noun) of clauses whose subject is an article, adjectives and a noun."""
    for article, token in enumerate(tokens):
        before = tokens[article - 1].word if article else ","
        if token.word not in _ARTICLES or before not in _STARTS:
            continue
        # the verb may be a noun as well ("the tree chases"), so each end of the noun is tried
        for noun in range(article + 1, _end_of_noun(tokens, article)):
            verb = noun + 1
            while verb < len(tokens) and "ADV" in tokens[verb].readings:
                verb += 1
            if verb < len(tokens) and not tokens[verb].readings.isdisjoint(_FINITE):
                yield verb, noun


def _objects(tokens: Sequence[Token]) -> Iterator[tuple[int, int, int]]:
    """(verb, article, noun) for each article: the word before it, and the end of its noun."""
    for verb, (_, token) in enumerate(pairwise(tokens)):
        if token.word in _ARTICLES:
            yield verb, verb + 1, _end_of_noun(tokens, verb + 1) - 1


def _end_of_noun(tokens: Sequence[Token], article: int) -> int:
    """The place after "tree" in "the old oak tree", given that of "the"."""
    end = article + 1
    while end < len(tokens) and not tokens[end].readings.isdisjoint(_NOUN_OR_ADJECTIVE):
        end += 1
    return end
