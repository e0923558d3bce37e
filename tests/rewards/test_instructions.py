# ruff: noqa: E501, RUF001, SIM905  replies in many scripts
"""Instruction kinds, strict mode, targets, feedback, robustness."""

import importlib.util
import json
import time
from pathlib import Path

import numpy as np
import pytest

from corgi_gym.envs.feedback import feedback
from corgi_gym.rewards import judge
from corgi_gym.rewards.instructions import (
    KINDS,
    conflicts,
    instruction_following,
    kind_names,
    read_target,
)
from corgi_gym.rewards.instructions._languages import NAMES, identify
from corgi_gym.rewards.instructions.reply import Reply
from corgi_gym.rewards.instructions.topic import needed, subject_words
from corgi_gym.rewards.instructions.vocabulary import stem
from corgi_gym.rewards.text import MAX_REPLY_CHARS

HERE = Path(__file__).parent
BLIND = json.loads((HERE / "data/blind_replies.json").read_text("utf-8"))


def _load(name):
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PAIRS = _load("instruction_pairs").PAIRS


def problem(kind, values, reply, mode="strict"):
    """What one check says, without the content floor."""
    row = {"kind": kind, "kwargs": values}
    read = read_target({"mode": mode, "instructions": [row]})
    return read.instructions[0].problem(Reply(reply), mode)


# ------------------------------------------------------------------ every kind


@pytest.mark.parametrize(
    "example", instruction_following.examples, ids=lambda e: f"{e.reply[:20]} {e.passes}"
)
def test_declared_examples(example):
    assert judge(instruction_following, example.reply, example.target).success is example.passes


def test_every_kind_has_pairs():
    assert set(PAIRS) == set(KINDS)
    assert len(kind_names(published=True)) == 25 and len(kind_names(published=False)) == 25
    for _, follow, do_not in PAIRS.values():
        assert len(follow) >= 3 and len(do_not) >= 3


@pytest.mark.parametrize("kind", PAIRS)
def test_replies_that_follow(kind):
    values, follow, _ = PAIRS[kind]
    for reply in follow:
        assert problem(kind, values, reply) is None, reply


@pytest.mark.parametrize("kind", PAIRS)
def test_replies_that_do_not(kind):
    values, _, do_not = PAIRS[kind]
    for reply in do_not:
        message = problem(kind, values, reply)
        assert message is not None, reply
        # full sentences: something was found, something is asked
        assert message[0].isupper() or message[0] in '"0123456789', message
        assert message[-1] in '.?!"' and "  " not in message and "\n" not in message
        assert 15 < len(message) < 330, message


@pytest.mark.parametrize(
    "relation, found, holds",
    [("less than", 2, True), ("less than", 3, False), ("at least", 3, True),
     ("at least", 2, False)],
)  # fmt: skip
@pytest.mark.parametrize(
    "kind, field, unit",
    [
        ("length_constraints:number_words", "num_words", "dog "),
        ("length_constraints:number_sentences", "num_sentences", "It is so. "),
        ("keywords:frequency", "frequency", "gold. "),
        ("keywords:letter_frequency", "let_frequency", "É z "),
        ("change_case:capital_word_frequency", "capital_frequency", "LOUD "),
    ],
)
def test_bounds(kind, field, unit, relation, found, holds):
    names = {
        "keywords:letter_frequency": ("let_relation", {"letter": "e"}),
        "keywords:frequency": ("relation", {"keyword": "gold"}),
        "change_case:capital_word_frequency": ("capital_relation", {}),
    }
    name, more = names.get(kind, ("relation", {}))
    assert (problem(kind, {field: 3, name: relation, **more}, unit * found) is None) is holds


