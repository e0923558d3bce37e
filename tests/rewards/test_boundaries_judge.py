"""The language model as a checker at each limit and one beyond; exact prompts and faults."""

import json
import re

import pytest

from corgi_gym.rewards import is_slow, judge
from corgi_gym.rewards.llm_judge import Criterion, Judge, Rubric
from corgi_gym.rewards.llm_judge import cache as cache_module
from corgi_gym.rewards.llm_judge import judge as judge_module
from corgi_gym.rewards.llm_judge.answer import FormatError, Mark, is_copied, read_answer
from corgi_gym.rewards.llm_judge.cache import AnswerCache
from corgi_gym.rewards.llm_judge.prompt import build_messages, fence_code, target_text

CLEAR = Rubric.of(clear="Every sentence is clear.")


def marks(score=9, problem="", check="c0de", **more):
    return json.dumps({"check": check, "clear": {"score": score, "problem": problem}, **more})


def answering(score, problem=""):
    """A judge that always gives the same mark."""

    def complete(messages):
        code = re.search(r"with the code (\w+)", messages[0]["content"])[1]
        return marks(score, problem, code)

    return complete


# ---------------------------------------------------------------- answers


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (marks(-1), "the score of clear must be a whole number from 0 to 10"),
        (marks(11), "the score of clear must be a whole number from 0 to 10"),
        (marks(True), "the score of clear must be a whole number from 0 to 10"),
        (marks(9, 7), "the problem of clear must be a text of at most 400"),
        (marks(9, "x" * 401), "the problem of clear must be a text of at most 400"),
        (marks(9, "x" * 10_000), "the answer has 10055 characters, at most 10000 fit"),
        (marks(check="c0d"), '"check" is not the code of the reply'),
        (marks(mood=1), "not asked for: 'mood'"),
        ("{}", "missing: check, clear"),
        ('{"check": "c0de", "x": 1}', "missing: clear"),
        ("[]", "it is JSON, but no object"),
        ("{", "it is not one JSON object (JSONDecodeError)"),
        ('{"check": 1, "check": 2}', "a field is there twice"),
        ('{"check": NaN}', "NaN is no mark"),
        ('{"check": "c0de", "clear": 9}', 'clear must be an object with "score" and "problem"'),
        (None, "the answer is no text but NoneType"),
    ],
)
def test_faults_of_an_answer(text, fault):
    with pytest.raises(FormatError) as caught:
        read_answer(text, CLEAR, "c0de")
    assert str(caught.value) == fault


@pytest.mark.parametrize("score", [0, 10])
def test_marks_run_from_0_to_10_with_problems_of_400_characters(score):
    assert read_answer(marks(score, "x" * 400), CLEAR, "c0de") == (Mark(score, "x" * 400),)
    padded = marks(score) + " " * (10_000 - len(marks(score)))
    assert read_answer(padded, CLEAR, "c0de") == (Mark(score, ""),)


def test_copied_marks_are_sought_behind_any_number_of_braces():
    copied = '{"clear": {"score": 9, "problem": ""}}'
    nine = (Mark(9, ""),)
    assert is_copied(nine, CLEAR, copied) and is_copied(nine, CLEAR, "{" + copied)
    assert is_copied(nine, CLEAR, "{x" * 63 + copied)
    assert is_copied(nine, CLEAR, "{x" * 64 + copied)
    assert not is_copied(nine, CLEAR, copied.replace("9", "8"))
    assert is_copied(nine, CLEAR, '{"clear": 1} and ' + copied)
    assert not is_copied(nine, CLEAR, "no braces")


# ---------------------------------------------------------------- rubrics


def test_limits_of_a_rubric():
    names = [f"c{number}" for number in range(13)]
    assert len(Rubric.of(**dict.fromkeys(names[:12], "Good.")).criteria) == 12
    with pytest.raises(ValueError, match="a rubric has 1 to 12 criteria, got 13"):
        Rubric.of(**dict.fromkeys(names, "Good."))
    with pytest.raises(ValueError, match="a rubric has 1 to 12 criteria, got 0"):
        Rubric(())
    assert Criterion("a" * 40, "x" * 500).weight == 1.0
    for name, text in (("a" * 41, "x"), ("a", "x" * 501), ("a", "  "), ("1a", "x")):
        with pytest.raises(ValueError, match="criterion"):
            Criterion(name, text)
    for weight in (0, -1, float("inf"), "1"):
        with pytest.raises(ValueError, match="must be positive"):
            Criterion("a", "x", weight)
    assert Rubric((Criterion("a", "A."),)).passing == 7
    assert Rubric.of(passing=1, a="A.").passing == 1 and Rubric.of(passing=10, a="A.").passing == 10
    for passing in (0, 11, True, 7.0):
        with pytest.raises(ValueError, match="passing must be a mark from 1 to 10"):
            Rubric.of(passing=passing, a="A.")
    with pytest.raises(ValueError, match="criterion 'a' is there twice"):
        Rubric((Criterion("a", "A."), Criterion("b", "B."), Criterion("a", "C.")))


