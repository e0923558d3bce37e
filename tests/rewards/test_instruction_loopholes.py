# ruff: noqa: RUF001  text in many scripts
"""Replies that look as if they followed, and honest ones next to them (strict mode)."""

import time
import unicodedata

import pytest

from corgi_gym.envs.tasks._requests import REQUESTS
from corgi_gym.rewards import judge
from corgi_gym.rewards.instructions import conflicts, instruction_following, read_target
from corgi_gym.rewards.instructions._languages import other_language
from corgi_gym.rewards.instructions.checker import follows
from corgi_gym.rewards.instructions.formats import beside_answer
from corgi_gym.rewards.instructions.reply import Reply, is_question, questions_in


def judged(reply, kind, mode="strict", **values):
    target = {"mode": mode, "instructions": [{"kind": kind, "kwargs": values}]}
    return judge(instruction_following, reply, target)


def messages(reply, kind, **values):
    return [problem.message for problem in judged(reply, kind, **values).problems]


# ---------------------------------------------------------------- one of three answers

ANSWER = "detectable_format:constrained_response"
ONE_OF = (
    "Give exactly one of these answers, once: My answer is yes. / My answer is no. / My answer is "
    "maybe."
)
TAKEN_BACK = f"What follows the answer takes it back. {ONE_OF}"
NO_TEXT = (
    "What stands beside the answer is not made of real words. Write real sentences there. Or leave "
    "it out."
)


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("My answer is yes. My answer is no, and my answer is maybe!",
         f"The reply gives 3 answers. {ONE_OF}"),
        ("My answer is maybe. But really, the answer is YES; my answer is Yes.",
         f"The reply gives 2 answers. {ONE_OF}"),
        ("My answer is **no**. My answer is yes.", f"The reply gives 2 answers. {ONE_OF}"),
        ("My answer is “no”! My answer is yes.", f"The reply gives 2 answers. {ONE_OF}"),
        ("MY ANSWER\nIS NO. My answer is yes.", f"The reply gives 2 answers. {ONE_OF}"),
        ("My answer is nothing.", f"The reply gives 0 answers. {ONE_OF}"),
        ("Dummy answer is yes.", f"The reply gives 0 answers. {ONE_OF}"),
        ("My answer is yes!", f"The answer is not written as asked. {ONE_OF}"),
        ("my answer is yes.", f"The answer is not written as asked. {ONE_OF}"),
        ("Nobody ever told them this, and My answer is yes.",
         f"The answer is not a sentence of its own. {ONE_OF}"),
        ("not **My answer is yes.**", f"The answer is not a sentence of its own. {ONE_OF}"),
        ("My answer is yes.\nNo, that is wrong.", TAKEN_BACK),
        ("My answer is no. Well, that was fun! **Yes.**", TAKEN_BACK),
        ("My answer is no. But I take that back now.", TAKEN_BACK),
        ("zzz qq. My answer is no. zzz", NO_TEXT),
        ("My answer is no. Because xqz blorp fraggle wumpus dinkle.", NO_TEXT),
    ],
)  # fmt: skip
def test_one_answer_once_and_beside_it_only_text(reply, said):
    verdict = judged(reply, ANSWER)
    assert [p.message for p in verdict.problems] == [said] and verdict.score == 0.0
    assert not follows(reply, read_target([{"kind": ANSWER}]))


@pytest.mark.parametrize(
    "reply",
    [
        "My answer is yes.",
        '"My answer is yes."',
        "**My answer is\nmaybe.**",
        "After some thought. My answer is no.",
        "Pikachu? My answer is no.",
        "No. My answer is no.",
        "My answer is no. No, that would be wrong. No one says yes to it.",
        "In short, My answer is yes.",
        "A poodle is smaller than a golden retriever, so my answer is clear. My answer is no.",
        "As b = 10 and c = 5, a = 30 - 10 - 5 = 15. My answer is no.",
        "Der Hund ist nicht so groß wie das Pferd. My answer is no.",
        "Some would say yes or no. I cannot know it. My answer is maybe.",
    ],
)
def test_an_answer_may_be_explained(reply):
    assert judged(reply, ANSWER).success