@pytest.mark.parametrize(
    "kind, values, reply, reference, strict",
    [
        ("keywords:existence", {"keywords": ["cat"]}, "education", True, False),
        ("keywords:frequency", {"keyword": "war", "frequency": 2, "relation": "at least"},
         "award warm", True, False),
        ("keywords:forbidden_words", {"forbidden_words": ["rock"]}, "rock_solid", True, False),
        ("length_constraints:number_words", {"num_words": 2, "relation": "at least"}, "don't",
         True, False),
        ("length_constraints:number_sentences", {"num_sentences": 3, "relation": "at least"},
         "1. It rains. 2. Go on.", True, False),
        ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "a *** a", True, False),
        ("length_constraints:nth_paragraph_first_word",
         {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "sun"}, "a\n\n\n\nsun", False,
         True),
        ("detectable_content:number_placeholders", {"num_placeholders": 2}, "[][]", True, False),
        ("detectable_content:postscript", {"postscript_marker": "P.S."}, "stop.s. now", True,
         False),
        ("detectable_format:number_bullet_lists", {"num_bullets": 1}, "---", True, False),
        ("detectable_format:constrained_response", {}, "My answer is yes. My answer is no.", True,
         False),
        ("detectable_format:number_highlighted_sections", {"num_highlights": 1}, "2*3*4", True,
         False),
        ("detectable_format:multiple_sections", {"section_spliter": "Day", "num_sections": 2},
         "Day 9Day 9Day 9", True, False),
        ("detectable_format:json_format", {}, "NaN", True, False),
        ("detectable_format:title", {}, "<<*>>", True, False),
        ("combination:two_responses", {}, "a******b", True, False),
        ("combination:repeat_prompt", {"prompt_to_repeat": "Why?"}, "why?", True, False),
        ("startend:end_checker", {"end_phrase": "in India."}, "within India.", True, False),
        ("startend:quotation", {}, '""', True, False),
        ("change_case:capital_word_frequency",
         {"capital_frequency": 2, "capital_relation": "at least"}, "I A", True, False),
        ("detectable_format:constrained_response", {}, "My answer is yes. My answer is NO!", True,
         False),
        ("punctuation:no_comma", {}, "你，好", True, False),
    ],
)  # fmt: skip
def test_each_fix_of_strict_mode(kind, values, reply, reference, strict):
    assert (problem(kind, values, reply, "reference") is None) is reference
    assert (problem(kind, values, reply) is None) is strict


# ------------------------------------------------------------------ languages


def test_function_words_tell_languages_apart():
    texts = {
        "en": "The house is by the river and we have been there with our friends.",
        "de": "Das Haus steht an dem Fluss und wir sind oft mit unseren Freunden dort.",
        "fr": "La maison est au bord de la rivière et nous y sommes avec des amis.",
        "es": "La casa está cerca del río y nosotros vamos con los amigos todos los días.",
        "it": "La casa è vicino al fiume e noi ci andiamo con gli amici ogni giorno.",
        "pt": "A casa fica perto do rio e nós vamos com os amigos todos os dias.",
        "pl": "Dom jest nad rzeką i my tam często jesteśmy z naszymi przyjaciółmi.",
        "fi": "Talo on joen lähellä ja me olemme siellä usein, mutta nyt se on kylmä.",
        "vi": "Ngôi nhà ở gần sông và chúng tôi thường đến đó với những người bạn.",
        "sw": "Nyumba iko karibu na mto na sisi huenda huko pamoja na watu wote.",
        "ru": "Дом стоит у реки, и мы часто бываем там с друзьями, но не сегодня.",
        "uk": "Будинок стоїть біля річки, і ми часто буваємо там, але не сьогодні.",
        "bg": "Къщата е до реката и ние често сме там с приятели, но не и днес.",
        "ar": "البيت قريب من النهر ونحن نذهب إلى هناك مع الأصدقاء كل يوم في الصباح.",
        "fa": "خانه در کنار رودخانه است و ما هر روز با دوستان به آنجا می رویم.",
        "ur": "گھر دریا کے پاس ہے اور ہم ہر روز دوستوں کے ساتھ وہاں جاتے ہیں۔",
        "hi": "घर नदी के पास है और हम हर दिन दोस्तों के साथ वहाँ जाते हैं।",
        "mr": "घर नदीजवळ आहे आणि आम्ही रोज मित्रांसोबत तिथे जातो, पण आज नाही.",
        "ne": "घर नदीको छेउमा छ र हामी हरेक दिन साथीहरूसँग त्यहाँ जान्छौं तर आज छैन।",
        "ko": "집은 강 가까이에 있고 우리는 매일 친구들과 함께 그곳에 갑니다.",
        "ja": "家は川の近くにあり、私たちは毎日友達とそこへ行きます。",
        "th": "บ้านอยู่ใกล้แม่น้ำและเราไปที่นั่นกับเพื่อนทุกวัน",
        "he": "הבית נמצא ליד הנהר ואנחנו הולכים לשם עם חברים בכל יום.",
    }
    assert {code: identify(text) for code, text in texts.items()} == {c: c for c in texts}
    assert set(texts) < set(NAMES) and len(NAMES) == 30


