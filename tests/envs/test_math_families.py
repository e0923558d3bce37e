"""The families of GuidedMath: one set of properties for all of them and their options."""

import copy
import json
import pickle
import re
from collections import Counter
from datetime import datetime, timedelta
from itertools import permutations

import gymnasium as gym
import numpy as np
import pytest

import corgi_gym  # noqa: F401  registers the ids
from corgi_gym.envs import SPLITS, GuidedEnv, feedback, load_family, make_sources
from corgi_gym.envs.feedback import LEVELS
from corgi_gym.envs.tasks._stories import DISTRACTORS, STORIES
from corgi_gym.envs.tasks.date_understanding import DateUnderstanding, _draw
from corgi_gym.envs.tasks.fractions_units import SYSTEMS, FractionsUnits
from corgi_gym.envs.tasks.gsm8k import Gsm8k
from corgi_gym.envs.tasks.linear_equations import LEVELS as EQUATION_LEVELS
from corgi_gym.envs.tasks.linear_equations import LinearEquations
from corgi_gym.envs.tasks.logical_deduction import LogicalDeduction
from corgi_gym.envs.tasks.math_problems import MathProblems, last_boxed
from corgi_gym.envs.tasks.word_problems import WordProblems
from corgi_gym.envs.tasks.word_sorting import WordSorting
from corgi_gym.rewards import judge
from corgi_gym.rewards.fractions_units import SPELLINGS
from corgi_gym.rewards.logical_deduction import holds
from corgi_gym.rewards.rational import evaluate

SOURCES = {
    "word_problems": WordProblems(),
    "word_problems, two steps": WordProblems(steps=(2, 2)),
    "word_problems, distractors": WordProblems(distractors=2),
    "linear_equations": LinearEquations(),
    "linear_equations, whole": LinearEquations(rational=False),
    **{f"linear_equations, {level}": LinearEquations(levels=level) for level in EQUATION_LEVELS},
    "fractions_units": FractionsUnits(),
    "fractions_units, fractions": FractionsUnits(kinds="fractions"),
    "fractions_units, units": FractionsUnits(kinds=["convert", "mixed"]),
    "word_sorting": WordSorting(),
    "word_sorting, all": WordSorting(cells="all"),
    "word_sorting, one letter": WordSorting(cells="unseen", first_letters=1),
    "date_understanding": DateUnderstanding(),
    "date_understanding, unseen": DateUnderstanding(cells="unseen"),
    "logical_deduction": LogicalDeduction(),
    "logical_deduction, unseen": LogicalDeduction(cells="unseen"),
    "logical_deduction, choice": LogicalDeduction(cells="all", form="choice"),
}
PER_SPLIT = 60
NAMES = list(dict.fromkeys(name.partition(",")[0] for name in SOURCES))


@pytest.fixture(scope="module", params=SOURCES, ids=str)
def tasks(request):
    source = SOURCES[request.param]
    return source, {s: [source.item(5, i, s) for i in range(PER_SPLIT)] for s in SPLITS}


def test_witness_is_right_and_near_misses_are_not(tasks):
    source, by_split = tasks
    for task in (task for split in SPLITS for task in by_split[split]):
        assert judge(task.checker, task.witness, task.target).success, task
        misses = source.near_misses(task)
        assert len(misses) >= 10
        for miss in misses:
            verdict = judge(task.checker, miss, task.target)
            assert verdict.status == "scored", (task.prompt, miss)
            assert verdict.score <= 0.5, (task.prompt, miss)


def test_splits_do_not_overlap(tasks):
    _, by_split = tasks
    for part in ("task_id", "prompt"):
        sets = [{getattr(task, part) for task in by_split[split]} for split in SPLITS]
        assert sum(map(len, sets)) == len(set().union(*sets))


def test_equal_ids_are_equal_tasks(tasks):
    source, by_split = tasks
    content = {}
    more = [source.item(6, i) for i in range(100)]
    for task in (*more, *(task for split in SPLITS for task in by_split[split])):
        known = content.setdefault(task.task_id, task)
        assert (known.prompt, known.target, known.witness) == (
            task.prompt,
            task.target,
            task.witness,
        )


def test_item_is_pure(tasks):
    source, by_split = tasks
    for index in (PER_SPLIT - 1, 0, 20):
        assert source.item(5, index, "test") == by_split["test"][index]
    assert len({source.item(seed, 0).task_id for seed in range(20)}) > 15


