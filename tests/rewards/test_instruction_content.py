# ruff: noqa: SIM905  lists of words
"""The content floor at its limits: what counts as prose, padding, copying, being on the subject.

Every pair of cases stands just inside and just outside one limit. ``xqz`` is no word of any
language; "the" and "and" are function words, the others here are plain English nouns and verbs.
"""

import pytest

from corgi_gym.rewards.instructions.floor import content_problem
from corgi_gym.rewards.instructions.prose import is_prose
from corgi_gym.rewards.instructions.reply import Reply
from corgi_gym.rewards.instructions.vocabulary import stem

NOUNS = (
    "river bridge stone garden window door house table chair water mountain forest bird horse "
    "flower street winter summer morning evening music picture letter kitchen doctor farmer sailor"
).split()


def content(reply, known="", topic=(), least=0, copies=0):
    """(kind, message) of what is missing, or None."""
    found = content_problem(Reply(reply), known, topic, least, copies)
    return found and (found.kind, found.message)


def prose(text):
    return is_prose(text, Reply(text).lower_words)


# ---------------------------------------------------------------- prose

_POEM = "the river runs fast\n" + "\n" * 5 + "\té\r"
_ODD = "the river runs fast and the old bridge stands stil"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # one function word is enough for seven words, eight need two
        ("the river bridge stone garden window door", True),
        ("the river bridge stone garden window door house", False),
        ("the river and stone garden window door house", True),
        # 8 % of the words are function words: 2 of 25, not 2 of 26
        (" ".join(["the river and bridge", *NOUNS[:21]]), True),
        (" ".join(["the river and bridge", *NOUNS[:22]]), False),
        # 60 % of the words are known: 3 of 5, not 3 of 6
        ("the river runs xqz xqz", True),
        ("the river runs xqz xqz xqz", False),
        # numbers are not looked up
        ("the river and bridge 12 34 56 78 90", True),
        # words of other languages are known
        ("the river and und nicht xqz", True),
        ("the river and xqz xqz xqz", False),
        # a word with hyphens is known by its parts
        ("the river-bridge stone-garden window-door", True),
        ("the river-bridge stone-xqz window-xqz", False),
        ("the river runs fast river-xqz stone-xqz window-xqz", False),
        # contractions and possessives are known
        ("the river's dog's horse's", True),
        ("the xqz's xqz's horse's", False),
        # four words in a row, of which three are known, with and without a function word
        ("the river runs | the bridge stands", False),
        ("the river runs fast | the bridge stands", True),
        ("the river xqz xqz | the bridge stone | the garden window", False),
        ("the river runs xqz | the bridge stone | the garden window", True),
        ("it is what it is", False),
        ("it is what it was, and stone", True),
        ("river bridge stone garden | the and", False),
        # a slash or a dash stands between two words; other signs end the row
        ("the river/bridge runs", True),
        ("the river--bridge runs", True),
        ("the river=bridge runs fast", False),
        ("\u00abthe \u201eriver\u201c, (bridge) runs!\u00bb", True),
        # control characters: one in 50 characters is a slip, one in 49 is not
        (_ODD[:48] + " \x01", True),
        (_ODD[:47] + " \x01", False),
        # the white space of lines and tables is none, with letters outside ASCII too
        (_POEM, True),
        # private signs and halves of pairs as well, in a text that is not ASCII
        ("the river runs fast \ue000\ue000", False),
        ("the river runs fast \ud800\ud800", False),
        # the first 4,000 characters are looked at: 80 control characters are 2 % of them
        ("\x01" * 80 + " the river runs fast" * 196 + "\x01" * 80, True),
        ("\x01" * 81 + " the river runs fast" * 300, False),
    ],
    ids=lambda value: repr(value)[:60],
)  # fmt: skip
def test_english_prose(text, expected):
    assert prose(text) is expected


def test_the_place_where_control_characters_stop_to_count():
    text = "\x01" * 80 + (" the river runs fast" * 200)[:3_920] + "\x01"
    assert len(text) == 4_001
    assert prose(text)
    assert not prose("\x01" + text)