def test_the_text_beside_an_answer():
    assert beside_answer("So: My  answer\nis no. And My answer is yes!").split() == [
        "So:", "And", "My", "answer", "is", "yes!",
    ]  # fmt: skip


# ---------------------------------------------------------------- a postscript at the end

POSTSCRIPT = "detectable_content:postscript"
BODY = (
    "The river runs under the old bridge and on to the sea. A boat waits there for the last "
    "guests of the day. They have seen the castle, the market and the church. It was warm, and "
    "nobody wanted to leave."
)
ASKED = 'End with a postscript that starts with "P.S.".'


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (f"Hello.\nP.S. It is late.\n\n{BODY}",
         f"After the first paragraph of the postscript there are 41 words more. {ASKED}"),
        (f"Hello.\nP.S.\n\nIt is late.\n\n***\n\n{BODY}",
         f"After the first paragraph of the postscript there are 41 words more. {ASKED}"),
        ("Hello.\n\nP.S. It is late.\n\n## The bridge\nIt is old.",
         f'The heading "The bridge" stands after the postscript. {ASKED}'),
    ],
)  # fmt: skip
def test_a_postscript_is_the_last_section(reply, said):
    assert messages(reply, POSTSCRIPT, postscript_marker="P.S.") == [said]
    assert judged(reply, POSTSCRIPT, "reference", postscript_marker="P.S.").success


@pytest.mark.parametrize(
    "reply",
    [
        f"Hello.\n\nP.S. {BODY}",
        f"Hello.\n\n**P.S.**\n\n{BODY}",
        f"{BODY}\n\n## P.S.\nIt is late.",
        f"{BODY}\nP.S. It is late.\n\nI wish you well.\n\nHope you agree with me.",
        f"Hello.\nP.S. It is late.\n\n{BODY}\nP.S. It is very late.",
        f"Hello.\nP.S. It is late.\n\n{BODY.replace('old ', '')}",
        f"{BODY}\nP.S. # is a mark and the bridge is old.",
    ],
)
def test_a_postscript_may_be_long_and_a_greeting_may_follow(reply):
    assert judged(reply, POSTSCRIPT, postscript_marker="P.S.").success


# ---------------------------------------------------------------- one language

LANGUAGE = "language:response_language"
GERMAN = "Der Fluss ist breit und die alte Brücke ist schmal. Wir sind heute nicht zu Hause."
KOREAN = "집은 강 가까이에 있고 우리는 매일 친구들과 함께 그곳에 갑니다. " * 2
ENGLISH = "I do not really speak this tongue well, so here comes plain English instead."
QUOTED = '"I do not really speak this tongue well, so here comes plain…"'


@pytest.mark.parametrize(
    ("language", "reply", "shown"),
    [
        ("de", f"{GERMAN} {ENGLISH}", f"{QUOTED} is in English. Write all of it in German."),
        ("ko", f"{KOREAN * 3}{ENGLISH}", f"{QUOTED} is in English. Write all of it in Korean."),
        ("ja", f"{'家は川の近くにあり、私たちは毎日友達とそこへ行きます。' * 5}{ENGLISH}",
         f"{QUOTED} is in English. Write all of it in Japanese."),
        ("en", f"{ENGLISH} {ENGLISH} Wir sind heute nicht zu Hause.",
         '"Wir sind heute nicht zu Hause." is in German. Write all of it in English.'),
        ("de", f"{GERMAN} {GERMAN} Дом стоит у реки и мы там.",
         '"Дом стоит у реки и мы там." is in Russian. Write all of it in German.'),
    ],
)  # fmt: skip
def test_each_sentence_is_in_the_language(language, reply, shown):
    assert messages(reply, LANGUAGE, language=language)[0] == shown


