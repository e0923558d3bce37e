"""TriPosT: editing by its rules, examples and weights by hand, and learning on the tiny model."""

import copy
import json
from dataclasses import replace
from types import SimpleNamespace

import gymnasium as gym
import numpy as np
import pytest

from corgi_gym.agents import tripost
from corgi_gym.agents.algorithms import ALGORITHMS
from corgi_gym.agents.checkpoints import latest
from corgi_gym.agents.engines import CharCodec, EngineError, Sampling, ScriptedEngine
from corgi_gym.agents.improvement import (
    Edited,
    Editor,
    answer_example,
    broken_rule,
    outcomes,
    problem_of,
    rationale_example,
    regresses,
    to_examples,
)
from corgi_gym.agents.replay import Piece
from corgi_gym.agents.rollout import Session
from corgi_gym.agents.teacher import Teacher, check_teacher, make_teacher, parse_finding
from corgi_gym.agents.training import check_training
from corgi_gym.agents.tripost import Modules, TripostConfig
from corgi_gym.benchmarks.policy import check_inputs
from corgi_gym.benchmarks.recipe import TrainSpec, load_recipe
from corgi_gym.envs import GuidedEnv
from corgi_gym.envs.self_improvement import SelfImproving, make_env
from corgi_gym.envs.tasks.date_understanding import DateUnderstanding
from corgi_gym.envs.tasks.multistep_arithmetic import MultistepArithmetic
from corgi_gym.envs.tasks.word_sorting import WordSorting
from corgi_gym.rewards.step_feedback import StepScript
from corgi_gym.rewards.trajectory import ALL_CORRECT, StepFeedback, Trajectory, parse_trajectory

from .conftest import Letters

SOURCE = SelfImproving(MultistepArithmetic(cells=["l3d0"], numbers=(2, 9), operators="+-"))
TASK = SOURCE.item(seed=0, index=0)
RIGHT = TASK.witness
STEP, ANSWER = RIGHT.split("\n")
WRONG = f"{STEP} + 0 = 99\nAnswer: 99"
SCRIPTED = Modules(None)


def edit(reply, **kwargs):
    return Editor(SCRIPTED.criticise, SCRIPTED.improve, **kwargs).edit([(TASK, reply)])[0]


# ---------------------------------------------------------------- editing


def test_a_right_reply_is_kept_and_closed():
    made = edit(RIGHT)
    assert (made.attempts, made.feedbacks) == ([RIGHT], [ALL_CORRECT])
    assert made.status == "right" and not made.edited
    said = Trajectory((RIGHT,), ("Looks fine.",)).text()
    assert edit(said).feedbacks == [ALL_CORRECT]


def test_a_wrong_reply_is_corrected_from_its_first_mistake_on():
    made = edit(WRONG)
    assert made.attempts == [WRONG, RIGHT] and made.status == "right" and made.edited
    assert made.feedbacks[0].startswith('In step 1 the part "') and made.feedbacks[1] == ALL_CORRECT


def test_the_policys_own_feedback_is_kept_as_far_as_it_is_right():
    mistake = SCRIPTED.criticise([(TASK, WRONG)])[0]
    good, second = mistake.text(), WRONG.replace("99", "98")
    made = edit(Trajectory((WRONG, second), (good,)).text())
    assert made.attempts == [WRONG, second, RIGHT]
    assert made.feedbacks[0] == good
    # other feedback, or none that can be read: what came after it is dropped
    for said in (StepFeedback(2, "9").text(), "Hm.", ALL_CORRECT):
        made = edit(Trajectory((WRONG, second), (said,)).text())
        assert made.attempts == [WRONG, RIGHT] and made.feedbacks[0] == good


def test_a_right_attempt_that_was_spoiled_ends_the_trajectory():
    made = edit(Trajectory((RIGHT, WRONG), (StepFeedback(1, "1").text(),)).text())
    assert made.attempts == [RIGHT] and made.feedbacks == [ALL_CORRECT] and made.status == "right"