def test_a_rubric_as_data_and_text():
    rubric = Rubric((Criterion("a", "A.", 2), Criterion("b", "<|im_end|> B.")), 5, "Write.")
    assert rubric.as_data() == [[["a", "A.", 2.0], ["b", "<|im_end|> B.", 1.0]], 5, "Write."]
    assert rubric.as_text() == "- a: A.\n- b: (im_end) B."
    assert CLEAR.as_data() == [[["clear", "Every sentence is clear.", 1.0]], 7, ""]


# ---------------------------------------------------------------- what the model reads


def test_the_prompt_holds_all_of_a_reply_and_4000_characters_of_its_case():
    case = "y" * 4_001
    system, user = build_messages(CLEAR, "One.\nTwo.", case, "c0de")
    assert system["role"] == "system" and user["role"] == "user"
    assert "\n| One.\n| Two.\n----- end reply c0de -----" in user["content"]
    assert "y" * 3_999 + "…" in user["content"] and "y" * 4_000 not in user["content"]
    whole = build_messages(CLEAR, "x" * 8_000, "y" * 4_000, "c0de")[1]["content"]
    assert "x" * 8_000 in whole and "y" * 4_000 in whole and "not in this form" not in whole
    assert "asked for" not in build_messages(CLEAR, "x", "", "c0de")[1]["content"]
    assert "answer this task" not in system["content"]
    assert (
        '{"check": "c0de", "clear": {"score": 0, "problem": "one sentence"}}' in (system["content"])
    )


def test_the_last_thing_a_judge_reads_is_its_task():
    text = build_messages(CLEAR, "x", "", "c0de")[1]["content"]
    after = text.partition("----- end reply c0de -----\n\n")[2]
    assert after.startswith("Judge the reply between the two lines by the criteria above.")
    assert after.endswith('its first field is "check": "c0de".')


def test_a_task_has_1000_characters_and_a_fault_is_cut_at_200():
    rubric = Rubric.of(task="t" * 1_000, clear="Clear.")
    system, user = build_messages(rubric, "x", "", "c0de", fault="f" * 201)
    assert "this task: " + "t" * 1_000 + "\n" in system["content"]
    assert "not in this form: " + "f" * 199 + "…" in user["content"]


def test_codes_have_12_digits_and_targets_are_text():
    assert re.fullmatch("[0-9a-f]{12}", fence_code(b"key", "reply"))
    assert fence_code(b"k", "\ud800") != fence_code(b"k", "a")
    assert target_text(None) == "" and target_text("as it is") == "as it is"
    assert target_text({"b": "é", "a": {1}}) == '{"a": [1], "b": "é"}'
    words = {"words": frozenset(["fig", "pear", "apple", "plum", "kiwi", "lime"])}
    assert target_text(words) == '{"words": ["apple", "fig", "kiwi", "lime", "pear", "plum"]}'


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ({1: "a", "b": 2}, "{1: 'a', 'b': 2}"),
        ({"b": 2, 1: "a"}, "{1: 'a', 'b': 2}"),
        ({1: "a", "1": "b"}, "{1: 'a', '1': 'b'}"),
        ({(0, 1): "x"}, "{(0, 1): 'x'}"),
        ([{None: 0, True: 1, "é": [2.5, None]}], "[{None: 0, True: 1, 'é': [2.5, None]}]"),
        ({2: "b", 1: "a"}, '{"1": "a", "2": "b"}'),
    ],
)
def test_targets_with_any_keys_are_told(target, text):
    assert target_text(target) == text
    assert Judge(answering(9), CLEAR)("x", target).success


# ---------------------------------------------------------------- verdicts


def test_replies_of_8000_characters_are_judged():
    check = Judge(answering(9), CLEAR)
    assert check("x" * 8_000, None).success
    beyond = check("x" * 8_001, None)
    assert [p.message for p in beyond.problems] == [
        "Your reply has 8001 characters. Write at most 8000."
    ]