@pytest.mark.parametrize("text", ["", "{}", "1 2 3", "!!!", "xq zt blorp fraggle wumpus dinkle"])
def test_no_language_is_none(text):
    assert identify(text) is None


# ------------------------------------------------------------------ the content floor

_HONEST = [
    ("Write a letter to a friend in all lowercase letters ask them to go and vote.",
     "hey there, i've been thinking a lot about the elections. every vote counts, so please take "
     "some time and go. best, your friend"),
    ("What is the name of the actor who played Gandalf in Lord of the Rings?",
     "The actor who played Gandalf is Sir Ian McKellen."),
    ("Write a resume for a fresh high school graduate who is seeking their first job.",
     "[Name]\n[Address]\nObjective: motivated high school graduate seeking an entry-level job.\n"
     "Skills:\n* teamwork\n* Microsoft Word\nReferences on request."),
    ("Is ballistics (the study of the motion of projectiles) an actual science?",
     "Yes. Ballistics applies physics to the motion of projectiles, so it is a real science."),
    ("Give me a poem about California.",
     "Golden hills of California,\nwhere the ocean meets the sky,\nold redwoods stand like "
     "soldiers\nand the years go slowly by."),
    ("Name 5 rivers in South America.",
     "Amazon, Orinoco, Paraná, Magdalena and São Francisco are five rivers of South America."),
    ("Erkläre mir bitte, warum der Himmel blau ist und das Meer nicht.",
     "Der Himmel ist blau, weil die Luft das blaue Licht stärker streut. Das Meer ist nur tief."),
    ("Write a JSON with two facts about whales.",
     '{"facts": ["Whales are mammals and they breathe air.", "A blue whale is very heavy."]}'),
    ("Write a song about a corgi named Chester who loves to play fetch.",
     "Oh Chester, oh Chester, run and fetch\nOh Chester, oh Chester, what a catch\nThe corgi with "
     "the stubby feet\nis chasing balls along the street\nOh Chester, oh Chester, run and fetch"),
    ("Write a rap about the abyss.",
     "YO, DOWN IN THE ABYSS WHERE THE LIGHT DON'T GO\nI SPIT MY RHYMES WHERE THE COLD WINDS BLOW"),
]  # fmt: skip


def _target(prompt, **more):
    topic = subject_words(prompt)
    rows = [{"kind": "count:word_range", "kwargs": {"low": 1, "high": 5000}}]
    return {
        "instructions": rows,
        "prompt": prompt,
        "topic": topic,
        "topic_least": needed(topic),
        **more,
    }


@pytest.mark.parametrize(("prompt", "reply"), _HONEST, ids=lambda text: text[:30])
def test_honest_replies_pass_the_floor(prompt, reply):
    verdict = judge(instruction_following, reply, _target(prompt))
    assert verdict.success, verdict.problems


def test_natural_sentences_are_real_words():
    lines = (HERE / "data/natural.txt").read_text("utf-8").splitlines()
    lines = [line for line in lines if len(line.split()) >= 6 and not line.startswith("#")]
    target = {"instructions": _target("x")["instructions"]}
    refused = [line for line in lines if not judge(instruction_following, line, target).success]
    assert len(lines) > 100 and len(refused) <= len(lines) // 100, refused[:10]