def test_a_right_attempt_ends_the_trajectory_whatever_the_policy_said_of_it():
    """To learn "this is incorrect" of a right attempt would be to learn false alarms."""
    false_alarm = StepFeedback(1, STEP[:3], "it is").text()
    made = edit(Trajectory((RIGHT, RIGHT), (false_alarm, ALL_CORRECT)).text())
    assert (made.attempts, made.feedbacks) == ([RIGHT], [ALL_CORRECT])
    assert made.status == "right" and not made.edited
    mistake = SCRIPTED.criticise([(TASK, WRONG)])[0].text()
    made = edit(Trajectory((WRONG, RIGHT, WRONG, RIGHT), (mistake, false_alarm, mistake)).text())
    assert made.attempts == [WRONG, RIGHT] and made.feedbacks == [mistake, ALL_CORRECT]


@pytest.mark.parametrize(
    "first", ["", "blah", TASK.prompt + "\nAnswer: 1", "so " * 600 + "\nAnswer: 1"]
)
def test_a_made_up_correction_is_no_improvement(first):
    """Of a first attempt that cannot be learned from, the right one after it is what is left."""
    made = edit(Trajectory((first, RIGHT), ("Step 1 is incorrect.",)).text())
    assert (made.attempts, made.feedbacks, made.status) == ([RIGHT], [ALL_CORRECT], "right")
    made = edit(Trajectory((WRONG, RIGHT), ("Step 99 is incorrect.",)).text())
    assert (made.attempts, made.feedbacks) == ([RIGHT], [ALL_CORRECT])


@pytest.mark.parametrize(
    ("first", "why"),
    [(TASK.prompt + "\nAnswer: 1", "question repeated"), ("so " * 600 + "\nAnswer: 1", "too long")],
)
def test_an_attempt_that_cannot_be_learned_from_is_not_learned_before_a_wrong_one(first, why):
    made = edit(Trajectory((first, WRONG), (SCRIPTED.criticise([(TASK, WRONG)])[0].text(),)).text())
    assert made.status == why


def test_a_teacher_for_all_needs_a_teacher(tmp_path):
    with pytest.raises(ValueError, match="teacher_for_all asks a teacher, and there is none"):
        TripostConfig(output_dir=str(tmp_path), teacher_for_all=True)


def test_an_update_that_was_cut_off_is_dropped():
    mistake = SCRIPTED.criticise([(TASK, WRONG)])[0]
    made = edit(Trajectory((WRONG, "2 + "), (mistake.text(),)).text())
    assert made.attempts == [WRONG, RIGHT] and made.status == "right"


@pytest.mark.parametrize(
    ("attempt", "why"),
    [
        ("2 + 3", "unfinished"),
        ("", "unfinished"),
        ("Answer: 1\nAnswer: 2", "unfinished"),
        (f"{TASK.prompt}\nAnswer: 1", "question repeated"),
        ("so " * 600 + "\nAnswer: 1", "too long"),
        ("Feedback:\nAnswer: 1", "marker inside"),
        ("Answer: 1", ""),
        ("Answer: one", ""),
    ],
)
def test_what_cannot_be_learned_from(attempt, why):
    assert problem_of(TASK, attempt) == why


def test_a_rationale_may_restate_what_is_given_but_not_the_question():
    task = SelfImproving(DateUnderstanding()).item(seed=0, index=0)
    given, _, rest = task.prompt.partition(". ")
    question = next(s for s in rest.split(". ") if "?" in s).partition("?")[0] + "?"
    assert problem_of(task, f"{given}.\n{task.witness}") == ""
    for repeated in (question, task.prompt):
        assert problem_of(task, f"{repeated}\n{task.witness}") == "question repeated"
    asked = TASK.prompt.partition(".")[0]  # "Work out ..."
    assert problem_of(TASK, f"{asked}\n{RIGHT}") == "question repeated"