def test_prompts_are_short_and_hide_the_answer(tasks):
    _, by_split = tasks
    for task in by_split["train"]:
        assert len(task.prompt) < 1_000
        assert task.witness not in task.prompt
        assert 'End with one line: "Answer:"' in task.prompt


def test_no_fixed_reply_is_right_often(tasks):
    source, _ = tasks
    if isinstance(source, LogicalDeduction) and source.form == "choice":
        return  # documented: right once in 3 to 7 times
    answers = Counter(
        source.item(9, i).witness.rpartition("Answer: ")[2].casefold() for i in range(300)
    )
    assert answers.most_common(1)[0][1] <= 15  # 5 %


def test_every_level_says_something_about_every_near_miss(tasks):
    source, by_split = tasks
    for task in by_split["test"][:5]:
        for miss in source.near_misses(task):
            verdict = judge(task.checker, miss, task.target)
            texts = [feedback(verdict, level) for level in LEVELS]
            assert len(set(texts)) == len(LEVELS)
            kinds = [problem.kind.replace("_", " ") for problem in verdict.problems]
            assert all(kind in texts[3] for kind in kinds)


@pytest.mark.parametrize("name", NAMES)
def test_same_tasks_whatever_the_hash_seed(name, run_python):
    code = (
        "from corgi_gym.envs import load_family; from corgi_gym.rewards import judge\n"
        f"source = load_family({name!r})()\n"
        "for i in range(20):\n"
        "    t = source.item(3, i, 'test')\n"
        "    print(t.task_id, repr(t.prompt), t.target, repr(t.witness))\n"
        "    print([judge(t.checker, m, t.target) for m in source.near_misses(t)])\n"
    )
    outputs = {run_python(code, PYTHONHASHSEED=seed) for seed in ("0", "4242")}
    assert len(outputs) == 1 and len(outputs.pop()) > 10_000


@pytest.mark.parametrize("name", NAMES)
def test_solving_through_the_environment(name):
    env = gym.make("GuidedMath-v0", tasks=name, max_attempts=3)
    for index in range(3):
        env.reset(seed=0, options={"index": index})
        task = env.unwrapped.task_at(index)
        miss = env.unwrapped.sources[name].near_misses(task)[0]
        message, reward, terminated, _, _ = env.step(miss)
        assert reward < 1.0 and not terminated and message.endswith("Try again.")
        _, _, terminated, _, info = env.step(task.witness)
        assert terminated and info["success"] and info["best_score"] == 1.0


@pytest.mark.parametrize(
    "make",
    [
        lambda: WordProblems(steps=(1, 3)),
        lambda: WordProblems(steps=(4, 3)),
        lambda: WordProblems(distractors=3),
        lambda: LinearEquations(levels="hard"),
        lambda: LinearEquations(levels=[]),
        lambda: FractionsUnits(kinds="percent"),
        lambda: FractionsUnits(operands=(2, 4)),
        lambda: WordSorting(cells="w1-3"),
        lambda: WordSorting(cells="w21"),
        lambda: WordSorting(cells=["seen"]),
        lambda: WordSorting(cells=[]),
        lambda: WordSorting(first_letters=0),
        lambda: WordSorting(first_letters=2.5),
        lambda: WordProblems(steps=(2.5, 3.5)),
        lambda: DateUnderstanding(cells="s6"),
        lambda: DateUnderstanding(cells=[]),
        lambda: LogicalDeduction(cells="o4"),
        lambda: LogicalDeduction(form="essay"),
        lambda: MathProblems([], levels=(0, 9)),
    ],
)
def test_bad_options_are_named(make):
    with pytest.raises(
        ValueError, match=r"(steps|distractors|levels|kinds|operands|cells|form)\b|let"
    ):
        make()


# ---------------------------------------------------------------- word problems


def test_there_are_stories_of_every_length():
    assert len(STORIES) >= 25
    counts = Counter(len(story.steps) for story in STORIES)
    assert set(counts) == {2, 3, 4, 5} and min(counts.values()) >= 4


def test_the_working_leads_to_the_answer_and_uses_the_numbers_of_the_story():
    source = WordProblems()
    seen = set()
    for index in range(400):
        task = source.item(1, index)
        *working, _ = task.witness.splitlines()
        for line in working:
            left, _, right = line.partition(" = ")
            assert evaluate(left).value == evaluate(right).value > 0
        assert working[-1].endswith(f"= {task.target['answer']}")
        known = {*re.findall(r"[0-9.]*[0-9]", task.prompt)}
        first = re.findall(r"[0-9.]*[0-9]", working[0].partition(" = ")[0])
        assert set(first) - {"100", "2"} <= known
        seen.add(working[0].translate(str.maketrans("", "", "0123456789.")) + str(len(working)))
        assert "{" not in task.prompt
    assert len(seen) >= 10