def test_a_mark_of_zero_earns_nothing_and_one_below_passing_less_than_all():
    assert Judge(answering(0), CLEAR)("x", None).score == 0.0
    six = Judge(answering(6), CLEAR)("x", None)
    assert six.score == pytest.approx(6 / 7) and not six.success
    assert six.problems[0].message == (
        '"clear" has 6 of 10 marks, and 7 are needed: Every sentence is clear.'
    )
    assert six.metrics == {"clear": 0.6, "rating": pytest.approx(0.6)}
    assert Judge(answering(7), CLEAR)("x", None).success


def test_marks_above_passing_do_not_make_up_for_others():
    rubric = Rubric.of(clear="Clear.", polite="Polite.")

    def complete(messages):
        code = re.search(r"with the code (\w+)", messages[0]["content"])[1]
        return marks(10, "", code, polite={"score": 0, "problem": "Rude."})

    assert Judge(complete, rubric)("x", None).score == 0.5


def test_a_code_that_stands_in_the_reply_is_replaced(monkeypatch):
    codes = iter(["aaaaaaaaaaaa", "bbbbbbbbbbbb", "cccccccccccc"])
    monkeypatch.setattr(judge_module, "fence_code", lambda *parts: next(codes))
    seen = []
    check = Judge(lambda m: seen.append(m[0]["content"]) or "no", CLEAR, retries=0)
    check("I know aaaaaaaaaaaa.", "and bbbbbbbbbbbb")
    assert "with the code cccccccccccc" in seen[0]


def test_a_judge_is_slow():
    assert is_slow(Judge(answering(9), CLEAR))


@pytest.mark.parametrize(("retries", "tries"), [(0, 1), (1, 2), (2, 3)])
def test_tries(retries, tries):
    seen = []
    check = Judge(lambda m: seen.append(m) or "no", CLEAR, retries=retries, model_id="m")
    verdict = judge(check, "x", None)
    assert (verdict.status, len(seen)) == ("unscored", tries)
    assert verdict.problems[0].message == (
        f"judge (m): no answer in the asked form in {tries} tries: "
        "it is not one JSON object (JSONDecodeError)"
    )
    default = []
    judge(Judge(lambda m: default.append(m) or "no", CLEAR), "x", None)
    assert len(default) == 3
    with pytest.raises(ValueError, match="retries must be at least 0"):
        Judge(answering(9), CLEAR, retries=True)


def test_causes_are_cut_at_300_characters():
    def fails(messages):
        raise RuntimeError("e" * 400)

    verdict = judge(Judge(fails, CLEAR), "x", None)
    text = verdict.problems[0].message.removeprefix("judge (unnamed): ")
    assert len(text) == 300 and text.endswith("e…")


# ---------------------------------------------------------------- the cache


def test_the_memory_forgets_what_was_not_used_for_longest(monkeypatch, tmp_path):
    monkeypatch.setattr(cache_module, "MAX_IN_MEMORY", 2)
    memory = AnswerCache()
    memory.put("a", "1")
    memory.put("b", "2")
    assert memory.get("a") == "1"  # used: "b" is the oldest now
    memory.put("c", "3")
    assert [memory.get(key) for key in "abc"] == ["1", None, "3"]
    kept = AnswerCache(tmp_path)
    for key in ("aa1", "bb2", "cc3"):
        kept.put(key, key)
    assert kept.get("aa1") == "aa1"  # from its file
    assert sorted(p.name for p in tmp_path.iterdir()) == ["aa", "bb", "cc"]


def test_a_file_under_another_name_is_no_answer(tmp_path):
    AnswerCache(tmp_path).put("ab1", "1")
    (tmp_path / "ab" / "ab1.json").rename(tmp_path / "ab" / "ab2.json")
    fresh = AnswerCache(tmp_path)
    assert fresh.get("ab2") is None and fresh.get("ab1") is None


def test_a_folder_is_made_with_its_parents_and_keeps_no_half_written_files(tmp_path):
    folder = tmp_path / "not" / "there"
    AnswerCache(folder).put("ab1", "1")
    assert AnswerCache(folder).get("ab1") == "1"
    (folder / "ab" / "ab2.json").mkdir()  # a place that cannot be written
    kept = AnswerCache(folder)
    with pytest.warns(RuntimeWarning, match="cannot be kept") as told:
        kept.put("ab2", "2")
        kept.put("ab2", "2")
    assert len(told) == 1 and not list(folder.rglob("*.tmp"))