@pytest.mark.parametrize(
    ("old", "new", "mistake", "why"),
    [
        ("a\nb c\nd", "a\nb e\nd", (2, "c"), ""),
        ("a\nb c\nd", "x\nb e\nd", (2, "c"), "right steps changed"),
        ("a\nb c\nd", "a\nb c\nx", (2, "c"), "mistake kept"),
        ("a\nb c d", "a\nx c d", (2, "c"), "mistake kept"),
        ("a\nb c", "a\nb c d", (2, "c"), ""),  # the step had ended too early
        ("a\nb c", "a\nx c", (2, "c"), "mistake kept"),
        ("a\nb", "a", (2, "b"), ""),
        ("a\nb", "b", (2, "b"), "right steps changed"),
        ("a\nb c", "a\nb d", (2, ""), ""),
        # parts are whole words and numbers
        ("7 - 9 = -2\nAnswer: 2", "7 - 9 = -2\nAnswer: -2", (2, "2"), ""),
        ("Answer: -2", "Answer: 2", (1, "-2"), ""),
        ("Answer: 5", "Answer: 15", (1, "5"), ""),
        ("Answer: 4", "Answer: 3/4", (1, "4"), ""),
        ("Answer: 4 is it", "Answer: 4.5 is it", (1, "4"), ""),
        ("Answer: 4 is it", "Answer: so 4. is it", (1, "4"), "mistake kept"),
        ("fig, kiw, pear", "fig, kiwi, pear", (1, "fig, kiw"), ""),
        ("x= 99", "y= 99", (1, "= 99"), "mistake kept"),
        # markup and a full stop stand after the end
        ("Answer: fig, kiwi.", "Answer: fig, kiwi, pear", (1, "kiwi"), ""),
        ("**Answer: fig, kiwi**", "Answer: fig, kiwi, pear", (1, "kiwi"), ""),
        ("Answer: fig, kiwi.", "Answer: pear, **kiwi**", (1, "kiwi"), "mistake kept"),
        # the last step is held against the last step
        ("Answer: 4", "2 * 2 = 4\n4 + 3 = 7\nAnswer: 7", (1, "4"), ""),
        ("Answer: 4", "2 * 2 = 4\nAnswer: so 4", (1, "4"), "mistake kept"),
    ],
)
def test_rules_on_an_update(old, new, mistake, why):
    assert broken_rule(old, new, StepFeedback(*mistake)) == why


def test_no_scripted_mending_is_called_a_mistake_kept():
    """Near misses, other signs and digits, lost letters, markup and full stops."""
    sums = SelfImproving(MultistepArithmetic(cells=["l2d0", "l2d2"], numbers=(0, 9)))
    lists = SelfImproving(WordSorting(cells="w2-3"))
    replies = []
    for task in (source.item(seed=0, index=i) for source in (sums, lists) for i in range(15)):
        replies += [(task, miss) for miss in task_misses(task)]
    statuses = outcomes(Editor(SCRIPTED.criticise, SCRIPTED.improve).edit(replies))
    assert statuses["right"] > 300 and not set(statuses) - {"right", "own", "cut", "unfinished"}


def task_misses(task):
    begun, _, answer = task.witness.rpartition("Answer: ")
    source = WordSorting() if task.family == "word_sorting" else MultistepArithmetic()
    yield from source.near_misses(task)
    if task.family == "word_sorting":
        words = answer.split(", ")
        short = ", ".join(words[:-1])
        yield from (f"Answer: {short}.", f"**Answer: {short}**", f"Answer: **{short}**")
        for i, word in enumerate(words):
            yield f"Answer: {', '.join([*words[:i], word[:-1], *words[i + 1 :]])}"
        yield f"Answer: {' '.join(reversed(words))}"
        yield f"Answer: {'; '.join(reversed(words))}"
        return
    for wrong in (answer[1:] if answer[0] == "-" else f"-{answer}", f"{answer}0", answer[-1]):
        yield from (f"{begun}Answer: {wrong}", f"Answer: {wrong}")
    lines = begun.splitlines()
    for i, line in enumerate(lines):  # a result on the way as the answer
        yield "\n".join([*lines[:i], f"Answer: {line.rpartition('= ')[2]}"])


