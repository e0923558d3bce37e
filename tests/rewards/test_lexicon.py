"""What single words can be: stems, lemmas, known and everyday words, and their readings."""

import pytest

from corgi_gym.rewards.lexicon import is_everyday, is_known, lemmas, readings, stem, verb_lemmas


@pytest.fixture(scope="module", autouse=True)
def _loaded():
    """Without the tables, which the first words read, single tests are quick."""
    readings("seatbelts")
    is_everyday("dog")


def shown(found):
    return " ".join(sorted(found))


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("Dog's", "dog"),
        ("It\u2019S", "it"),
        ("BOYS\u2019", "boys"),
        ("boys'", "boys"),
        ("o'clock", "o'clock"),
    ],
)
def test_stem(word, expected):
    assert stem(word) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("Baskets", "basket baskets"),
        ("dog's", "dog"),
        ("ran", "ran run"),
        ("left", "leave left"),
        # the lexicon lacks the word, the list of graded words has its lemma
        ("earbuds", "earbud earbuds"),
        ("tasered", "taser tasered"),
        ("tasering", "taser tasering"),
        # nouns that we know ourselves
        ("selfies", "selfie selfies"),
        ("blorps", "blorps"),
        # two common words written as one, and their plural
        ("bookbag", "bookbag"),
        ("bookbags", "bookbag bookbags"),
        ("lampglass", "lampglass"),
    ],
)
def test_lemmas(word, expected):
    assert shown(lemmas(word)) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [("lay", "lay lie"), ("was", "be"), ("must", "must"), ("table", "table"), ("rivers", "")],
)
def test_verb_lemmas(word, expected):
    assert shown(verb_lemmas(word)) == expected


@pytest.mark.parametrize(
    ("word", "known"),
    [
        ("the", True),
        ("friendly", True),
        ("blorp", False),
        ("well-fed", True),
        ("well-blorp", False),
        ("blorp-fed", False),
        ("t-shirt", True),
        ("x-ray", False),
        ("antisemitism", True),  # of the largest band that counts
        # two common words of three letters or more
        ("bookbag", True),
        ("bagbook", True),
        ("oldown", True),
        ("inrest", False),
        ("oralso", False),
        ("basisat", False),
        ("blorpbag", False),
        ("characteristicsdog", True),  # the first of 15 letters
        ("responsibilitydogs", True),
        ("responsibilitiesdog", False),  # of 16
        ("brasseriedog", False),  # a word, but no common one
        # regular forms of what has others; the last are the lexicon's "casinoes" and "radar"
        *((word, False) for word in ("goed", "runned", "catched", "taked", "hurted", "feeded")),
        *((word, False) for word in ("childs", "womans", "postmans", "shelfs", "runing")),
        *((word, True) for word in ("casinos", "radars", "texted", "themed", "knitted")),
    ],
)
def test_known_words(word, known):
    assert is_known(word) is known


@pytest.mark.parametrize(
    ("word", "everyday"),
    [("alleyway", True), ("Alleyway's", True), ("abstain", False), ("blorp", False)],
)
def test_everyday_words_are_twenty_times_in_the_news(word, everyday):
    assert is_everyday(word) is everyday


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        # words of the closed classes have none, but for adverbs
        ("the", ""),
        ("of", ""),
        ("quickly", "ADV"),
        ("very", "ADV"),
        ("ago", "ADV"),
        ("only", "ADV"),
        ("inside", "ADJ ADV Nm Ns"),  # of both kinds
        # words with hyphens: an adjective, or what the last part names
        ("well-fed", "ADJ"),
        ("runs-in", "ADJ"),
        ("ice-cream", "ADJ Nm Ns"),
        ("x-rays", "ADJ Np"),
        ("side-by-side", "ADJ Ns"),
        # number
        ("baskets", "Np"),
        ("basket", "Ns"),
        ("knives", "Np"),
        ("sheep", "Nm Np Ns"),
        ("people", "Np"),
        ("team", "Np Ns"),
        ("clothes", "Np VBZ"),
        ("sundays", "Np"),
        ("seatbelt", "Ns"),
        ("seatbelts", "Np"),
        # nouns that need no article
        ("music", "Nm Ns"),
        ("kindness", "Nm Ns"),
        ("politics", "Nm Ns"),
        ("bamboo", "Nm Ns"),  # hardly ever in the plural
        ("play", "Nm Ns VB VBP"),  # listed
        ("derision", "Nm Ns"),  # five times in the news, and never in the plural
        ("dingo", "Ns"),  # four times: too rare to be judged
        ("discontent", "ADJ Ns"),  # one plural to fifty singulars
        ("back", "ADJ ADV Nm Ns VB VBP"),  # one or two to a hundred
        ("postman", "Ns"),  # not written "postmans", but "postmen"
        # verbs in the lexicon that the tagger has often seen as nouns
        ("pan", "Ns"),
        ("walking", "Ns VBG"),
        ("entered", "Ns VBD VBN"),
        ("waiting", "VBG"),
        ("retreat", "VB VBP"),
        # verb forms
        ("took", "VBD"),
        ("used", "ADJ VBD VBN"),
        ("puts", "VBZ"),
        ("having", "VBG"),
        ("knitted", "VBD VBN"),  # a second form, which the table of forms leaves out
        ("knits", "VBZ"),
        ("leaped", "VBD VBN"),
        ("taught", "VBD VBN"),
        ("homered", "VBD VBN"),
        # only forms that are no noun are trusted of verbs that are rare
        ("bottle", "Ns"),
        ("bottles", "Np"),
        ("bottled", "VBD VBN"),
        ("position", "Ns VB VBP"),  # not so rare
        ("weather", "Nm Ns VB VBP"),
    ],
)
def test_readings(word, expected):
    assert shown(readings(word)) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("bottle", "Ns VB VBP"),
        ("bottles", "Np VBZ"),
        ("people", "Np VB VBP"),
        ("homered", "VBD VBN"),
    ],
)
def test_a_rare_verb_is_one_where_the_tagger_reads_it_so(word, expected):
    assert shown(readings(word, tagged_verb=True)) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("bottled", ""),
        ("bottle", "Ns"),
        ("homered", ""),
        ("stir", "VB VBP"),  # rarely a noun
        ("good", "ADJ"),
        ("walk", "Ns VB VBP"),  # a noun as well
        ("basket", "Ns"),
        ("position", "Ns VB VBP"),
    ],
)
def test_strict_readings_are_those_of_everyday_use(word, expected):
    assert shown(readings(word, strict=True)) == expected