def test_of_160_words_every_second_is_looked_up():
    start = "the river and bridge".split()
    words = start + [("xqz", "the")[i % 2 == 0] for i in range(4, 160)]
    assert prose(" ".join(words))  # each second one is a word
    assert not prose(" ".join(words[:159]))  # of all of them, half are


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # German: one small word will do for seven words, eight need two, and four words in a row
        ("und xqz xqz xqz xqz xqz xqz", True),
        ("und xqz xqz xqz xqz xqz xqz xqz", False),
        ("und xqz xqz xqz xqz xqz xqz nicht", True),
        ("und nicht xqzxqz = sich auch xqz", False),
        # a language with a script of its own, or a script that is not told apart, is prose as it is
        ("дом и река и мост не здесь", True),
        ("집은 강 가까이에 있고 우리는 매일 친구들과", True),
        ("το σπίτι είναι κοντά στο ποτάμι " * 3 + "και", True),
        ("το σπίτι είναι κοντά στο ποτάμι " * 4, True),
        ("我家在河边。春天,花开了,鸟也来了。夏天,孩子们在河里游泳。" * 4, True),
        # Latin letters outside ASCII: too short to tell with 19 words, not with 20
        ("éxqz " * 19, True),
        ("éxqz " * 20, False),
        # words that join scripts, or letters and signs: half of four are too many, not of three
        ("the aя bя river", False),
        ("the aя river bridge stone", True),
        ("the aя bя river bridge stone", True),
        ("aя bя cя", True),
        ("la² ma² of river", False),
    ],
    ids=lambda value: repr(value)[:60],
)  # fmt: skip
def test_prose_in_other_languages(text, expected):
    assert prose(text) is expected


# ---------------------------------------------------------------- words and padding

FEW = "The reply has only {}. Answer in at least one sentence."
NO_PROSE = "The reply is not made of sentences with real words. Write real sentences."
OVER = 'The reply repeats "{}" over and over. Write something that goes on.'


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        ("Rivers run.", FEW.format("2 different words")),
        ("The river, the river runs.", FEW.format("3 different words")),
        ("The river runs fast.", None),
        ("xqz xqb xqd xqf", NO_PROSE),
        # twenty letters outside ASCII may be a word or two, more may be a text without spaces
        ("我" * 20, FEW.format("1 different word")),
        ("我" * 21, None),
        # of JSON, what stands in its strings
        ('{"the": "river"}', FEW.format("2 different words")),
        ('["the river runs fast"]', None),
        ('```json\n{"the": "River", "The": "river runs"}\n```', FEW.format("3 different words")),
        ('{"the river": 1, runs', None),
        # a string alone is no JSON: here stands the word "tthe"
        (r'"The river\tthe"', FEW.format("3 different words")),
    ],
)
def test_words_of_a_reply(reply, message):
    found = content(reply)
    assert found == (message and ("content", message))


EIGHTY = " ".join(f"the {word} and" for word in NOUNS[:27]).split()[:80]


@pytest.mark.parametrize(
    ("reply", "chain"),
    [
        # one word of four parts hides three, which is fine, and one of five hides four
        ("The bridge is by the river-stone-garden-window.", None),
        ("The bridge is by the river-stone-garden-window-door.", "river-stone-garden-window-door"),
        ("The bridge is by the river\u2011stone'garden\u2019window-door.",
         "river\u2011stone'garden'window-door"),
        ("We play rock-paper-scissors by the river. In rock-paper-scissors nobody loses.", None),
        ("We play rock-paper-scissors and river-stones-game.", "rock-paper-scissors"),
        # small words: no chain up to four parts
        ("My mother-in-law has a state-of-the-art door and a jack-in-the-box.", None),
        ("It is an up-and-down-and-up road by the river.", "up-and-down-and-up"),
        ("C'est-à-dire que l'arc-en-ciel est vis-à-vis de la maison.", None),
        ("The bridge was built on 2024-01-05, and its number is 555-12-34-56-78.", None),
        # a twentieth of the words may be hidden
        (" ".join([*EIGHTY[:79], "in-and-out-of-it"]), None),
        (" ".join([*EIGHTY[:78], "in-and-out-of-it"]), "in-and-out-of-it"),
    ],
)  # fmt: skip
def test_chains_of_words(reply, chain):
    assert content(reply) == (chain and ("content", f'Write the words of "{chain}" apart.'))


_CHORUS = "the river runs"
_VERSES = "a farmer has one old horse and a sailor has two small boats by his green house"


@pytest.mark.parametrize(
    ("reply", "repeated"),
    [
        # nothing is padding below 20 words
        ("The river runs on. " * 4 + "We saw it.", None),
        ("The river runs on. " * 4 + "We all saw it.", "the river runs on"),
        # 12 of 24 words are half, and not more; 12 of 23 are
        (f"{_CHORUS}\n" * 4 + " ".join(_VERSES.split()[:12]), None),
        (f"{_CHORUS}\n" * 4 + " ".join(_VERSES.split()[:11]), _CHORUS),
        # twice is no padding, three times are
        ("the old river runs by the green garden of a small house\n" * 2 + "and so\nit was",
         None),
        ("the old river runs by the green garden\n" * 3 + "and so it was", "the old river runs by "
         "the green garden"),
        ("The old river runs by the green garden. " * 3, "the old river runs by the green garden"),
        # in four lines each line is a piece, in three each sentence is
        ("The river runs. A farmer\nhas a horse. The river runs. So\nthe sailor has a boat. The "
         "river runs. The river runs.", "the river runs"),
        ("The river runs. A farmer\nhas a horse. The river runs. So\nthe sailor has a boat. The "
         "river runs.\nThe river runs. And it is so.", None),
        # of two lines that stand there equally often, the last by the alphabet
        ("a farmer sings\nthe old river runs by the green garden\n" * 3, "the old river runs by "
         "the green garden"),
        ("the farmer sings\na very old river runs by the green garden\n" * 3, None),
    ],
    ids=lambda value: repr(value)[:60],
)  # fmt: skip
def test_padding(reply, repeated):
    assert content(reply) == (repeated and ("content", OVER.format(repeated)))