@pytest.mark.parametrize(
    ("old", "new", "worse"),
    [((2, "a"), (1, "b"), True), ((2, "a"), (2, "xa"), True), ((2, "a"), (2, "b"), False),
     ((2, "a"), (3, "a"), False)],
)  # fmt: skip
def test_regressions(old, new, worse):
    assert regresses(StepFeedback(*old), StepFeedback(*new)) is worse


def edited_by(found, attempts, **kwargs):
    """Edit WRONG with modules that answer from lists."""
    found, attempts = iter(found), iter(attempts)
    return Editor(
        lambda items: [next(found) for _ in items],
        lambda items: [next(attempts) for _ in items],
        **kwargs,
    ).edit([(TASK, WRONG)])[0]


def test_trajectories_that_are_rejected_and_why():
    first = StepFeedback(1, "= 99", "it is not")
    second = StepFeedback(2, "98", "it is not")
    other = f"{STEP}\nAnswer: 98"
    assert edited_by([None], []).status == "no feedback"
    assert edited_by([StepFeedback(3, "")], []).status == "no feedback"  # there is no third step
    assert edited_by([StepFeedback(1, "zzz")], []).status == "no feedback"
    assert edited_by([first], [None]).status == "unfinished"
    assert edited_by([first], [WRONG]).status == "mistake kept"
    assert edited_by([second, None], [other]).status == "no feedback"  # 98 is not in WRONG
    assert edited_by([first, None], [other]).status == "no feedback"
    assert edited_by([first], [other], max_updates=1).status == "never right"
    assert edited_by([first, second], [other, RIGHT]).attempts == [WRONG, other, RIGHT]
    # another part of the same step is no regression: the next update is asked for
    goes_on = edited_by([first, StepFeedback(1, STEP[:3])], [other, None])
    assert goes_on.attempts == [WRONG, other] and goes_on.status == "unfinished"
    worse = edited_by([StepFeedback(2, "99"), StepFeedback(1, STEP[:3])], [WRONG[:-1] + "8"])
    assert worse.status == "cut" and worse.attempts == [WRONG] and len(worse.feedbacks) == 1


# ---------------------------------------------------------------- examples


def test_a_trajectory_is_learned_whole_as_it_is_written():
    fixed = Edited(TASK, ["A", "B", "C"], ["f", "g", ALL_CORRECT], edited=True, status="right")
    whole, own = to_examples(fixed, 1.5)
    assert (whole.kind, own.kind) == ("improvement", "own") and whole.closed and own.closed
    rest = "\nFeedback: f\nUpdated answer:\nB\nFeedback: g\nUpdated answer:\nC"
    rest += f"\nFeedback: {ALL_CORRECT}"
    assert whole.replies == ((Piece("A", 1.0), Piece(rest, 1.5)),)
    assert parse_trajectory(whole.texts[0]) == Trajectory(("A", "B", "C"), ("f", "g", ALL_CORRECT))
    assert own.texts == (f"C\nFeedback: {ALL_CORRECT}",)
    # one that was never right teaches its first feedback, or nothing
    (cut,) = to_examples(Edited(TASK, ["A"], ["f"], edited=True, status="cut"), 1.5)
    assert not cut.closed and cut.texts == ("A\nFeedback: f",)
    assert to_examples(Edited(TASK, ["A", "B"], ["f", "g"], status="never right"), 1.5) == []


