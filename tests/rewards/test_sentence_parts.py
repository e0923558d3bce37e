"""The parts below the sentence check, each on its own: word pairs, tagger, recogniser, sense."""

import random
from pathlib import Path

import pytest
from denckring_en_pos import tagger

from corgi_gym.rewards import _tagger
from corgi_gym.rewards._adjacency import clash
from corgi_gym.rewards._recogniser import Recogniser, Token, bits, memo, memo_if, openings
from corgi_gym.rewards._sense import nonsense
from corgi_gym.rewards._tagger import tags
from corgi_gym.rewards.sentence import examine, tokenise

NATURAL = (Path(__file__).parent / "data" / "natural.txt").read_text().splitlines()


@pytest.fixture(scope="module", autouse=True)
def _loaded():
    """Without the tables, which the first sentence reads, single tests are quick."""
    examine("Warm up the lexicon first.")


# ---------------------------------------------------------------- pairs of words

# A line for each rule; every class of words that it refuses has a pair of its own.
IMPOSSIBLE = """
the at | the across | a he | my me | the is | its because | a who | the and | the ,
the not | with not | of never | an when
the a | the his | our some
his he | his is | his the | his not | her which
of have | with because | of and | of , | from by | with by
of in | on in
in he | across she | in is | across not | on who
to at | to across | to because | to who | to and
he of | she in | he me | we the | they his
me him | us am
very of | very on | very he | very me | very because | very that | very is
very and | very , | very the | very not
and or | but which
because is | while because | if and | though who | because to
when is | as because | when of
who and | which because | who of | which on | who me | which not
that and | that of | that which
is because | did which
not he | not is | not who | not and
it me | it he | it who
, ,
"""
POSSIBLE = """
the cat | the very | his own | her old | of the | from in | on top | in which | in have | to the
he is | she not | me the | very old | and the | but he | because he | when he | as the | who is
which he | that is | that the | is the | is not | not the | never on | it is | it on | cat ,
cat and | from under | who have | that on | to her | very few | , and | , he
her the | her not | her she | her was | him he | them they | them are | it a | it his | at that
of that | as if | that if | that when | that because | never is | not that | not have
"""


def _pairs(text):
    return [pair.split() for pair in text.strip().replace("\n", "|").split("|")]


@pytest.mark.parametrize("pair", _pairs(IMPOSSIBLE), ids=" ".join)
def test_impossible_pairs(pair):
    assert clash([*pair, "cat"]) == 0
    assert clash(["cat", *pair, "cat"]) == 1


@pytest.mark.parametrize("pair", _pairs(POSSIBLE), ids=" ".join)
def test_possible_pairs(pair):
    assert clash([*pair, "cat"]) is None


@pytest.mark.parametrize(
    "words",
    ["and so do i", "nor can she", "taller than he", "as tall as i", "the cat did not", "it is not",
     "the boy she plays with is here", "what are you looking at"],
)  # fmt: skip
def test_what_stands_at_an_end_after_all(words):
    assert clash(words.split()) is None


@pytest.mark.parametrize("words", ["and so do he", "so i", "the cat not", "the boy with is here"])
def test_what_still_stands_at_no_end(words):
    assert clash(words.split()) is not None


def test_what_a_sentence_does_not_end_with():
    for word in ("the", "whose", "because", "and", "so", "he", "of", "because", "not", ","):
        assert clash(["cat", "cat", word]) == 2, word
        assert clash([word]) == 0, word
    for word in ("cat", "him", "that", "is", "in", "very"):
        assert clash(["cat", word]) in (None, 1), word
    assert [clash(["cat", word]) for word in ("cat", "him", "that", "is", "in")] == [None] * 5
    assert clash([]) is None


# ---------------------------------------------------------------- the tagger