def test_three_word_runs_are_fresh_enough():
    seven = "the river runs by a green house "
    assert content((seven * 4)[: 3 * len(seven)] + "the") is None  # 7 of 20 runs are 35 %
    six = "the river runs by a house "
    found = content(six * 3 + "the river runs by")  # 6 of 20
    assert found == ("content", OVER.format("the river runs"))


# ---------------------------------------------------------------- words of its own

COPY = ("content", "The reply only repeats the request. Answer it in words of your own.")
ASKED = "tell us why the old stone bridge crosses a river near that green mountain village today"
COPIED = " ".join(["the river and a bridge by the stone", *NOUNS[3:15]])


@pytest.mark.parametrize(
    ("reply", "copied"),
    [
        # six words in a row are copied, and four more are needed; five in a row are not
        ("why the old stone bridge crosses sailors and farmers", True),
        ("why the old stone bridge crosses for sailors and farmers", False),
        ("why the old stone bridge for sailors and", False),
        # runs that overlap are counted once: 16 copied words, and four of twenty are a fifth
        (f"{ASKED} for sailors and farmers", False),
        # seven words need one that the request has not, eight need two
        ("near that village a bridge helps sailors", False),
        ("near that village the river bridge crosses today", True),
        ("near that mountain village a bridge helps sailors", False),
        ("near that village a stone bridge crosses winter", True),
        ("near that village a bridge crosses winter", False),
        # four words of the request are no answer
        ("a river near village", True),
        # words of feedback and numbers are none of its own
        ("near that village sentences paragraphs the bridge", True),
        ("near that village 12 34 the bridge", True),
    ],
)
def test_what_is_copied(reply, copied):
    assert content(reply, known=ASKED) == (COPY if copied else None)


def test_a_fifth_of_the_words_is_its_own():
    own = "for old sailors who sing"
    assert len(COPIED.split()) == 20
    assert content(f"{COPIED} {own}", known=COPIED) is None  # 5 of 25
    longer = f"{COPIED} the"
    assert content(f"{longer} {own}", known=longer) == COPY  # 5 of 26


def test_words_that_an_instruction_asks_to_copy_are_not_counted():
    reply = f"{COPIED} {COPIED} for old sailors who sing"
    assert content(reply, known=COPIED) == COPY
    assert content(reply, known=COPIED, copies=40) is None
    assert content(reply, known=COPIED, copies=41) is None  # 4 are left
    assert content(reply, known=COPIED, copies=42) == COPY  # 3 are left


BLOG = (
    "The world is a beautiful place. The sun is shining, the birds are singing, and the flowers "
    "are blooming. It's a perfect day to go outside and enjoy all that nature has to offer."
)
REWRITE = (
    f'Rewrite the following blog as a list of exactly 4 bullet points: "{BLOG}" Use no commas.'
)


@pytest.mark.parametrize(
    ("reply", "copied"),
    [
        ("* The world is a beautiful place.\n* The sun is shining and the birds are singing.\n"
         "* The flowers are blooming.\n* It's a perfect day to go outside and enjoy all that "
         "nature has to offer.", False),
        ("* The world is a beautiful place\n* The sun is shining, the birds are singing, and the "
         "flowers are blooming\n* It's a perfect day to go outside\n* Enjoy all that nature has to "
         "offer", False),
        # a short summary needs no list
        ("The world is a beautiful place. It's a perfect day to go outside.", False),
        # the request, the text itself, with marks and with one word more
        (REWRITE, True),
        (BLOG, True),
        ("* " + "\n* ".join(BLOG.split(". ")), True),
        ("* a\n* " + "\n* ".join(BLOG.split(". ")), True),
        # not a list, and too long for a summary
        ("The world is a beautiful place. The birds are singing, and the flowers are blooming. "
         "It's a perfect day to go outside and enjoy all that nature has to offer.", True),
        # what the request says around the text, and the text's words in another order
        ("* Rewrite the following blog as a list\n* The world is a beautiful place\n* The sun is "
         "shining", True),
        ("".join(f"* {' '.join(BLOG.split()[i::4])}\n" for i in range(4)), True),
    ],
    ids=lambda value: repr(value)[:50],
)  # fmt: skip
def test_a_text_that_was_quoted_to_be_rewritten_may_be_used(reply, copied):
    assert content(reply, known=REWRITE) == (COPY if copied else None)
    assert content(reply, known=REWRITE.replace("Rewrite", "Explain")) == COPY