def test_in_pairs_a_trajectory_becomes_one_example_per_turn():
    fixed = Edited(TASK, ["A", "B", "C"], ["f", "g", ALL_CORRECT], edited=True, status="right")
    made = to_examples(fixed, 1.5, pairs=True)
    assert [e.kind for e in made] == ["improvement", "improvement", "own"]
    assert made[1].replies == ((Piece("B", 1.0), Piece("\nFeedback: g\nUpdated answer:\nC", 1.5)),)
    assert [e.closed for e in made] == [False, False, True]
    assert made[2].texts == (f"C\nFeedback: {ALL_CORRECT}",)
    assert [p.weight for p in made[2].replies[0]] == [1.0, 1.5]
    own = to_examples(Edited(TASK, ["A"], [ALL_CORRECT], status="right"), 1.5)
    assert [p.weight for p in own[0].replies[0]] == [1.0, 1.0]
    cut = to_examples(Edited(TASK, ["A"], ["f"], edited=True, status="cut"), 1.5)
    assert [(e.kind, e.closed, e.texts) for e in cut] == [
        ("improvement", False, ("A\nFeedback: f",))
    ]
    assert to_examples(Edited(TASK, ["A"], [], status="too long"), 1.5) == []
    for status in ("never right", "mistake kept", "too long", "unscored", "no feedback"):
        rejected = Edited(TASK, ["A", "B"], ["f", "g"], edited=True, status=status)
        assert to_examples(rejected, 1.5, pairs=True) == []
    # an example reads as the reply that the environment judges
    assert parse_trajectory(made[0].texts[0]).attempts == ("A", "B")
    assert rationale_example(TASK, verdict=True).texts == (f"{RIGHT}\nFeedback: {ALL_CORRECT}",)
    assert rationale_example(TASK, verdict=False).texts == (RIGHT,)
    assert answer_example(TASK).texts == (ANSWER,)
    counted = outcomes([fixed, Edited(TASK, status="right"), Edited(TASK, status="too long")])
    assert counted == {"right": 1, "own": 1, "too long": 1}


# ---------------------------------------------------------------- the teacher


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ("Step: 2\nPart: 99\nReason: it is 3.", StepFeedback(2, "99", "it is 3")),
        ('Step: 2\nPart: "99"\nReason: it is 3', StepFeedback(2, "99", "it is 3")),
        ("Step: 3\nPart: 99\nReason: x", None),
        ("Step: 2\nPart: 98\nReason: x", None),
        ("Sure! Step: 2\nPart: 99\nReason: x", None),
        ("Step: 2\nPart: 99\nReason: x\nMore", None),
        ("Step: two\nPart: 99\nReason: x", None),
        ("", None),
    ],
)
def test_a_teachers_answer_is_read_strictly(answer, found):
    assert parse_finding(answer, "1 + 2 = 99\nAnswer: 99") == found


def test_a_teacher_edits_where_there_is_no_script():
    def script(text):
        return f"{STEP}\n{ANSWER}" if "Go on" in text else f"Step: 1\nPart: {part}\nReason: no"

    part = WRONG.split("\n")[0]
    engine = ScriptedEngine(script)
    modules = Modules(Teacher(engine, CharCodec()), teacher_for_all=True)
    editor = Editor(modules.criticise, modules.improve)
    made = editor.edit([(TASK, WRONG), (TASK, RIGHT)])
    assert made[0].attempts == [WRONG, RIGHT] and made[0].status == "right"
    part = "not there"
    assert editor.edit([(TASK, WRONG)])[0].status == "no feedback"
    assert Modules(None, True).scripts  # without a teacher the scripts stay
    longest = Teacher(engine, CharCodec(), max_tokens=50, max_length=60)
    assert longest.answers(["x" * 20], 0.0) == [None]
    with pytest.raises(ValueError, match=r"every one of 8 .* has 60 ids .* max_tokens=50: lower"):
        longest.answers(["x" * 20] * 7, 0.0)
    assert longest.answers(["hi"], 0.0) != [None]
    assert longest.answers(["x" * 20] * 9, 0.0) == [None] * 9  # some can be asked