@pytest.mark.parametrize("count", [0, 1, 2])
def test_distractors_are_sentences_that_no_step_uses(count):
    source = WordProblems(distractors=count)
    patterns = [
        re.sub(r"\\{(bob|cem)\\}", "[A-Z][a-z]+", re.escape(text)).replace("\\{n\\}", "([0-9]+)")
        for text in DISTRACTORS
    ]
    for index in range(60):
        task = source.item(2, index)
        found = [match for p in patterns if (match := re.search(p, task.prompt))]
        assert len(found) == count
        for match in found:
            assert match[1] not in task.witness.splitlines()[0].partition(" = ")[0].split()


# ---------------------------------------------------------------- equations and units


def test_solutions_solve_their_equations():
    source = LinearEquations()
    kinds = Counter()
    for index in range(300):
        target = source.item(1, index).target
        kinds[len(target["solution"]), "/" in str(target["solution"])] += 1
        for equation in target["equations"]:
            left, right = (
                evaluate(_substitute(side, target["solution"])).value
                for side in equation.split("=")
            )
            assert left == right
    assert len(kinds) == 4


def _substitute(side, solution):
    side = re.sub(r"(?<=[0-9])(?=[a-z(])", "*", side)
    return "".join(f"({solution[c]})" if c in solution else c for c in side)


def test_unit_systems_know_their_spellings_and_factors():
    assert {unit for system in SYSTEMS for unit, _ in system} == set(SPELLINGS)
    source = FractionsUnits(kinds="convert")
    for index in range(200):
        task = source.item(0, index)
        step = task.witness.splitlines()[0]
        left, _, right = step.partition(" = ")
        assert evaluate(left).value == evaluate(right).value
        assert right in task.witness.splitlines()[1]


# ---------------------------------------------------------------- TriPosT's cells


@pytest.mark.parametrize("cell", ["w2-3", "w4-7", "w8-10", "w11-15", "w16-20", "w5"])
def test_word_sorting_cells(cell):
    fewest, _, most = cell[1:].partition("-")
    source = WordSorting(cells=cell)
    for index in range(30):
        words = source.item(0, index).target["words"]
        assert int(fewest) <= len(words) <= int(most or fewest)
        assert len(set(words)) == len(words)
        assert len(words) == 2 or words != sorted(words)


def test_words_of_one_letter():
    source = WordSorting(cells="w8-10", first_letters=1)
    assert all(len({w[0] for w in source.item(0, i).target["words"]}) == 1 for i in range(20))


@pytest.mark.parametrize("cell", ["s1", "s2", "s3", "s4", "s5"])
def test_date_cells_have_so_many_steps(cell):
    source = DateUnderstanding(cells=cell)
    for index in range(30):
        task = source.item(0, index)
        sentences = re.split(r"(?<=[.?]) ", task.prompt.partition(" End with")[0])
        assert len(sentences) == int(cell[1]) + 2  # the given date and the question
        datetime.strptime(task.target["date"], "%m/%d/%Y")  # noqa: DTZ007 (a date)


def test_dates_of_simple_steps():
    day = re.compile(r"(exactly )?(one|two|three|\d+) (day|week)s? (after|before)", re.I)
    numbers, checked = {"one": 1, "two": 2, "three": 3}, 0
    source = DateUnderstanding(cells="s1")
    for index in range(300):
        task = source.item(0, index)
        match = day.search(task.prompt)
        if match:
            count = numbers.get(match[2].lower()) or int(match[2])
            days = count * (7 if match[3] == "week" else 1) * (1 if match[4] == "after" else -1)
            given = datetime.strptime(task.target["given"], "%m/%d/%Y")  # noqa: DTZ007
            found = (given + timedelta(days=days)).strftime("%m/%d/%Y")
            assert found == task.target["date"]
            checked += 1
    assert checked > 30