@pytest.mark.parametrize(
    ("language", "reply"),
    [
        ("de", f"{GERMAN}\nThe Lord of the Rings: The Two Towers\nDas ist ein Buch von heute."),
        ("de", f"{GERMAN} Er war in New York und London, in Boston und Washington."),
        ("de", f"{GERMAN} It is so."),  # too short to be told
        (
            "ko",
            f"<<Site Reliability Engineering for the Web>>\n{KOREAN}"
            "오늘은 비가 와서 아무 데도 가지 않고 집에서 책을 읽으며 음악을 듣습니다.",
        ),
        ("en", f"{ENGLISH} He called it Schadenfreude, and it was a fitting word."),
    ],
)
def test_names_and_titles_are_no_other_language(language, reply):
    assert judged(reply, LANGUAGE, language=language).success


@pytest.mark.parametrize(
    ("text", "asked", "other"),
    [
        # three different small words, and three times as many as of the asked language
        ("xqz the xqz of xqz the of xqz", "de", None),
        ("xqz the xqz of xqz with xqz xqz", "de", "en"),
        ("xqz the xqz of xqz with und nicht", "de", None),
        ("xqz the xqz of xqz with und they", "de", "en"),
        # words that both have say nothing, nor do capitals in a text that has others
        ("in an so the of xqz xqz xqz", "de", None),
        ("xqz The xqz of xqz With xqz xqz", "de", None),
        ("XQZ THE XQZ OF XQZ WITH XQZ XQZ", "de", "en"),
        # another script is enough
        ("집은 강 가까이에 있고 우리는 매일 친구들과", "de", "ko"),
        ("xqz xqz xqz xqz xqz xqz", "de", None),
    ],
)
def test_when_another_language_is_clear(text, asked, other):
    assert other_language(text, asked) == other


def test_a_phrase_in_another_language_contradicts_the_language():
    rows = [
        {"kind": LANGUAGE, "kwargs": {"language": "de"}},
        {"kind": "startend:end_checker", "kwargs": {"end_phrase": "And that is all of it."}},
    ]
    assert conflicts(read_target(rows).instructions) == [
        "the reply must be in 'de', but hold 'And that is all of it.'."
    ]
    rows[1]["kwargs"] = {"end_phrase": "Das ist alles, und mehr ist es nicht."}
    assert not conflicts(read_target(rows).instructions)


# ---------------------------------------------------------------- prompts and their checks


def test_prompts_name_lists_where_lists_pass():
    reply = '["The galaxy is a wheel of stars and the hammer is a simple tool."]'
    assert judged(reply, "detectable_format:json_format").success
    assert all(
        "object or list" in said for said in REQUESTS["detectable_format:json_format"].wordings
    )


def test_prompts_name_the_bullets_that_count():
    kind = "detectable_format:number_bullet_lists"
    reply = "* The galaxy is a wheel of stars.\n  - It is old.\n* The hammer is a simple tool."
    assert judged(reply, kind, num_bullets=3).success
    assert judged(reply.replace("*", "+"), kind, num_bullets=3).success
    for said in REQUESTS[kind].wordings:
        assert "sub-points included" in said and "*" in said and "-" in said.replace("b-p", "")


# ---------------------------------------------------------------- quotation marks, letter case


@pytest.mark.parametrize(
    ("reply", "first"),
    [
        ('"The river" runs under the "old bridge"', '"The river"'),
        ("\u201cThe river\u201d runs under the \u201cold bridge\u201d", "\u201cThe river\u201d"),
        ("\u201eDer Fluss\u201c und die \u201eBrücke\u201c", "\u201eDer Fluss\u201c"),
        ("\u00abLe pont\u00bb et \u00able jardin\u00bb", "\u00abLe pont\u00bb"),
        # quotations inside the outer one
        ('"The river runs under the "old bridge""', None),
        ('""Stop!" said Anna near the river. "Why?""', None),
        ('"The river.\n\n"The bridge."', None),
        ('"{"river": "The old bridge (\u201cstone\u201d) is there."}"', None),
        ("\u201eDer Fluss ist \u201ebreit\u201c und alt.\u201c", None),
        ("\u201c他说\u201c你好\u201d然后走了\u201d", None),
    ],
)
def test_the_whole_reply_is_one_quotation(reply, first):
    said = messages(reply, "startend:quotation")
    between = [text for text in said if "stands between" in text]
    assert bool(between) is (first is not None)
    if first is not None:
        shown = f'Only "{first}" stands between the first quotation marks. '
        assert between == [shown + "Put the whole reply between double quotation marks."]