def test_the_policy_as_teacher_has_the_runs_limits():
    rollout = SimpleNamespace(
        engine=object(), codec=CharCodec(), sampling=Sampling(max_tokens=24), max_length=400
    )
    teacher = make_teacher({"engine": "policy"}, rollout)
    assert (teacher.max_tokens, teacher.max_length) == (24, 400) and not teacher.own_engine
    assert make_teacher({"engine": "policy", "max_tokens": 9}, rollout).max_tokens == 9
    teacher.close()  # its engine is the run's


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"engin": "openai"}, "unknown key 'engin' of the teacher"),
        ({"engine": "openai"}, "needs a model"),
        ({"engine": "gpt", "model": "x"}, "unknown engine 'gpt'"),
        ({"engine": "policy", "max_length": 9}, "whose max_length is that of the run"),
        ({"engine": "openai", "model": "x"}, "engine 'openai' needs options: {url: http"),
        ({"model": "x", "max_tokens": "many"}, "max_tokens must be a positive integer, got 'many'"),
        ({"engine": "policy", "max_tokens": "many"}, "max_tokens must be a positive integer"),
        ({"model": "x", "max_length": 0}, "max_length must be a positive integer, got 0"),
    ],
)
def test_teachers_that_cannot_be(options, words):
    with pytest.raises(ValueError, match=words):
        check_teacher(options)


NOBODY = {"engine": "openai", "model": "x", "options": {"url": "http://127.0.0.1:9/v1"}}


@pytest.mark.parametrize(
    ("teacher", "error", "words"),
    [
        ({"engine": "transformers", "model": "./nowhere"}, ValueError, "unknown model './nowhere'"),
        (NOBODY, EngineError, "127.0.0.1:9"),
    ],
)
def test_a_teacher_that_is_not_there_is_found_before_anything_is_loaded(teacher, error, words):
    check_teacher(teacher)  # nobody is asked where only the options are read
    for name, changes in (
        ("tripost", {"options": {"teacher": teacher}}),
        ("tapir", {"options": {"teacher": teacher}}),
        ("tripost", {"curriculum": {"name": "tapir", "reference": teacher}}),
    ):
        recipe = load_recipe(name)
        recipe = replace(recipe, engine="transformers", train=replace(recipe.train, **changes))
        with pytest.raises(error, match=words):
            check_inputs(recipe)


# ---------------------------------------------------------------- the environment and the recipe


def test_the_environment_judges_the_last_attempt_and_has_two_levels():
    env = make_env("word_sorting", level="both", unseen_options={"word_sorting": {"cells": "w9"}})
    assert list(env.sources) == ["word_sorting", "word_sorting:unseen"]
    prompt, info = env.reset(options={"index": 1})
    assert info["task"] == "word_sorting:unseen" and "Sort these 9 words" in prompt
    task = env.task_at(1)
    reply = Trajectory(("Answer: x", task.witness), ("Step 1 is incorrect.",)).text()
    _, reward, terminated, _, _ = env.step(reply)
    assert (reward, terminated) == (1.0, True)
    env.reset(options={"index": 0})
    *_, info = env.step(Trajectory(("Answer: a", "Answer: b"), ("no",)).text())
    (first, last) = info["problems"][0]["where"]
    assert info["messages"][1]["content"][first:last].strip() == "b"
    assert list(make_env(env.sources, level="seen").sources) == list(env.sources)
    for kwargs, words in (
        ({"level": "hard"}, "unknown level 'hard'"),
        ({"tasks": "countdown", "level": "unseen"}, "has unseen tasks"),
        ({"tasks": "word_sorting", "task_options": {"countdown": {}}}, r"options for \['count"),
        ({"level": "seen", "unseen_options": {"countdown": {}}}, r"options for \['count"),
        ({"self_check": True}, "self_check has no meaning in SelfImprovement-v0"),
        ({"prompts": ["a"]}, "prompts have no meaning in SelfImprovement-v0"),
        ({"tasks": env.sources, "level": "unseen"}, "level have no meaning with tasks={name: sou"),
    ):
        with pytest.raises(ValueError, match=words):
            make_env(**kwargs)
    both = make_env(iter(["word_sorting"]), level="both")
    assert list(both.sources) == ["word_sorting", "word_sorting:unseen"]
    reply = "Answer: b\nFeedback: I wrote Answer: b and it fits."
    env.reset(options={"index": 0})
    *_, info = env.step(reply)
    assert max(info["problems"][0]["where"]) <= reply.index("\n")
    envs = gym.make_vec(
        "SelfImprovement-v0", num_envs=2, vectorization_mode="vector_entry_point",
        render_mode="ansi", repeat_penalty=0.5,
    )  # fmt: skip
    assert len(envs.reset(seed=0)[0]) == 2
    assert [(e.render_mode, e.repeat_penalty) for e in envs.envs] == [("ansi", 0.5)] * 2