_RIVERS = _target("Explain to a visitor why old stone bridges cross mountain rivers.")
_GAMING = [
    "{}", "[]", "a", "yes", "no", "...", "!!!", "ok ok ok ok ok", "the the the the the the",
    "bridges", "bridges rivers", "stone bridges mountain rivers", "stone, bridges, rivers",
    "bridges " * 30, "rivers bridges " * 40, "rivers. " * 30, "The bridges. " * 30,
    "Explain to a visitor why old stone bridges cross mountain rivers.",
    "EXPLAIN TO A VISITOR WHY OLD STONE BRIDGES CROSS MOUNTAIN RIVERS.",
    "Explain to a visitor why old stone bridges cross mountain rivers. Sure.",
    "xqz blorp bridges fraggle wumpus rivers dinkle zorp mibble tunk",
    "qwrt zxcv bnmp stone lkjh gfds rivers poiu ytre wqas",
    "It is what it is and so it was.", "I would be happy to help you with that.",
    "I cannot help with that request.", "Here is the text that you asked for.",
    "This reply follows every instruction that was given.", "lorem ipsum dolor sit amet rivers",
    "word " * 300, "a " * 500, "Hello. " * 50, "hello world this is a test of the system",
    '""', '"a"', "<<a>>", "[name] [name] [name]", "*a* *b* *c* *d*", "P.S. a", "***", "******",
    "a ****** b", "1. a\n2. b\n3. c", "* a\n* b\n* c", "| a | b |\n|---|---|\n| c | d |",
    '{"a": "b"}', "```json\n{}\n```", "My answer is yes.", "SECTION 1\nSECTION 2", "\u200b" * 50,
    "\U0001f600" * 50, "# # # # # #", "e" * 500, "eeee oooo aaaa iiii uuuu", "Why? Why? Why? Why?",
    "Das ist ein schöner Tag und wir sind alle froh.", "The quick brown fox jumps over the dog.",
    "One two three four five six seven eight nine ten.", "river-bridge-stone-mountain",
]  # fmt: skip


@pytest.mark.parametrize("reply", _GAMING, ids=lambda text: text[:25])
def test_gaming_strings_do_not_pass(reply):
    verdict = judge(instruction_following, reply, _RIVERS)
    assert not verdict.success and verdict.score <= 0.25, verdict
    assert {p.kind for p in verdict.problems} & {"content", "subject", "empty"}


# A request without a subject: only the floor of real language stands between it and any string.
_OPEN = "Write a limerick. Don't use any commas in your entire reply.\n\nReply in real words."


def _open(*kinds):
    rows = [{"kind": kind} for kind in kinds or ("punctuation:no_comma",)]
    return {"mode": "strict", "instructions": rows, "prompt": _OPEN, "topic": [], "topic_least": 0}


@pytest.mark.parametrize("reply", [
    ")3.5\\the[INST]999or_Answer:3.5-json)the=1e9.-<aimport os",
    "\ud800 a \udc00 b 1 a \udfff the of",
    "\x0b\x01a\x02 the\x8c of\x9d and\x1e or",
    "a a a a a a", "the of and or not", "a 1 a\n1 a",
    "\ufeff\u202eK\u202e\xdf\u0130\xdfa\u2019\xb2\u202e\u3164\ufeff\u0301\u2028\u0663\u0130\u4e2d\xbd\xe9\xe9\u0130",
    'Group 1:\n$\n.\n1\nimport os\nAnswer:\n\\frac{1}{2}\nP.S.\njson\n-\n```\n"',
    " ".join(sorted(set(_OPEN.split()))), " ".join(reversed(_OPEN.split())),
    "\n".join(dict.fromkeys(_OPEN.split())),
    "You used 2 commas. Use no commas.", "The reply does not mention it. Write about the request.",
])  # fmt: skip
def test_without_a_subject_random_strings_and_copies_do_not_pass(reply):
    verdict = judge(instruction_following, reply, _open())
    assert not verdict.success and verdict.score == 0.0, verdict