@pytest.mark.parametrize("letter", ["ж", "ı", "ŉ"])
def test_the_word_with_a_lower_case_letter_is_found_at_once(letter):
    start = time.process_time()
    said = messages(letter * 20_000, "change_case:english_capital")[0]
    assert time.process_time() - start < 0.5
    assert said == f'"{letter * 40}" has a lower-case letter. Write every letter as a capital.'


def test_the_word_with_a_lower_case_letter_is_quoted_whole():
    said = messages("THE OLD (rIVER_BEd) RUNS ON THERE.", "change_case:english_capital")[0]
    assert said.startswith('"rIVER_BEd" has a lower-case letter.')


# ---------------------------------------------------------------- sections, numbers, commas

PARTS = {"section_spliter": "Part", "num_sections": 2}
TWICE = (
    "Part 1\nThe river is wide.\nPart 2\nIt runs to the sea.\n******\n"
    "Part 1\nAn old bridge stands there.\nPart 2\nWe go home over it."
)


def test_sections_come_twice_only_where_two_responses_are_asked_for():
    rows = [{"kind": "detectable_format:multiple_sections", "kwargs": PARTS}]
    both = [*rows, {"kind": "combination:two_responses"}]
    assert judge(instruction_following, TWICE, both).success and follows(TWICE, read_target(both))
    assert not follows(TWICE, read_target(rows))
    verdict = judge(instruction_following, TWICE, rows)
    assert [p.message for p in verdict.problems] == [
        'The reply has 4 sections with such a heading. Write 2, headed "Part 1" to "Part 2" in '
        "this order."
    ]
    three = TWICE + "\n******\nPart 1\nWe are there.\nPart 2\nIt is late."
    assert judge(instruction_following, three, both).score == 0.0


@pytest.mark.parametrize(
    ("numbers", "found"),
    [
        ("1,2,3,4,5", 5), ("1,000", 1), ("1,000,000.50", 1), ("12,345,678", 1), ("2019,2020", 2),
        ("1,0000", 2), ("1234,567", 2), ("1,000km", 1), ("3.5%", 1), ("-7", 1), ("3.11.2", 1),
        ("7:30", 2), ("1/2", 2), ("12th", 1), ("a1b2", 2), ("5.", 1), ("1,000, 2,000", 2),
    ],
)  # fmt: skip
def test_commas_join_numbers_only_before_groups_of_three(numbers, found):
    reply = f"I saw {numbers} boats on the river and walked home."
    for asked in (found - 1, found, found + 1):
        assert judged(reply, "count:numbers", number=asked).success is (asked == found)


@pytest.mark.parametrize(
    "comma", ",\u060c\u07f8\u1802\u2e41\u3001\ufe10\ufe11\ufe50\ufe51\uff0c\uff64"
)
def test_every_comma_counts(comma):
    reply = f"The old river is wide here{comma} and so it is there."
    assert messages(reply, "punctuation:no_comma")[0] == "You used 1 comma. Use no commas."
    assert judged(reply, "punctuation:no_comma", "reference").success is (comma != ",")


# ---------------------------------------------------------------- sentences and questions

DIALOGUE = '"Why is it dark?" asked my uncle near the galaxy. "Take a hammer!" he said.'


@pytest.mark.parametrize(
    ("reply", "sentences"),
    [
        (DIALOGUE, 2),
        ("He shouted “Stop!” and ran.", 1),
        ("It was late (or was it?) and cold.", 1),
        ("**“Why?”** asked Ann.", 1),
        ('"Why?" Ann was late.', 2),
        ("Why? because it was late.", 2),
        ("*Why?* because it was late.", 2),
        ('He said "It is so." and left.', 2),
        ('"Why?"\n\nasked Ann.', 2),
        ('"Why?"', 1),
    ],
)
def test_quoted_words_end_no_sentence_that_goes_on(reply, sentences):
    assert len(Reply(reply).sentences) == sentences