# ---------------------------------------------------------------- the subject

FIVE = ["violin", "piano", "guitar", "trumpet", "cello"]


@pytest.mark.parametrize(
    ("topic", "least", "message"),
    [
        (["river"], 1, None),
        (["rivers", "farms"], 2, None),
        (["rivers", "violin"], 1, None),
        (["rivers", "violin"], 2, 'The reply does not mention "violin". Write about the request.'),
        (["river", "rivers"], 2, None),  # one subject
        (["violin"], 0, 'The reply hardly mentions "violin". Write about what the request asks '
         "for."),
        (FIVE, 1, 'The reply does not mention "violin", "piano", "guitar" or "trumpet". Write '
         "about the request."),
        (FIVE, 0, 'The reply hardly mentions "violin", "piano", "guitar" or "trumpet". Write '
         "about what the request asks for."),
        ([], 3, None),
    ],
)  # fmt: skip
def test_subjects_are_mentioned(topic, least, message):
    found = content("The river runs by the old farm.", topic=topic, least=least)
    assert found == (message and ("subject", message))


@pytest.mark.parametrize(
    ("reply", "named"),
    [
        ("Dragonflies circled the yacht all morning long.", "dragonfly"),
        ("He saw fireflies by the old river.", "firefly"),
        ("Two walruses sleep on the ice.", "walrus"),
        ("The octopuses hide under a stone.", "octopus"),
        ("He eats a berry in the garden.", "berries"),
        ("A knife lies on the table.", "knives"),
        ("It has a parrot-like voice and sings.", "parrot"),
        ("We walked over the river-bridge at noon.", "bridge"),
        ("Le jardin est calme, et l'horloge sonne midi.", "horloge"),
        ("Abito su un\u2019isola e sono felice.", "isola"),
    ],
)
def test_every_form_of_a_subject_is_a_mention(reply, named):
    assert content(reply, topic=[named], least=1) is None


@pytest.mark.parametrize(
    ("reply", "named"),
    [
        ("The bridgehead is near the old river.", "bridge"),
        ("He flies to the old river today.", "dragonfly"),
        ("The cation is in the old river.", "cat"),
    ],
)
def test_a_part_of_a_longer_word_is_no_mention(reply, named):
    found = content(reply, topic=[named], least=1)
    assert found == ("subject", f'The reply does not mention "{named}". Write about the request.')


def test_a_word_of_joined_words_is_one_mention():
    """Or "river-river-river" would pay for a hundred and fifty other words."""
    lines = " ".join(f"the {word} and" for word in NOUNS[1:26])
    text = f"{lines} {' '.join(sorted(NOUNS[1:25]))} river-river-river"
    assert content(text, topic=["river"], least=1) is None
    found = content(f"{text} lamps", topic=["river"], least=1)
    assert found and found[1].startswith('The reply hardly mentions "river"')


def test_one_mention_for_fifty_words():
    """Function words, and words that an instruction asks to copy, need no mention."""
    lines = " ".join(f"the {word} and" for word in NOUNS[:25])
    fifty = f"{lines} {' '.join(sorted(NOUNS[:25]))}"
    once = fifty.replace("river", "lantern", 1)
    assert [text.count("river") for text in (fifty, once)] == [2, 1]
    hardly = (
        "subject",
        'The reply hardly mentions "river". Write about what the request asks for.',
    )
    assert content(once, topic=["river"], least=1) is None
    assert content(f"{once} lamps", topic=["river"], least=1) == hardly
    assert content(f"{once} lamps", topic=["river"], least=1, copies=1) is None
    assert content(f"{fifty} lamps", topic=["river"], least=1) is None


# ---------------------------------------------------------------- stems


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("surprisingly", "surpris"), ("allegedly", "alleg"), ("buildings", "build"),
        ("cities", "cit"), ("city", "cit"), ("babies", "bab"), ("baby", "bab"),
        ("bakeries", "baker"), ("bakery", "baker"),  # one ending, and not "er" after it
        ("eggs", "egg"), ("egg", "egg"), ("stopped", "stop"), ("glasses", "glas"),
        ("trees", "tre"), ("tree", "tre"),
        ("enrolling", "enrol"), ("kangaroo", "kangaroo"),
        ("window", "window"), ("house", "hous"), ("sing", "sing"), ("bus", "bus"), ("used", "used"),
        ("taxi", "tax"), ("boys", "boy"), ("day", "day"), ("Farmers'", "farm"),
        ("Fox\u2019s", "fox"),
        ("flying", "fly"), ("a", "a"), ("", ""),
    ],
)  # fmt: skip
def test_stems(word, expected):
    assert stem(word) == expected