@pytest.mark.parametrize("number", range(6))
def test_tags_are_those_of_the_original(number):
    rng = random.Random(number)
    vocabulary = sorted(tagger().vocabulary)
    texts = [text.split() for text in NATURAL[40 * number : 40 * number + 25]]
    for words in [*texts, *(rng.sample(vocabulary, k) for k in (1, 2, 3, 5, 8, 13))]:
        count = rng.randrange(len(words) + 1)
        assert tags(words, len(words)) == tagger().tag(words)
        assert tags(words, count) == tagger().tag(words)[:count]


@pytest.mark.parametrize(
    "words", ["clawing nivine reward soaking rebecca", "imposing just studies platter kant 05:39"]
)
def test_where_two_labels_tie_the_original_decides(words, monkeypatch):
    asked, predict = [], type(tagger())._predict
    monkeypatch.setattr(
        type(tagger()), "_predict", lambda self, found: asked.append(1) or predict(self, found)
    )
    found = tags(words.split(), len(words.split()))
    assert len(asked) == 1
    assert found == tagger().tag(words.split())


def test_weights_are_exact_integers():
    """A feature's weights in thousandths, each in its own field."""
    weights = tagger().weights
    _, middles, layout = _tagger._fields()
    for feature in ("bias", *sorted(weights)[:50]):
        fields = layout.unpack((middles + _tagger._row(feature)).to_bytes(layout.size, "little"))
        exact = [1000 * weights.get(feature, {}).get(label, 0.0) for label in tagger().classes]
        assert [field - _tagger._MIDDLE for field in fields] == pytest.approx(exact, abs=1e-6)


# ---------------------------------------------------------------- the recogniser


def _recogniser(*words):
    """Each word with its readings after a slash: "dog/Ns"."""
    split = [word.partition("/")[::2] for word in words]
    return Recogniser([Token(word, frozenset(kinds.split("+")) - {""}) for word, kinds in split])


def _ends(*places):
    return sum(1 << place for place in places)


def test_the_places_in_a_set():
    assert list(bits(_ends(0, 3, 70))) == [0, 3, 70]
    assert list(bits(0)) == []


def test_one_token():
    found = _recogniser("the", "dog/Ns+VB", "barks/VBZ")
    assert found.is_word(0, ("a", "the")) == _ends(1)
    assert found.is_word(1, ("the",)) == 0
    assert found.is_a(1, "ADJ", "VB") == _ends(2)
    assert found.is_a(1, "VBZ") == 0
    assert found.is_a(0, "Ns") == 0
    # after the last word there is none, and no rule begins
    assert Recogniser([]).opens == [0]
    assert found.is_word(3, ("the",)) == 0
    assert found.is_a(3, "VBZ") == 0
    assert found.asks is False
    assert found.events is False


def test_a_token_by_default():
    """All rules are tried at it, and it may stand beside another one."""
    assert Token("a", frozenset()) == Token("a", frozenset(), frozenset(), False, -1)


def test_several_starts_at_once():
    found = _recogniser("a/Ns", "b/Np", "a/Np", "b/Ns")
    assert found.then_word(_ends(0, 1, 2), ("a",)) == _ends(1, 3)
    assert found.then_word(_ends(0, 2, 4), ("b",)) == 0
    assert found.then_word(0, ("a",)) == 0
    assert found.then_a(_ends(0, 1, 3), "Ns") == _ends(1, 4)
    assert found.then_a(_ends(0, 1, 3), "Ns", "Np") == _ends(1, 2, 4)
    assert found.then_a(0, "Ns") == 0
    assert found.maybe_word(_ends(0, 1), ("a",)) == _ends(0, 1)
    assert found.maybe_word(_ends(1, 2), ("a",)) == _ends(1, 2, 3)
    assert found.maybe_a(_ends(1, 3), "Ns") == _ends(1, 3, 4)