@pytest.mark.parametrize("reply", [
    "A baker from Rome had a cat\nWho slept every night in his hat.",
    "Yes, limericks are fun.".replace(",", ""), "It rained and we stayed at home.",
    "There once was a man from Peru\nWho dreamed he was eating his shoe",
    "MY CAT SAT ON A MAT", "- Milk and bread\n- Two eggs from the shop next door",
    "Le chat dort sur la table et le chien est dans la maison.", "\u732b\u306f\u5bdd\u3066\u3044\u307e\u3059\u3002" * 3,
    "My caf\u00e9 \u2014 small and warm \u2014 opens at seven.",
    "O rio \u00e9 largo e as casas s\u00e3o velhas.", "H\u2082O and CO\u2082 are in my caf\u00e9 every day.",
])  # fmt: skip
def test_without_a_subject_honest_short_replies_pass(reply):
    verdict = judge(instruction_following, reply, _open())
    assert verdict.success, verdict.problems


def test_feedback_that_is_repeated_is_no_reply():
    """Whatever a first reply was told, telling it back is paid nothing."""
    rows = [{"kind": "detectable_format:title"}, {"kind": "punctuation:no_comma"}]
    target = {**_RIVERS, "instructions": rows}
    for first in ("{}", "What?", "One, two, three, and four.", "A day at the sea with my dog."):
        told = " ".join(p.message for p in judge(instruction_following, first, target).problems)
        for reply in (told, told.replace(",", ""), f"<<old stone bridges>> {told}"):
            assert not judge(instruction_following, reply, target).success, reply


def test_every_kind_answers_a_reply_without_words():
    """The floor asks them, to know what feedback says."""
    for kind, (values, _, _) in PAIRS.items():
        message = problem(kind, values, "")
        assert message is None or message[-1] in '.?!"', kind


def test_no_prompt_blind_string_is_on_the_subject():
    passing = [r for r in BLIND if judge(instruction_following, r, _RIVERS).success]
    assert len(BLIND) == len(set(BLIND)) == 200 and len(passing) <= 2, passing


def test_form_without_content_earns_little_and_content_without_form_its_share():
    rows = [
        {"kind": "punctuation:no_comma"},
        {"kind": "count:questions", "kwargs": {"number": 1}},
    ]
    target = {**_RIVERS, "instructions": rows}
    good = "Why do old bridges of stone cross the rivers here? They carry people and carts."
    assert judge(instruction_following, good, target).score == 1.0
    assert judge(instruction_following, good.replace("?", "."), target).score == 0.5
    assert judge(instruction_following, "Why do we sit here all day long?", target).score == 0.25
    assert judge(instruction_following, "What?", target).score == 0.0


def test_soup_of_subjects_is_too_thin():
    nouns = "harbor kettle violin tunnel garden engine glacier puppet saddle meadow".split()
    soup = " ".join(f"This part of the text is about the {a} near the {b}." for a in nouns
                    for b in nouns if a != b)  # fmt: skip
    target = _target("Write about a lantern.", topic=["lantern"], topic_least=1)
    assert not judge(instruction_following, f"{soup} A lantern.", target).success
    assert judge(instruction_following, "A lantern gives light to the harbor.", target).success


@pytest.mark.parametrize(
    "one, two",
    [("cats", "cat"), ("stories", "story"), ("quitting", "quit"), ("moved", "move"),
     ("Chester's", "chester"), ("running", "run"), ("happily", "happy"), ("players", "player")],
)  # fmt: skip
def test_stems_join_forms(one, two):
    assert stem(one) == stem(two)


def test_subject_words_leave_the_language_of_instructions_out():
    prompt = (
        "Write an email to my boss telling him that I am quitting. The email must contain a title "
        "wrapped in double angular brackets, i.e. <<title>>. Use [address] and no commas."
    )
    assert subject_words(prompt) == ["boss", "quitting"]