def test_weekdays_and_ends_of_months():
    source, weekdays, ends = DateUnderstanding(cells="s1"), 0, 0
    for index in range(300):
        task = source.item(0, index)
        found = datetime.strptime(task.target["date"], "%m/%d/%Y")  # noqa: DTZ007
        given = datetime.strptime(task.target["given"], "%m/%d/%Y")  # noqa: DTZ007
        match = re.search(r"(first|last) (\w+day) (after|before)", task.prompt)
        if match:
            assert found.strftime("%A") == match[2]
            assert 1 <= abs((found - given).days) <= 7
            assert (found > given) == (match[3] == "after")
            weekdays += 1
        if "last day of the month" in task.prompt:
            assert (found + timedelta(days=1)).day == 1 and found.month == given.month
            ends += 1
    assert weekdays > 10 and ends > 10


@pytest.mark.parametrize("cell", ["o3", "o5", "o7"])
def test_statements_allow_one_order_and_none_is_spare(cell):
    source = LogicalDeduction(cells=cell)
    for index in range(4 if cell == "o7" else 25):
        target = source.item(0, index).target
        assert len(target["order"]) == int(cell[1])
        assert _orders(target["order"], target["statements"]) == [tuple(target["order"])]
        for left_out in range(len(target["statements"])):
            rest = target["statements"][:left_out] + target["statements"][left_out + 1 :]
            assert len(_orders(target["order"], rest, stop=2)) == 2


def test_splits_share_no_puzzle_in_another_order_of_its_statements():
    source = LogicalDeduction(cells="o3")

    def puzzle(task):
        return tuple(task.target["order"]), frozenset(map(tuple, task.target["statements"]))

    test = {puzzle(source.item(0, i, "test")) for i in range(120)}
    assert not test & {puzzle(source.item(0, i)) for i in range(600)}


def test_a_month_has_one_end():
    """Its key would say "before" and "after" of the same question."""
    draws = (_draw(np.random.default_rng(seed)) for seed in range(400))
    sizes = {size for kind, size in draws if kind == "month_end"}
    assert sizes == {1}


def _orders(names, statements, stop=10):
    found = []
    for order in permutations(names):
        place = {name: number for number, name in enumerate(order)}
        if all(holds(statement, place) for statement in statements):
            found.append(order)
            if len(found) == stop:
                break
    return found


def test_options_hold_one_truth_that_no_statement_says_outright():
    source = LogicalDeduction(cells="all", form="choice")
    letters = Counter()
    for index in range(100):
        task = source.item(0, index)
        options = re.findall(r"^\((.)\) (.*)$", task.prompt, re.M)
        assert len({text for _, text in options}) == len(options) in (3, 5, 7)
        truth = dict(options)[task.target["option"]]
        assert truth not in task.prompt.partition(" Which option")[0]
        letters[task.target["option"]] += 1
    assert len(letters) == 7


def test_cells_by_name():
    assert LogicalDeduction(cells="all").cells == [3, 5, 7]
    assert DateUnderstanding().cells == [1, 2]
    assert WordSorting(cells="unseen").cells == [(8, 10), (11, 15), (16, 20)]


# ---------------------------------------------------------------- GSM8K and MATH from files

GSM8K_ROWS = [
    {"question": f"Ann has {n} eggs and buys 6 more. How many?", "answer": (
        f"She has {n} + 6 = <<{n}+6={n + 6}>>{n + 6} eggs.\n#### {n + 6:,}")}
    for n in range(995, 1_025)
]  # fmt: skip
MATH_ROWS = [
    {
        "problem": f"What is half of {n}?",
        "solution": f"First $\\boxed{{0}}$, no: $\\boxed{{\\frac{{{n}}}{{2}}}}$.",
        "level": f"Level {n % 5 + 1}",
        "type": "Prealgebra",
    }
    for n in range(1, 61, 2)
]


@pytest.mark.parametrize("kind", [".jsonl", ".json", ".csv"])
def test_gsm8k_from_a_file(kind, tmp_path):
    path = tmp_path / f"rows{kind}"
    if kind == ".csv":
        lines = ["question,answer", *('"{question}","{answer}"'.format(**r) for r in GSM8K_ROWS)]
        path.write_text("\n".join(lines))
    else:
        rows = [json.dumps(row) for row in GSM8K_ROWS]
        path.write_text("\n".join(rows) if kind == ".jsonl" else f"[{','.join(rows)}]")
    env = GuidedEnv(tasks="gsm8k", task_options={"gsm8k": {"data": str(path)}})
    message, _ = env.reset(options={"index": 0})
    assert message.startswith("Ann has") and "<<" not in message
    task = env.task_at(0)
    assert "<<" not in task.witness and "####" not in task.witness
    assert env.step(task.witness)[2]