def test_a_rule_after_several_starts():
    found = _recogniser("a", "b", "a")
    assert found.then(_ends(0, 2), found.is_word, ("a",)) == _ends(1, 3)
    assert found.then(0, found.is_word, ("a",)) == 0
    assert found.maybe(_ends(0, 1), found.is_word, ("b",)) == _ends(0, 1, 2)


@pytest.mark.parametrize(
    ("rule", "arguments", "far"),
    [
        ("is_word", (0, ("a",)), 1),
        ("is_word", (0, ("b",)), 0),
        ("is_word", (2, ("c",)), 3),
        ("is_a", (1, "Np"), 2),
        ("is_a", (1, "Ns"), 0),
        ("then_word", (_ends(0, 1), ("a", "b")), 2),
        ("then_word", (_ends(0, 1), ("a", "c")), 1),
        ("then_a", (_ends(0, 2), "Ns"), 3),
        ("then_a", (_ends(0, 1), "Ns"), 1),
    ],
)
def test_how_far_an_analysis_came(rule, arguments, far):
    found = _recogniser("a/Ns", "b/Np", "c/Ns")
    getattr(found, rule)(*arguments)
    assert found.far == far
    found.is_word(0, ("a",))  # never comes back
    found.then_word(_ends(0), ("a",))
    found.then_a(_ends(0), "Ns")
    assert found.far == max(1, far)


class _Rules(Recogniser):
    """Rules that count how often they are asked."""

    asked = 0

    @memo
    def pair(self, i: int, step: int) -> tuple[int, int]:
        """Left recursive: it asks for itself at the same place."""
        self.asked += 1
        assert self.pair(i, step) == (0, 0)
        return 1 << i, step

    @memo_if(("a",), "Ns")
    def name(self, i: int) -> int:
        self.asked += 1
        assert self.name(i) == 0
        return 2 << i

    @memo_if((), "Np")
    def names(self, i: int, step: int) -> int:
        self.asked += 1
        return step << i


def _opened(*words):
    return [Token(w, frozenset(k), opens=openings(w, frozenset(k))) for w, *k in words]


def test_rules_are_asked_once_for_the_same_place_and_arguments():
    rules = _Rules(_opened(("a",), ("b", "Ns"), ("c", "Np")))
    for _ in range(2):
        assert rules.pair(0, 5) == (1, 5)
        assert rules.pair(0, 6) == (1, 6)
        assert rules.names(2, 1) == 4
        assert rules.names(2, 2) == 8
        assert [rules.name(i) for i in range(4)] == [2, 4, 0, 0]
    assert rules.asked == 6
    assert _Rules([]).known is not rules.known


def test_a_rule_begins_with_its_words_and_readings():
    known = _Rules(_opened(("a",), ("b", "Ns"), ("c", "Np"), ("d",)))
    assert [known.names(i, 1) for i in range(5)] == [0, 0, 4, 0, 0]
    everywhere = _Rules([Token(word, frozenset()) for word in "ad"])
    assert [everywhere.name(i) for i in range(3)] == [2, 4, 0]


# ---------------------------------------------------------------- words into tokens


def _shown(text, apart=()):
    """Each token with its readings, those with a mark that have to stand apart."""
    return " ".join(
        f"{token.word}{'!' * token.apart}/{'+'.join(sorted(token.readings))}"
        for token in tokenise(text, apart)[0]
    )


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("He's Emma's", "he/ 's/ emma/NAMEPOSS"),
        ("HE'S the dog\u2019s", "he/ the/ dog/POSS"),
        ("the dogs' children's", "the/ dogs/POSS+POSSp children/POSS+POSSp"),
        ("didn't let's", "did/VBD n't/ let/VB+VBD+VBN+VBP 's/"),
        ("music's happy's", "music/POSS+POSSp happy/"),
        ("2 dogs, 17", "two/NAME dogs/Np ,/ two/NAME"),
        ("Emma saw New York", "emma/NAME saw/Nm+Ns+VB+VBD+VBP new/ADJ+NAME york/NAME"),
        ("New York", "new/ADJ york/NAME"),
        ("the blorp Blorp", "the/ blorp/ blorp/NAME"),
        ("well-fed half-dogs", "well-fed/ADJ half-dogs/ADJ+Np"),
    ],
)
def test_tokens(text, tokens):
    assert _shown(text) == tokens