# ------------------------------------------------------------------ targets


@pytest.mark.parametrize(
    "target, names",
    [
        (None, "target"),
        ("no_comma", "target"),
        ([], "instructions"),
        ({"instructions": []}, "instructions"),
        ({"mode": "loose", "instructions": [{"kind": "punctuation:no_comma"}]}, "mode"),
        ({"rows": []}, "rows"),
        ([{"kind": "punctuation:no_colon"}], "punctuation:no_colon"),
        (["punctuation:no_comma"], "instruction 1"),
        ([{"kind": "punctuation:no_comma", "kwargs": {"n": 1}}], "'n'"),
        ([{"kind": "keywords:existence"}], "'keywords'"),
        ([{"kind": "keywords:existence", "kwargs": {"keywords": "cat"}}], "'keywords'"),
        ([{"kind": "keywords:existence", "kwargs": {"keywords": ["cat", ""]}}], "'keywords'"),
        ([{"kind": "count:lines", "kwargs": {"number": "3"}}], "'number'"),
        ([{"kind": "count:lines", "kwargs": {"number": True}}], "'number'"),
        ([{"kind": "count:lines", "kwargs": {"number": float("nan")}}], "'number'"),
        ([{"kind": "count:lines", "kwargs": [3]}], "'kwargs'"),
        ([{"kind": "length_constraints:number_words",
           "kwargs": {"num_words": 5, "relation": "more than"}}], "'relation'"),
        ([{"kind": "language:response_language", "kwargs": {"language": "xx"}}], "'language'"),
        ([{"kind": "keywords:letter_frequency",
           "kwargs": {"letter": "ab", "let_frequency": 1, "let_relation": "at least"}}],
         "'letter'"),
        ({"mode": "reference", "instructions": [{"kind": "count:lines",
                                                 "kwargs": {"number": 2}}]}, "count:lines"),
        ({"instructions": [{"kind": "punctuation:no_comma"}], "prompt": 3}, "'prompt'"),
        ({"instructions": [{"kind": "punctuation:no_comma"}], "topic": "river"}, "'topic'"),
    ],
)  # fmt: skip
def test_bad_targets_are_named(target, names):
    with pytest.raises(ValueError, match="row 7") as caught:
        read_target(target, "row 7")
    assert names in str(caught.value) or names == "target"
    assert judge(instruction_following, "Some reply here.", target).status == "unscored"


def test_none_counts_as_not_given_and_floats_as_integers():
    row = {"kind": "count:lines", "kwargs": {"number": 2.0, "keyword": None}}
    assert judge(instruction_following, "We are here now.\nSo are you.", [row]).success


def _row(kind, **values):
    return {"kind": kind, "kwargs": values}


@pytest.mark.parametrize(
    "rows",
    [
        [_row("change_case:english_capital"), _row("change_case:english_lowercase")],
        [_row("length_constraints:number_words", num_words=50, relation="at least"),
         _row("length_constraints:number_words", num_words=50, relation="less than")],
        [_row("keywords:existence", keywords=["cat"]),
         _row("keywords:forbidden_words", forbidden_words=["CAT"])],
        [_row("keywords:frequency", keyword="cat", frequency=2, relation="at least"),
         _row("keywords:frequency", keyword="Cat", frequency=2, relation="less than")],
        [_row("punctuation:no_comma"), _row("startend:end_checker", end_phrase="Yes, please.")],
        [_row("punctuation:no_comma"),
         _row("combination:repeat_prompt", prompt_to_repeat="Why, then?")],
        [_row("count:word_range", low=9, high=3)],
        [_row("count:lines", number=2), _row("count:lines", number=3)],
        [_row("length_constraints:nth_paragraph_first_word", num_paragraphs=2, nth_paragraph=3,
              first_word="a")],
        [_row("language:response_language", language="de"),
         _row("combination:repeat_prompt", prompt_to_repeat="What is the name of the river?")],
    ],
)  # fmt: skip
def test_contradictions_are_found(rows):
    assert conflicts(read_target(rows).instructions)
    assert len(rows) == 1 or not conflicts(read_target(rows[:1]).instructions)


