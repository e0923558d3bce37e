"""Your own prompts: in order, wrapping, with clear errors for what cannot be asked."""

import pandas
import pytest

from corgi_gym.envs import GuidedEnv
from corgi_gym.envs.prompts import PromptSource
from corgi_gym.rewards import AllOf, scale


def accept(reply, target):
    return reply == target


def test_prompts_come_in_order_and_wrap_whatever_seed_and_split():
    source = PromptSource(["a", {"prompt": "b", "target": 3, "source": "ignored"}], accept)
    tasks = [source.item(seed, i, split) for i, seed, split in [(0, 0, "train"), (3, 9, "test")]]
    assert [(t.prompt, t.target, t.witness) for t in tasks] == [("a", None, ""), ("b", 3, "")]


def test_a_conversational_prompt_of_one_user_message_is_its_text():
    source = PromptSource([{"prompt": [{"role": "user", "content": "hello"}]}], accept)
    assert source.item(0, 0).prompt == "hello"


def test_any_iterable_of_rows_will_do():
    assert len(PromptSource((p for p in "abc"), accept).drafts) == 3


def test_ids_follow_content_and_do_not_depend_on_the_process(run_python):
    code = (
        "from corgi_gym.envs.prompts import PromptSource\n"
        "rows = [{'prompt': 'p', 'target': {'words': {'a', 'b', 'c'}, 'f': PromptSource}}]\n"
        "print(PromptSource(rows, lambda r, t: True).item(0, 0).task_id)"
    )
    assert len({run_python(code, PYTHONHASHSEED=seed) for seed in ("0", "1", "2")}) == 1
    one, two, three = PromptSource(
        [{"prompt": "p", "target": 1}, {"prompt": "p", "target": 2}, {"prompt": "p", "target": 1}],
        accept,
    ).drafts
    assert one.key == three.key != two.key


CONVERSATION = [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]


@pytest.mark.parametrize(
    ("prompts", "error", "message"),
    [
        ([], ValueError, "prompts is empty: give at least one prompt"),
        ([""], ValueError, "prompt 0 has no text under 'prompt'"),
        (["a", " \n"], ValueError, "prompt 1 has no text"),
        ([{"text": "a"}], ValueError, "prompt 0 has no text under 'prompt': {'text': 'a'}"),
        ([{"prompt": None}], ValueError, "prompt 0 has no text"),
        ([{"prompt": []}], ValueError, "prompt 0 has no text"),
        ([{"prompt": ["a"]}], ValueError, "prompt 0 has no text"),
        ([{"prompt": CONVERSATION}], ValueError, r"roles \['system', 'user'\]; give exactly one"),
        ([{"prompt": CONVERSATION[:1]}], ValueError, "give exactly one user message"),
        (["x" * 1_000_001], ValueError, "prompt 0 has 1000001 characters; at most 999000"),
        (["a\ud800"], ValueError, "prompt 0 is not valid Unicode text"),
        (["a", 3], TypeError, "prompt 1 is a int; use a string or a dict"),
        ("one", TypeError, r"got one str: 'one'; put it into a list"),
        (b"one", TypeError, "got one bytes"),
        ({"prompt": "a"}, TypeError, r"got one dict.*of a DatasetDict, choose a split"),
        (3, TypeError, "got one int: 3"),
        ({"a", "b"}, TypeError, r"got one set: .*; sort it into a list"),
        (
            pandas.DataFrame({"prompt": ["a"]}),
            TypeError,
            r"DataFrame.*give its \.to_dict\('records'",
        ),
    ],
)
def test_bad_prompts_are_refused_with_their_row(prompts, error, message):
    with pytest.raises(error, match=message):
        GuidedEnv(prompts=prompts, checker=accept)


def test_prompts_need_a_checker_and_take_no_task_options():
    with pytest.raises(ValueError, match=r"prompts=… needs checker=…: a registered name or a func"):
        GuidedEnv(prompts=["a"])
    with pytest.raises(ValueError, match=r"unknown checker 'nope'; known: .*countdown"):
        GuidedEnv(prompts=["a"], checker="nope")
    with pytest.raises(TypeError, match="a checker must be a name or a callable, got 3"):
        GuidedEnv(prompts=["a"], checker=3)
    with pytest.raises(ValueError, match=r"task_options=.* has no meaning with prompts"):
        GuidedEnv(prompts=["a"], checker=accept, task_options={"panagram": {}})


GOOD = {"prompt": "a", "target": [{"kind": "punctuation:no_comma"}]}
LANGUAGE = {"kind": "language:response_language", "kwargs": {"language": "da"}}


@pytest.mark.parametrize(
    ("checker", "target", "said"),
    [
        ("instruction_following", 1, "a list of instructions or a dict, got 1"),
        ("instruction_following", [{"kind": "count:sheep"}], "field 'kind' is 'count:sheep'"),
        ("instruction_following", [LANGUAGE], "must be one of 'en'"),
        ("constraint_grammar", {"constraints": []}, "constraints"),
        ("constraint_grammar", "three words", "three words"),
        (AllOf(accept, "instruction_following"), 1, "checker 'instruction_following'"),
        (scale("instruction_following", 0.5), 1, "checker 'instruction_following'"),
    ],
)
def test_a_target_that_the_checker_cannot_read_is_refused_at_once(checker, target, said):
    rows = [] if checker == "constraint_grammar" else [GOOD]
    with pytest.raises(ValueError, match=f"prompt {len(rows)} has a bad target: checker") as caught:
        GuidedEnv(prompts=[*rows, {"prompt": "b", "target": target}], checker=checker)
    assert said in str(caught.value)


def test_targets_of_a_checker_that_says_nothing_of_them_are_taken_as_they_are():
    assert PromptSource([{"prompt": "a", "target": object()}], accept).drafts
    assert GuidedEnv(prompts=[GOOD], checker="instruction_following").reset(seed=0)