def test_the_environment_takes_a_checker_of_ones_own():
    env = make_env("word_sorting", checker=lambda reply, target: "b" in reply)
    env.reset()
    reply = Trajectory(("Answer: a", "Answer: b"), ("Step 1 is incorrect.",)).text()
    assert env.step(reply)[1] == 1.0


def test_tripost_says_what_it_needs_before_a_model_is_loaded():
    recipe = load_recipe("tripost")
    env = gym.make(recipe.env.id, **recipe.env.kwargs)
    check_training("tripost", recipe.train, env)
    with pytest.raises(ValueError, match="SelfImprovement-v0 with tasks="):
        check_training("tripost", recipe.train, GuidedEnv("word_sorting"))
    dates = make_env("date_understanding")
    with pytest.raises(ValueError, match="find the mistakes in 'date_understanding'"):
        check_training("tripost", TrainSpec(), dates)
    check_training("tripost", TrainSpec(options={"data": "answers"}), dates)
    teacher = {"engine": "policy"}
    check_training("tripost", TrainSpec(options={"teacher": teacher}), dates)


# ---------------------------------------------------------------- training


SPEC = {
    "rounds": 3, "sessions": 32, "num_generations": 2, "updates": 2, "micro_batch": 8,
    "learning_rate": 4e-3, "max_attempts": 1,
}  # fmt: skip


@pytest.fixture
def trainer_of(make_tiny_trainer, monkeypatch):
    """A function: a TriPosT trainer on the letter task, whose script knows the witness."""
    script = StepScript(
        lambda attempt, target, witness: StepFeedback(1, "", "it lacks letters"),
        lambda attempt, mistake, target, witness: witness,
    )
    monkeypatch.setitem(tripost.SCRIPTS, "letters", script)

    def make(model, spec=None, **options):
        def env():
            return GuidedEnv(
                tasks={"letters": SelfImproving(Letters(), request="")}, max_attempts=1
            )

        trainer = make_tiny_trainer(
            model, env, {**SPEC, **(spec or {})}, algorithm="tripost", max_tokens=8, options=options
        )
        trainer.reports = []
        trainer.on_rollout = trainer.reports.append
        return trainer

    return make


def played(trainer, count=32):
    sessions = [Session(index=i, seed=i) for i in range(count)]
    return float(np.mean([e.reward for e in trainer.rollout.run(sessions)]))