def test_gsm8k_witnesses_and_near_misses():
    source = Gsm8k(GSM8K_ROWS)
    for split in source.drafts:
        for index in range(5):
            task = source.item(0, index, split)
            assert judge(task.checker, task.witness, task.target).success
            for miss in source.near_misses(task):
                assert not judge(task.checker, miss, task.target).success


def test_bad_rows_are_named_and_good_ones_kept():
    bad = [{"question": "How many?", "answer": "I do not know"}, {"question": "?", "answer": 5}]
    with pytest.warns(RuntimeWarning) as caught:
        source = Gsm8k([*bad, *GSM8K_ROWS])
    texts = " ".join(str(w.message) for w in caught)
    assert "row 1" in texts and "#### number" in texts and "row 2" in texts
    assert sum(len(part) for part in source.drafts.values()) == len(GSM8K_ROWS)
    with pytest.raises(ValueError, match="no usable row"), pytest.warns(RuntimeWarning):
        Gsm8k(bad[:1])


def test_math_rows_and_levels():
    source = MathProblems(MATH_ROWS)
    drafts = [draft for part in source.drafts.values() for draft in part]
    assert len(drafts) == len(MATH_ROWS)
    answers = {draft.target["answer"] for draft in drafts}
    assert answers == {f"\\frac{{{n}}}{{2}}" for n in range(1, 61, 2)}
    assert all(draft.prompt.startswith(draft.target["question"]) for draft in drafts)
    easy = MathProblems(MATH_ROWS, levels=(1, 2))
    assert 0 < sum(map(len, easy.drafts.values())) < len(MATH_ROWS)
    task = source.item(0, 0)
    assert judge(task.checker, task.witness, task.target).success
    for miss in source.near_misses(task):
        assert not judge(task.checker, miss, task.target).success, miss


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (r"\boxed{5}", "5"),
        (r"\boxed{1} and \fbox{\frac{1}{2}}.", r"\frac{1}{2}"),
        (r"\boxed{\{1, 2\}}", r"\{1, 2\}"),
        (r"\boxed {x}", "x"),
        (r"\boxed 7", "7"),
        (r"\boxed{5", None),
        ("no box", None),
        (r"\boxed", None),
        (r"\boxed{a \\ b}", r"a \\ b"),
    ],
)
def test_boxes(text, found):
    assert last_boxed(text) == found


def test_published_test_rows_stay_the_test_split(monkeypatch):
    from corgi_gym.envs.tasks import _hub

    def rows(source, fields, *, split="train", id_field=None):
        assert source == "openai/gsm8k:main"
        return GSM8K_ROWS[:20] if split == "train" else GSM8K_ROWS[18:]

    monkeypatch.setattr(_hub, "load_rows", rows)
    source = Gsm8k()
    published = {row["question"] for row in GSM8K_ROWS[18:]}
    assert {draft.key for draft in source.drafts["test"]} == published
    for split in ("train", "validation"):
        assert not {draft.key for draft in source.drafts[split]} & published
    assert len(source.drafts["train"]) + len(source.drafts["validation"]) == 18


def test_families_on_request_are_in_no_mixture_but_have_a_name():
    assert not {"gsm8k", "math"} & set(make_sources("all"))
    assert load_family("math") is MathProblems
    with pytest.raises(ValueError, match=r"unknown task family 'gsm8'; known: .*gsm8k, math"):
        load_family("gsm8")


# ---------------------------------------------------------------- reasoning-gym


@pytest.fixture(scope="module")
def adapter():
    pytest.importorskip("reasoning_gym")
    from corgi_gym.envs.tasks import reasoning_gym

    return reasoning_gym


# quick to make, and one for each way of judging
QUICK = (
    "chain_sum", "rotate_matrix", "group_anagrams", "number_filtering", "fraction_simplification",
    "prime_factorization", "power_function", "pool_matrix", "countdown", "n_queens", "kakurasu",
    "palindrome_generation", "syllogism", "ransom_note", "isomorphic_strings", "bf", "jugs",
    "family_relationships", "knights_knaves", "tower_of_hanoi", "number_format", "gsm_symbolic",
)  # fmt: skip