@pytest.mark.parametrize(
    ("reply", "sentences"),
    [
        ("Do the cats like to swim or no. Dogs are happy to say no. Fish always say no.", 3),
        ("Do cats like to swim? Most say no. They hate the water. Dogs love it.", 4),
        ("It stands under no. 5 of the list.", 1),
        ("We sell milk, eggs, etc. They are cheap.", 2),
        ("We sell milk, eggs, etc. and they are cheap.", 1),
        ('We sell eggs etc. "They are cheap", he said.', 2),
        ("It was 5 p.m. It was cold.", 2),
        ("It was 5 p.m. and cold.", 1),
        ("I live in the U.S. It is big.", 2),
        ("He owns Acme Inc. She does not.", 2),
        ("Take vitamin C. It helps you.", 2),
        ("I see a Q. Cats see a Q. Dogs see a Q. We go.", 4),
        # initials and titles
        ("John F. Kennedy met J. R. R. Tolkien and Dr. Lee vs. Mr. Bean.", 1),
    ],
)
def test_what_can_be_an_abbreviation_ends_a_sentence_before_a_capital(reply, sentences):
    assert len(Reply(reply).sentences) == sentences


def test_a_sentence_may_be_told_by_a_name():
    assert len(Reply('"Stop!" Anna Lee said to the dog. "Why?" I asked it.').sentences) == 2
    assert len(Reply('"Stop!" He said it twice.').sentences) == 2
    assert len(Reply('"Stop!" Then nobody said a word.').sentences) == 2


def test_no_at_the_end_hides_no_sentence():
    kind = "length_constraints:number_sentences"
    reply = "Do the cats like to swim or no. Dogs are happy to say no. I say no. We say no."
    assert messages(reply, kind, num_sentences=2, relation="less than") == [
        "You wrote 4 sentences. Write less than 2 sentences."
    ]


def test_feedback_on_dialogue_is_true():
    kind = "length_constraints:number_sentences"
    assert judged(DIALOGUE, kind, num_sentences=3, relation="less than").success
    assert messages(DIALOGUE, kind, num_sentences=2, relation="less than") == [
        "You wrote 2 sentences. Write less than 2 sentences."
    ]


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        ("The galaxy is a wheel of stars. Is the hammer a tool?! My uncle knows.", 1),
        ("Is the hammer a tool!? My uncle knows it well.", 1),
        (DIALOGUE, 1),
        ('My uncle asked "why?!" and then "how?" and we left.', 2),
        ("Is it so？ We do not know it yet.", 1),
        ("My uncle knows it well. ? And so do we.", 0),
    ],
)
def test_questions_are_counted_where_they_stand(reply, found):
    for asked in (found, found + 1):
        assert judged(reply, "count:questions", number=asked).success is (asked == found)


def test_a_sentence_is_a_question_or_a_statement():
    sentences = ["Is it so?!", "Is it so!?", '"Why?" asked Ann.', "Ann asked (why?)", "So it is."]
    assert list(map(is_question, sentences)) == [True, True, False, True, False]
    assert list(map(questions_in, sentences)) == [1, 1, 1, 1, 0]
    reply = "Is the hammer a tool?! My uncle knows it. So do we."
    assert judged(reply, "ratio:questions", statements=2, questions=1).success


# ---------------------------------------------------------------- words inside JSON


def in_json(reply, *instructions):
    kinds = [{"kind": "detectable_format:json_format", "kwargs": {}}, *instructions]
    return judge(instruction_following, reply, {"mode": "strict", "instructions": kinds})