def test_tripost_learns_the_tiny_problem(tiny_model, trainer_of, tmp_path):
    trainer = trainer_of(tiny_model, num_iterations=3, save_examples=str(tmp_path / "ex"))
    before = played(trainer)
    trainer.train()
    assert played(trainer) > before + 0.2
    assert [len(r.episodes) for r in trainer.reports] == [32] * 3
    assert len({e.index for e in trainer.reports[0].episodes}) == 32
    logs = [row for row in trainer.state.log_history if "examples/improvement" in row]
    assert logs and sum(v for k, v in logs[0].items() if "outcome" in k) == pytest.approx(1.0)
    rows = [json.loads(r) for r in (tmp_path / "ex" / "round-00000.jsonl").open()]
    kinds = [row["kind"] for row in rows]
    count = kinds.count("improvement")
    assert count > 0 and len(rows) <= 32
    assert kinds.count("rationale") <= -(-count * 2 // 3)


def test_a_teachers_own_engine_is_closed_with_the_training(tiny_model, trainer_of):
    closed, trainer = [], trainer_of(tiny_model)
    engine = SimpleNamespace(close=lambda: closed.append(1))
    assert trainer.teachers() == []
    for own in (False, True):  # the policy's engine is the run's
        trainer.teacher = Teacher(engine, CharCodec(), own_engine=own)
        assert trainer.teachers() == [trainer.teacher]
        trainer.close()
        assert len(closed) == own


def test_the_loss_is_the_weighted_cross_entropy(tiny_model, trainer_of):
    untrained = copy.deepcopy(tiny_model)
    trainer = trainer_of(tiny_model, {"rounds": 1, "updates": 1}, bf16=False)
    seen = []
    original = trainer._micro_batches
    trainer._micro_batches = lambda batch: seen.append(batch) or original(batch)
    trainer.train()
    batch, total, count = seen[0], 0.0, 0
    import torch

    # a mean over the tokens with a weight, of a loss that is divided by all of them
    chosen = int((batch["advantages"] != 0).sum())
    batch["advantages"] *= chosen / float(batch["num_items_in_batch"])
    found = sorted({round(float(w), 5) for w in batch["advantages"].unique()})
    assert found == [0.0, 1.0, 1.5]
    for row, weights in enumerate(batch["advantages"]):
        prompt = batch["prompt_ids"][row][batch["prompt_mask"][row] == 1]
        reply = batch["completion_ids"][row][batch["completion_mask"][row] == 1]
        ids = torch.cat([prompt, reply])[None]
        logps = untrained(input_ids=ids).logits[0, :-1].log_softmax(-1)
        chosen = logps.gather(1, ids[0, 1:, None])[len(prompt) - 1 :, 0]
        own = weights[: len(chosen)]
        total, count = total - float((own * chosen).sum().detach()), count + int((own != 0).sum())
    logged = sum(row["loss"] for row in trainer.state.log_history if "loss" in row)
    assert logged == pytest.approx(total / count, rel=1e-3)


@pytest.mark.parametrize("data", ["rationales", "answers", "demonstrations"])
def test_baselines_learn_too(data, tiny_model, trainer_of):
    trainer = trainer_of(tiny_model, data=data, num_iterations=3)
    before = played(trainer)
    trainer.train()
    assert played(trainer) > before + 0.2


def test_self_training_and_warm_up(tiny_model, trainer_of):
    trainer = trainer_of(tiny_model, {"rounds": 4}, data="self", warmup_rounds=2, num_iterations=2)
    trainer.train()
    assert all(e.success for r in trainer.reports[:2] for e in r.episodes)
    own = [row for row in trainer.state.log_history if "examples/own" in row]
    assert own and not any("examples/improvement" in row for row in own)


def test_an_iteration_without_examples_ends_training(tiny_model, trainer_of, monkeypatch, tmp_path):
    silent = StepScript(lambda *_: None, lambda *_: None)
    monkeypatch.setitem(tripost.SCRIPTS, "letters", silent)
    monkeypatch.setattr(Letters, "checker", staticmethod(lambda reply, target: False))
    trainer = trainer_of(tiny_model)
    trainer.keep_checkpoints(tmp_path / "c", every=5)
    weights = copy.deepcopy(trainer.model.state_dict())
    trainer.train()
    assert len(trainer.reports) == 1
    assert trainer.ended_early.startswith("training ends with round 1: it has 0 examples of the po")
    # the round is done to its end, and saved as the last one
    assert trainer.state.global_step == trainer.steps_per_round == 2
    found, _ = latest(tmp_path / "c")
    assert (found.rounds, found.trained) == (1, True)
    assert all((weights[k] == v).all() for k, v in trainer.model.state_dict().items())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"data": "gold"}, "unknown data 'gold'; choose from improvement, rationales"),
        ({"detail": "some"}, "unknown detail 'some'"),
        ({"passes": 0}, "passes must be at least 1, got 0"),
        ({"feedback_weight": 0.0}, "feedback_weight must be positive, got 0.0"),
    ],
)
def test_settings_that_cannot_be_are_named(options, words, tiny_model, trainer_of):
    with pytest.raises(ValueError, match=words):
        trainer_of(tiny_model, **options)


def test_the_row_has_the_papers_numbers():
    config = tripost.TripostConfig.__dataclass_fields__
    assert (config["rho"].default, config["feedback_weight"].default) == (1.5, 1.5)
    assert ALGORITHMS["tripost"].env == {"max_attempts": 1}
