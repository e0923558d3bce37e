"""`rationale_generation` with the packaged student: every background helps (slow, marked model).

This is also how the fourth column of `envs/tasks/_facts.py` was found: a wrong option needs to lose
by `LEAD` with the background, which must have moved it by `GAIN` and a margin.
"""

import pytest

from corgi_gym.envs.tasks.rationale_generation import RationaleGeneration, facts
from corgi_gym.rewards import judge
from corgi_gym.rewards.rationale_generation import GAIN
from corgi_gym.rewards.semantic.student import CausalStudent

pytestmark = pytest.mark.model
LEAD, MARGIN = 0.3, 0.03


def test_each_fact_holds_against_each_of_its_wrong_options():
    student = CausalStudent()
    weak = []
    for fact in facts():
        options = [fact.answer, *fact.others]
        with_it = student.scores(fact.background, fact.question, options)
        without = student.scores("", fact.question, options)
        for i, option in enumerate(options[1:], start=1):
            lead, before = with_it[0] - with_it[i], without[0] - without[i]
            if lead < LEAD or lead - before < GAIN + MARGIN:
                weak.append((fact.answer, option, lead, lead - before))
    assert not weak


def test_witness_solves_and_near_misses_do_not():
    source = RationaleGeneration()
    for i in range(12):
        task = source.item(0, i)
        verdict = judge(task.checker, task.witness, task.target)
        assert verdict.success, (task.prompt, task.witness, verdict.problems)
        for reply in source.near_misses(task):
            verdict = judge(task.checker, reply, task.target)
            assert verdict.status == "scored" and verdict.score < 1.0


def test_blind_replies_do_not_convince():
    """Fixed replies that take up a word of many questions: at most 5 % solved."""
    blind = [
        "The dog chased a ball across the park. A cook boiled the eggs in the kitchen.",
        "Tea becomes sour from the juice of a yellow fruit that grows on trees in warm countries.",
        "People wear it on the head, the hand, the foot or the neck in winter, in the rain or in "
        "the sun.",
    ]
    source = RationaleGeneration()
    tasks = [source.item(8, i) for i in range(60)]
    for reply in blind:
        solved = sum(judge(task.checker, reply, task.target).success for task in tasks)
        assert solved <= 0.05 * len(tasks), reply