AVOID = {"kind": "keywords:forbidden_words", "kwargs": {"forbidden_words": ["hour", "house"]}}
NO_COMMA = {"kind": "punctuation:no_comma", "kwargs": {}}
ONE_NUMBER = {"kind": "count:numbers", "kwargs": {"number": 1}}
KEYWORDS = {"kind": "keywords:existence", "kwargs": {"keywords": ["puzzle", "marble"]}}
FEW_WORDS, SOME_WORDS = (
    {"kind": "length_constraints:number_words", "kwargs": {"num_words": 10, "relation": relation}}
    for relation in ("less than", "at least")
)
ONE_SENTENCE = {
    "kind": "length_constraints:number_sentences",
    "kwargs": {"num_sentences": 2, "relation": "less than"},
}
RANGE = {"kind": "count:word_range", "kwargs": {"low": 6, "high": 8}}
LOWERCASE = {"kind": "change_case:english_lowercase", "kwargs": {}}
SHORT = {"kind": "words:max_letters", "kwargs": {"letters": 6}}


@pytest.mark.parametrize(
    ("reply", "instruction", "right"),
    [
        (r'{"text": "We met there today.\nhour and\nhouse are what we found."}', AVOID, False),
        (r'{"text": "The hammer\u002c old and worn\u002c lay on the table."}', NO_COMMA, False),
        (r'{"text": "The dog met a h\u006fuse on the road."}', AVOID, False),
        (r'{"text": "We sat down.\nPuzzle was on the table.\nMarble was not."}', KEYWORDS, True),
        ('{"text": "The old hammer lay on the table."}', NO_COMMA, True),
        ('{"puzzle": "It has many parts.", "marble": "It rolls."}', KEYWORDS, True),
        ('{"puzzle": "It has many parts.", "text": "It rolls."}', KEYWORDS, False),
        ('{"house": "It stands on a hill.", "text": "It is old."}', AVOID, False),
        ('{"text": "The old house burnt down.", "year": 1912}', ONE_NUMBER, True),
        ('{"text": "The old house burnt down.", "sure": true}', ONE_NUMBER, False),
        ('{"text": "The old hammer lay on it.", "more": "It was worn."}', NO_COMMA, True),
        # what must not be there, upper bounds and exact numbers: in the keys too
        ('{"The old bridge crosses the wide river, which is calm": "It is there."}', NO_COMMA,
         False),
        ('{"old, wide": "The old hammer lay on the table."}', NO_COMMA, False),
        ('{"text one two": "The old hammer lay on the table."}', FEW_WORDS, False),
        ('{"text": "The old hammer lay on the table."}', FEW_WORDS, True),
        ('{"HAMMER": "the old hammer lay on the table."}', LOWERCASE, False),
        ('{"hammer": "the old hammer lay on the table."}', LOWERCASE, True),
        ('{"description": "The old hammer lay on it."}', SHORT, False),
        ('{"part 1": "The old house burnt down in 1912."}', ONE_NUMBER, False),
        # lower bounds: not in the keys
        ('{"one two three four": "The old hammer lay on the table."}', SOME_WORDS, False),
        ('{"text two three": "The old hammer lay there."}', RANGE, False),
        ('{"text": "The old hammer lay on the table."}', RANGE, True),
        # a label is no sentence, but a long key and one with a full stop are
        ('{"the text": "The old hammer lay on the table."}', ONE_SENTENCE, True),
        ('{"It is old.": "The old hammer lay on the table."}', ONE_SENTENCE, False),
        ('{"The hammer has been very old for years": "It is there."}', ONE_SENTENCE, False),
    ],
)  # fmt: skip
def test_other_instructions_are_about_the_texts_in_json(reply, instruction, right):
    assert in_json(reply, instruction).success is right


# ---------------------------------------------------------------- long words, accents


def test_a_chain_of_short_words_is_no_long_word():
    kind, values = "ratio:long_words", {"percent": 30, "letters": 7}
    assert judged("The children remember everything about the garden.", kind, **values).success
    chain = "By-the-by we met a-walnut-or-so and to-the-side a-tractor-or-so it-is-all as-good-as."
    assert not judged(chain, kind, **values).success


@pytest.mark.parametrize(("relation", "right"), [("at least", True), ("less than", False)])
def test_a_letter_with_an_accent_is_counted_as_it_is(relation, right):
    text = "Le café est fermé et la fête a commencé dans la ville."
    values = {"letter": "é", "let_frequency": 3, "let_relation": relation}
    for form in ("NFC", "NFD"):
        reply = unicodedata.normalize(form, text)
        said = messages(reply, "keywords:letter_frequency", **values)
        assert any("appears" in message for message in said) is not right