# ------------------------------------------------------------------ feedback, robustness


def test_feedback_at_every_level_is_true():
    rows = [
        _row("punctuation:no_comma"),
        _row("length_constraints:number_words", num_words=5, relation="less than"),
    ]
    reply = "The old river, wide and slow, runs on."
    verdict = judge(instruction_following, reply, rows)
    assert verdict.score == 0.0 and [p.kind for p in verdict.problems] == [r["kind"] for r in rows]
    assert feedback(verdict, "full") == (
        "You used 2 commas. Use no commas. You wrote 8 words. Write less than 5 words. Try again."
    )
    assert feedback(verdict, "which") == (
        "Wrong: punctuation:no comma and length constraints:number words. Try again."
    )
    assert feedback(verdict, "score") == "Score: 0.00 of 1. Try again."


def test_problems_come_in_the_order_of_the_instructions():
    rows = [_row("count:numbers", number=1), _row("count:questions", number=1)]
    for order in (rows, rows[::-1]):
        verdict = judge(instruction_following, "It is so and we know it.", order)
        assert [p.kind for p in verdict.problems] == [row["kind"] for row in order]


_NASTY = (
    "[", "<<", "]", "*", "**", "***", "* ", "- ", "\n", "\n\n", " ", "\t", ".", "! ", "?)", "'", '"',
    "''", "`", "```", "{", "[[", ". . ", "a.", "A. ", "1. ", "p.", "p. ", "P.S. ", "Section 1",
    "|", "| ", "---", "a,", ",", "e", "E ", "N'T ", "can't ", "\u0301", "\ud800", "漢", "नि", "the of ",
    "a-", "http://", "x@", "\u2028", "\r\n", "#1", "<", ">>", "\\", "$", "é",
)  # fmt: skip


@pytest.mark.parametrize("mode", ["strict", "reference"])
def test_never_raises_and_is_fast(mode, fuzz_strings):
    if mode == "reference":
        pytest.importorskip("langdetect")
    targets = [
        {"mode": mode, "instructions": [_row(kind, **values)], "prompt": "Why do rivers flow?",
         "topic": ["rivers"], "topic_least": 1}
        for kind, (values, _, _) in PAIRS.items()
        if mode == "strict" or KINDS[kind].reference
    ]  # fmt: skip
    long = [(piece * MAX_REPLY_CHARS)[:MAX_REPLY_CHARS] for piece in _NASTY]
    long += [piece * 200 + "a" + piece * 9_000 for piece in (" ", "!", ".", "*", "\n")]
    huge = ["a b " * 50_000, "[" * 200_000]
    texts = [*fuzz_strings[:: max(1, len(fuzz_strings) // 400)], *long, *huge]
    for target in targets:
        instruction_following("Warm up: the rivers and the tables.", target)
    took = []
    for i, text in enumerate(texts):
        chosen = targets if len(text) > 5_000 else targets[i % 7 :: 7]
        for target in chosen if len(text) <= MAX_REPLY_CHARS else targets[::10]:
            start = time.process_time()
            verdict = judge(instruction_following, text, target)
            took.append((time.process_time() - start, text[:20], target["instructions"]))
            assert verdict.status == "scored", (text[:40], verdict.problems)
            assert 0.0 <= verdict.score <= 1.0 and verdict.success == (not verdict.problems)
            for p in verdict.problems:
                assert len(p.message) < 400
    assert max(took)[0] < 0.25, max(took)
    short = [t for t, _, _ in took]
    assert np.percentile(short, 50) < 5e-3


@pytest.mark.parametrize("reply", BLIND[::9])
def test_deterministic(reply):
    first = instruction_following(reply, _RIVERS)
    assert all(instruction_following(reply, _RIVERS) == first for _ in range(2))