@pytest.mark.parametrize("name", QUICK)
def test_reasoning_gym_families(name, adapter):
    source = load_family(f"reasoning_gym/{name}")()
    again = load_family(f"reasoning_gym/{name}")()
    ids = {}
    for split in SPLITS:
        made = [source.item(3, index, split) for index in range(8)]
        assert [again.item(3, index, split) for index in reversed(range(8))] == made[::-1]
        ids[split] = {task.task_id for task in made}
        for task in made:
            assert judge(task.checker, task.witness, task.target).success, task
            for miss in source.near_misses(task):
                verdict = judge(task.checker, miss, task.target)
                assert verdict.status == "scored" and not verdict.success, (task, miss)
    assert not ids["train"] & ids["test"] and not ids["train"] & ids["validation"]


@pytest.mark.parametrize("name", ["chain_sum", "group_anagrams"])
def test_reasoning_gym_environments_can_be_pickled_and_copied(name, adapter):
    env = GuidedEnv(tasks=f"reasoning_gym/{name}")
    env.reset(seed=0)
    for other in (pickle.loads(pickle.dumps(env)), copy.deepcopy(env)):
        assert other.task_at(5) == env.task_at(5)
        assert other.step("1") == copy.deepcopy(env).step("1")


def test_reasoning_gym_has_over_ninety_families(adapter):
    names = adapter.family_names()
    assert len(names) > 90 and "reasoning_gym/chain_sum" in names


def test_every_reasoning_gym_family_makes_a_solvable_task(adapter):
    slow = {"futoshiki", "zebra_puzzles", "arc_agi", "puzzle24", "number_sequence", "sokoban"}
    for name in adapter.family_names():
        if name.removeprefix(adapter.PREFIX) not in slow:
            task = load_family(name)(questions=1).item(0, 0)
            assert judge(task.checker, task.witness, task.target).success, task


def test_reasoning_gym_items_do_not_depend_on_the_hash_seed(adapter, run_python):
    code = (
        "from corgi_gym.envs import load_family\n"
        f"for name in {QUICK!r}:\n"
        "    task = load_family(f'reasoning_gym/{name}')().item(1, 2)\n"
        "    print(task.task_id, repr(task.prompt), task.target)\n"
    )
    outputs = {run_python(code, PYTHONHASHSEED=seed) for seed in ("0", "77")}
    assert len(outputs) == 1


def test_reasoning_gym_leaves_the_global_generator_alone(adapter):
    source = load_family("reasoning_gym/pool_matrix")()
    before = np.random.get_state()[1].tolist()
    source.item(0, 0)
    assert np.random.get_state()[1].tolist() == before


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("rubiks_cube", {}, "left out: no stored answer"),
        ("chain_summ", {}, "unknown family 'reasoning_gym/chain_summ'; known: .*chain_sum"),
        ("chain_sum", {"min_terms": 5, "max_terms": 2}, "max_terms must be >= min_terms"),
        ("chain_sum", {"questions": 13}, "questions must be at most 12, got 13"),
        ("chain_sum", {"seed": 4}, "seed and size are set here"),
        ("n_queens", {"questions": 2}, "has one question per task, got 2"),
    ],
)
def test_bad_reasoning_gym_options(name, options, message, adapter):
    with pytest.raises(ValueError, match=message):
        load_family(f"reasoning_gym/{name}")(**options)


def test_reasoning_gym_through_the_environment(adapter):
    name = "reasoning_gym/chain_sum"
    env = gym.make("GuidedMath-v0", tasks=name, task_options={name: {"max_terms": 3}})
    _, info = env.reset(seed=0, options={"index": 3})
    assert info["task"] == name
    assert env.step("Answer: 0.5")[0].endswith("is not right. Try again.")
    assert env.step(env.unwrapped.task_at(3).witness)[2]


def test_without_the_package_the_error_names_the_extra(run_python):
    code = (
        "import sys; sys.modules['reasoning_gym'] = None\n"
        "from corgi_gym.envs import load_family\n"
        "try:\n    load_family('reasoning_gym/chain_sum')\n"
        "except ImportError as error:\n    print(error)\n"
    )
    assert 'pip install "corgi-gym[math]"' in run_python(code)


def test_the_mixture_loads_nothing_optional(run_python):
    code = (
        "import sys, gymnasium as gym, corgi_gym\n"
        "env = gym.make('GuidedMath-v0'); env.reset(options={'index': 3})\n"
        "print({'reasoning_gym', 'sympy', 'datasets', 'math_verify'} & set(sys.modules))\n"
    )
    assert run_python(code).strip() == "set()"