@pytest.mark.parametrize(
    ("kind", "values", "reply"),
    [
        ("keywords:existence", {"keywords": ["don't"]}, "I don’t like the river."),
        ("keywords:existence", {"keywords": ["don’t"]}, "I don't like the river."),
        ("keywords:existence", {"keywords": ["well-known man"]},
         "He is a well‑known man in the old village."),
        ("keywords:frequency", {"keyword": "can't", "frequency": 2, "relation": "at least"},
         "I can’t and you can't see it."),
        ("count:keyword_exact", {"keyword": "can't", "times": 2}, "I can’t and you can't see it."),
        ("position:nth_word", {"n": 2, "word": "don't"}, "I don’t like the river."),
        ("position:last_word", {"word": "don’t"}, "They like it and you don’t."),
        ("position:last_word", {"word": "well-known"}, "The old bridge is well‑known."),
        ("position:keyword_in_sentence", {"n": 1, "word": "don't"}, "I don’t like the river."),
        ("position:paragraph_ring", {"number": 1}, "Don’t say that they don't."),
        ("words:chain", {"sentences": 2}, "We like it and you don’t. Don't tell me why."),
        ("copy:sentence_times", {"sentence": "It can't be so.", "times": 1},
         "It can’t be so. We all went to the old bridge."),
        ("length_constraints:nth_paragraph_first_word",
         {"num_paragraphs": 1, "nth_paragraph": 1, "first_word": "don't"}, "Don’t go there now."),
    ],
)  # fmt: skip
def test_words_are_the_same_with_any_apostrophe_and_hyphen(kind, values, reply):
    assert judged(reply, kind, **values).success


def test_no_apostrophe_hides_a_forbidden_word():
    for banned, reply in (
        ("can't", "We can’t cross the river without the old bridge today."),
        ("can’t", "We can't cross the river without the old bridge today."),
        ("well-known", "We cross the well‑known river without the old bridge."),
    ):
        kind, values = "keywords:forbidden_words", {"forbidden_words": [banned]}
        assert not judged(reply, kind, **values).success
        assert judged(reply, kind, "reference", **values).success


@pytest.mark.parametrize(
    "reply",
    [
        "We crossed the ri**ver** by the old bridge.",
        "We crossed the `ri`ver by the old bridge.",
        "We crossed the ri<b>ver</b> by the old bridge.",
        "We crossed the *ri*~~~~ver by the old bridge.",
    ],
)
def test_no_markup_hides_a_forbidden_word(reply):
    kind, values = "keywords:forbidden_words", {"forbidden_words": ["river"]}
    assert not judged(reply, kind, **values).success
    assert judged(reply, kind, "reference", **values).success


def test_markup_that_hides_nothing_is_fine():
    kind, values = "keywords:forbidden_words", {"forbidden_words": ["river", "24"]}
    assert judged("The **riverside** path has 2*4 steps beside the `bank`.", kind, **values).success


@pytest.mark.parametrize(
    ("kind", "values", "words"),
    [
        ("position:last_word", {"word": "bridge."}, "field 'word' must be one word without other "),
        ("position:nth_word", {"n": 1, "word": "“so”"}, "must be one word without other marks"),
        ("position:acrostic", {"letters": "ice-cream"}, "'letters' must be letters or digits"),
    ],
)
def test_a_word_that_no_text_can_have_in_its_place_is_refused(kind, values, words):
    with pytest.raises(ValueError, match=words):
        read_target([{"kind": kind, "kwargs": values}])


@pytest.mark.parametrize(
    "scraps", ["nightingale valley ñ qq zz", "galaxy hammer ø brzk tlpq", "hammer 字 qq zz valley"]
)
def test_one_foreign_letter_makes_no_language_of_scraps(scraps):
    assert not judged(scraps, "punctuation:no_comma").success
    assert judged("The café by the valley has a hammer.", "punctuation:no_comma").success