def test_given_words_are_read_strictly():
    assert _shown("a carry knife bottles") != _shown("a carry knife bottles", ["carry", "knife"])
    assert _shown("a carry", ["carry"]) == "a/ carry!/VB+VBP"
    assert _shown("carried dogs", ["carry", "dog"]) == "carried!/VBD+VBN dogs!/Np"


@pytest.mark.parametrize(
    ("text", "apart", "message"),
    [
        ("The man kicked a soccer ball.", "soccer ball",
         'Do not put given words side by side: "soccer ball".'),
        ("Soccer ball hat.", "soccer ball", 'Do not put given words side by side: "Soccer ball".'),
        ("Hat soccer ball.", "soccer ball", 'Do not put given words side by side: "soccer ball".'),
        ("The hat soccer ball.", "hat ball", 'Your sentence has no verb.'),
        ("The dog chased ball the park.", "chase ball", 'Write "a" or "the" before "ball".'),
        ("The father roasts marshmallow.", "roast marshmallow",
         'Write "a" or "the" before "marshmallow".'),
        ("The ball slept park.", "ball sleep", 'The sentence goes wrong at "park".'),
        ("The man kicked a soccer ball.", "soccer man", None),
        ("The man kicked a soccer ball.", "ball man", None),
    ],
)  # fmt: skip
def test_given_words_side_by_side_are_named_first(text, apart, message):
    found = [problem.message for problem in examine(text, apart.split()).problems]
    assert found == ([] if message is None else [message])


# ---------------------------------------------------------------- sense


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("the tree chases a boy", "No tree can chase anything."),
        ("trees and the tree chases a boy", None),  # a clause after "and" is not looked at
        ("he ran when the tree chases him", "No tree can chase anything."),
        ("he ran from the tree chases him", None),
        ("the tree chases", None),
        ("the tree chases boys", None),
        ("the tall old tree chases a boy", "No tree can chase anything."),
        ("the tree slowly and chases a boy", None),
        ("the tree very slowly chases a boy", "No tree can chase anything."),
        ("the tree very", None),
        ("the tree", None),
        ("the", None),
        ("the dog chases a boy", None),
        ("the tree shades a boy", None),
        ("he threw the farm", "Nobody can throw the farm."),
        ("he threw My old farm", "Nobody can throw my farm."),
        ("he threw the old", None),
        ("he threw the", None),
        ("he threw the farm ball", None),
        ("he threw the summer quickly", "Nobody can throw the summer."),
        ("he threw farm", None),
        ("he threw the very farm", None),
        ("his pockets ran out of milk", None),
        ("he visits the farm", None),
        ("he sang out of town",
         'Leave out the part "out of ...": nobody can sing anything out of that.'),
        ("he sang out of", None),
        ("he sang out from town", None),
        ("he sang up of town", None),
        ("he ran out of town", None),
        ("out of town he sang", None),
        ("he and the boy out of town", None),
        ("he ran out of pockets",
         'Leave out the part "out of ...": nobody can run anything out of that.'),
        ("he ran out of his old mind",
         'Leave out the part "out of ...": nobody can run anything out of that.'),
        ("he fell out of his pocket", None),
        ("he ran home and sang out of town", None),  # one fitting verb is enough
        ("he sang and painted out of town",
         'Leave out the part "out of ...": nobody can paint anything out of that.'),
        ("the run out of town", None),  # no verb: a noun after its article
        ("the old run out of town", None),
    ],
)  # fmt: skip
def test_nonsense(text, message):
    assert nonsense(*tokenise(text)) == message
