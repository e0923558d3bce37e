"""The audit catches checkers that are broken on purpose, each by its way, and passes a good one."""

import importlib.util
import time
from pathlib import Path

import pytest

from corgi_gym.rewards import Problem, Verdict, checker
from corgi_gym.rewards.audit import Limits, Row, audit
from corgi_gym.rewards.audit.calls import Case, load
from corgi_gym.rewards.audit.runner import CHECKS
from corgi_gym.rewards.audit.worker import Worker

FILE = Path(__file__).parent / "data" / "broken_checkers.py"


def _load():
    spec = importlib.util.spec_from_file_location("broken_checkers", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


BROKEN = _load()


def row(number: int) -> Row:
    one, two = 1003 + 7 * number, 1011 + 3 * number
    total = one + two
    return Row(
        f"Add the numbers {one} and {two}.\nEnd with one line: Answer: and the number.",
        {"sum": total, "unit": "apples"},
        f"{one} + {two} = {total}\nAnswer: {total}" if number % 2 else f"Answer: {total}",
        (f"Answer: {total + 1}", f"{total}", f"Answer: {total} apples"),
        name=f"task {number}",
    )


ROWS = [row(number) for number in range(12)]
POOL = [row(number).witness for number in range(20, 40)]


def run(check, **options):
    options = {"fuzz": 0, "pool": POOL, "worker": False, **options}
    return audit(check, options.pop("rows", ROWS), **options)


def severities(found):
    return {finding.id: finding.severity for finding in found.findings}


def test_a_good_checker_has_no_finding():
    found = audit(f"{FILE}:good", ROWS, pool=POOL, fuzz=300)
    assert found.findings == (), found.text()
    assert len(found.sections) == len(CHECKS)
    assert found.facts("determinism")["processes"] == 3
    assert found.facts("probe")["closed_tasks"] == len(ROWS)
    assert found.facts("blind") | {"top": 0, "best": 0, "best_by_mean": 0} == {
        "strings": 200,
        "tasks": len(ROWS),
        "best_share": 0.0,
        "best_mean": pytest.approx(0.1),
        "best": 0,
        "best_by_mean": 0,
        "top": 0,
    }


EXPLOITS = {
    "contains": {"probe.hedge", "probe.negation", "probe.retraction", "probe.shotgun"},
    "first_answer_counts": {"probe.retraction"},
    "pays_for_shells": {"probe.farming"},
    "pays_for_the_format": {"probe.farming"},
    "pays_for_dots": {"probe.empty"},
    "pays_for_echoes": {"probe.echo"},
    "pays_for_data": {"probe.target"},
    "believes_the_judge_directed": {"probe.judge_directed"},
    "pays_a_fixed_string": {"blind.full_marks"},
    "gives_the_answer_away": {"messages.leak"},
    "gives_the_witness_away": {"messages.leak", "messages.witness_verbatim"},
    "pays_near_misses": {"basics.near_miss_paid"},
}


@pytest.mark.parametrize("name", EXPLOITS)
def test_every_way_to_be_paid_is_an_exploit(name):
    found = run(getattr(BROKEN, name))
    exploits = {finding.id for finding in found.exploits}
    assert EXPLOITS[name] <= exploits, found.text()
    for finding in found.exploits:
        assert finding.evidence and finding.message.endswith(".")
        assert eval(finding.evidence[0].reply) is not None  # source of the reply


DEFECTS = {
    "rolls_dice": "metamorphic.again",
    "counts_calls": "metamorphic.again",
    "raises": "fuzz.raised",
    "recurses": "fuzz.raised",
    "exits": "fuzz.raised",
    "is_slow": "timing.worst",
    "returns_nan": "verdict.unscored",
    "changes_the_target": "metamorphic.mutated",
    "points_outside": "verdict.span",
    "mumbles": "messages.sentence",
    "quotes_control_tokens": "messages.control_token",
    "talks_on": "messages.long",
    "refuses_the_witness": "basics.witness_refused",
}


@pytest.mark.parametrize("name", DEFECTS)
def test_every_broken_promise_is_a_defect(name):
    options = {"rows": ROWS[:2]} if name == "is_slow" else {}
    options["fuzz"] = 180 if DEFECTS[name].startswith("fuzz") else 0
    found = run(getattr(BROKEN, name), **options)
    assert severities(found).get(DEFECTS[name]) == "defect", found.text()


@pytest.mark.parametrize(
    ("name", "relation"),
    [("minds_white_space", "trailing_newline"), ("minds_line_breaks", "crlf")],
)
def test_changes_that_do_not_matter_are_tried_on_bare_checkers(name, relation):
    found = run(getattr(BROKEN, name), raw=True)
    assert severities(found).get(f"metamorphic.{relation}") == "defect", found.text()
    # through `judge`, line breaks are one kind already
    if relation == "crlf":
        assert f"metamorphic.{relation}" not in severities(run(getattr(BROKEN, name)))


def test_an_order_that_depends_on_hashes_is_found_in_other_processes():
    found = audit(f"{FILE}:follows_the_hash_order", ROWS, fuzz=0)
    assert severities(found)["determinism.hash_seed"] == "defect"


def test_a_checker_that_only_exists_here_is_said_to_be_tried_here_only():
    found = run(lambda reply, target: BROKEN.good(reply, target))
    assert severities(found) == {"determinism.not_tried": "note"}
    assert found.facts("determinism")["processes"] == 0


def test_a_call_that_only_waits_is_given_more_of_the_clock(tmp_path):
    """On a busy machine every call waits: that is no hang."""
    path = tmp_path / "waits.py"
    path.write_text(
        "import time\n\ndef waits(reply, target):\n    time.sleep(0.8)\n    return True"
    )
    with Worker(f"{path}:waits", hang=0.2) as worker:
        assert [outcome.status for outcome in worker([Case("a", None)])] == ["scored"]


@pytest.mark.parametrize(("name", "status"), [("hangs", "hung"), ("crashes", "crashed")])
def test_a_call_that_does_not_end_is_a_finding_and_not_the_end(name, status):
    start = time.monotonic()
    found = audit(f"{FILE}:{name}", ROWS[:1], fuzz=0, limits=Limits(hang=0.5))
    failed = next(f for f in found.findings if f.id == "verdict.failed")
    assert failed.severity == "defect"
    assert failed.evidence[0].verdict.startswith(f"{status}: ")
    assert failed.evidence[0].reply == "'banana'"
    assert time.monotonic() - start < 60
    assert found.facts("blind")["tasks"] == 1 and "timing" in {s.name for s in found.sections}


def test_partial_credit_for_everything_is_noted_with_its_mean():
    found = run(BROKEN.pays_partial_credit)
    assert severities(found)["blind.partial_credit"] == "note"
    assert found.facts("blind")["best_mean"] == pytest.approx(0.6)
    assert not found.exploits


def test_partial_credit_for_pieces_of_the_prompt_is_noted():
    def pays_the_last_word(reply, target):
        return 0.2 * reply.strip(".").endswith(target)

    rows = [Row(f'End with the word "{w}".', w, f"There is no {w}.") for w in ("sea", "roof")]
    found = run(pays_the_last_word, rows=rows, pool=[])
    (finding,) = (f for f in found.findings if f.id == "probe.partial")
    assert finding.severity == "note"
    # each sentence of this prompt ends with the word in quotation marks, which is not the word
    assert "shortcut bare_piece_0 0.20" in finding.message and "echo" not in finding.message
    assert "'sea'" in [case.reply for case in finding.evidence]
    # at most so much is no finding; nor is credit for what only a spoiled right answer can earn
    limits = Limits(partial=0.2)
    assert "probe.partial" not in severities(
        run(pays_the_last_word, rows=rows, pool=[], limits=limits)
    )

    def pays_for_a_number(reply, target):
        return 0.5 * (str(target["sum"]) in reply)

    assert "probe.partial" not in severities(run(pays_for_a_number))


def test_a_lucky_hit_is_a_note_and_the_limit_decides():
    def lucky(reply, target):
        wanted = [row.target["sum"] for row in ROWS[:2]]
        return (reply == "banana" and target["sum"] in wanted) or BROKEN.good(reply, target)

    assert "blind.full_marks" in severities(run(lucky))  # 2 of 12 is over 5 %
    relaxed = run(lucky, limits=Limits(share=0.2))
    assert not relaxed.exploits
    assert relaxed.facts("blind")["best"] == "banana"
    assert relaxed.facts("blind")["best_share"] == pytest.approx(2 / 12)


def exact(reply, target):
    return reply.strip() == str(target)


@pytest.mark.parametrize("target", ["417", 417])
def test_a_right_answer_is_no_exploit_where_its_witness_is_missing(target):
    row = {"prompt": "Repeat 417.", "target": target}
    missing = [row, {"prompt": "Repeat 5128.", "target": "5128"}]
    found = run(exact, rows=missing, pool=[])
    assert severities(found) | {"determinism.not_tried": "note"} == {
        "determinism.not_tried": "note",
        "probe.target": "note",
        "probe.shortcut": "note",
    }
    for finding in found.findings:
        if finding.id.startswith("probe"):
            assert "if this is the right answer, give it as the row's witness" in finding.message
    given = [{**row, "witness": str(row["target"])} for row in missing]
    assert not [i for i in severities(run(exact, rows=given, pool=[])) if i.startswith("probe")]


def test_a_leaked_target_is_an_exploit_where_a_witness_differs():
    def leaks(reply, target):
        return reply in (target["id"], str(target))

    rows = [Row(f"Write {n}.", {"id": f"x{n}"}, f"x{n}") for n in (301, 302)]
    found = run(leaks, rows=rows, pool=[])
    assert severities(found)["probe.target"] == "exploit"
    (finding,) = (f for f in found.findings if f.id == "probe.target")
    assert "witness" not in finding.message
    # a row without witness beside them takes nothing away, and adds nothing
    mixed = [*rows, Row("Write 303.", {"id": "x303"})]
    assert severities(run(leaks, rows=mixed, pool=[]))["probe.target"] == "exploit"
    assert severities(run(leaks, rows=mixed[2:], pool=[]))["probe.target"] == "note"


def test_another_piece_of_the_prompt_is_an_exploit_without_a_witness_too():
    def takes_any_number(reply, target):
        return reply.isdigit()

    rows = [Row(f"Add {n} and {n + 1}.", 2 * n + 1) for n in (301, 302)]
    assert severities(run(takes_any_number, rows=rows, pool=[]))["probe.shortcut"] == "exploit"


def test_one_fixed_string_that_is_a_missing_witness_is_a_note():
    rows = [Row("Repeat 7.", "7"), Row("Repeat 12.", "12")]
    found = run(exact, rows=rows, pool=[])
    assert severities(found)["blind.full_marks"] == "note"
    rows = [Row("Repeat 7.", "7"), Row("Repeat 7 again.", "7"), Row("Repeat 12.", "12")]
    assert severities(run(exact, rows=rows, pool=[]))["blind.full_marks"] == "exploit"


def test_targets_of_declared_examples_may_be_answers():
    @checker("audited_half", examples=[("0.5", "1/2", True), ("2", "1/2", False)])
    def half(reply, target):
        return reply in ("0.5", target)

    assert severities(run(half, rows=[]))["probe.target"] == "note"
    given = [Row("Halve 1.", "1/2", "0.5")]
    assert severities(run(half, rows=given))["probe.target"] == "exploit"


def test_an_isolated_checker_is_audited_by_name():
    row = Row("Write a word with these letters: nlaep.", "nlaep", "plane", ("plan",))
    found = audit("isolated:panagram", [row], reference="isolated:panagram", fuzz=20)
    assert found.name == "isolated:panagram" and not found.exploits and not found.defects
    assert found.facts("determinism")["processes"] == 3
    assert found.facts("differential")["compared"] > 100
    shown = next(f.evidence[0].command for f in found.findings if f.evidence)
    assert "isolated:panagram" in shown


def test_a_checker_of_this_process_is_audited_by_its_name(tmp_path):
    @checker("audited_here")
    def here(reply, target):
        return reply.strip() == target

    rows = [Row("Repeat 417.", "417", "417", ("418",))]
    found = audit("audited_here", rows, reference="audited_here", fuzz=20)
    assert found.name == "audited_here" and not found.exploits
    assert found.facts("differential")["compared"] > 100
    file = tmp_path / "mine.py"
    file.write_text(
        "from corgi_gym.rewards import checker\n"
        "@checker('audited_in_a_file')\n"
        "def mine(reply, target):\n"
        "    return reply.strip() == target\n"
    )
    load(f"{file}:mine")
    found = audit("audited_in_a_file", rows, fuzz=20)
    assert found.facts("determinism")["processes"] == 3


def test_no_near_misses_may_be_none():
    row = {"prompt": "Repeat 417.", "target": "417", "witness": "417", "near_misses": None}
    assert run(lambda reply, target: reply == target, rows=[row]).tasks == 1


def test_open_tasks_are_not_blamed_for_what_follows():
    def mentions_rain(reply, target):
        return "rain" in reply and "bow" in reply

    poem = Row("Write a poem.", None, "The rain falls down on us,\nand then a bow is there.")
    found = run(mentions_rain, rows=[poem], pool=[], fuzz=0)
    assert found.facts("probe")["closed_tasks"] == 0
    assert not {"probe.retraction", "probe.hedge", "probe.shotgun"} & set(severities(found))
    closed = Row(poem.prompt, None, poem.witness, closed=True)
    assert "probe.retraction" in severities(run(mentions_rain, rows=[closed], pool=[], fuzz=0))


def test_a_reference_shows_both_kinds_of_disagreement():
    found = run(BROKEN.contains, reference=BROKEN.refuses_the_witness, rows=ROWS[:4])
    assert severities(found)["differential.lenient"] == "defect"
    assert "differential.strict" not in severities(found)
    swapped = run(BROKEN.refuses_the_witness, reference=f"{FILE}:contains", rows=ROWS[:4])
    assert "differential.strict" in severities(swapped)
    assert swapped.facts("differential")["lenient"] == 0
    same = run(BROKEN.good, reference=BROKEN.good, rows=ROWS[:4])
    assert {i for i in severities(same) if i.startswith("differential")} == set()


def test_declared_examples_are_tried_and_serve_as_tasks():
    @checker("audited_cat", examples=[("cat", None, True), ("dog", None, False), ("", None, True)])
    def cat(reply, target):
        return "cat" in reply or "dog" in reply

    found = audit(cat, fuzz=0, worker=False)
    assert found.tasks == 1
    assert severities(found)["basics.example_refused"] == "defect"  # the empty one
    assert severities(found)["basics.example_paid"] == "exploit"


def test_the_same_seed_finds_the_same(run_python):
    one, two = (run(BROKEN.contains, seed=5).to_dict() for _ in range(2))
    for each in (one, two):
        each["checks"] = [{**c, "seconds": 0} for c in each["checks"] if c["name"] != "timing"]
        each["findings"] = [f for f in each["findings"] if not f["id"].startswith("timing")]
    assert one == two
    code = (
        "import hashlib\n"
        "from corgi_gym.rewards.audit import Row, fuzz, blind\n"
        "from itertools import islice\n"
        "rows = [Row('a prompt', None, 'a witness', ('a miss',))]\n"
        "texts = [t.source for t, _ in islice(fuzz.texts(rows, 3), 500)]\n"
        "print(hashlib.sha256(repr(texts + blind.strings(['x', 'y'], 3)).encode()).hexdigest())"
    )
    assert len({run_python(code, PYTHONHASHSEED=seed) for seed in ("0", "7")}) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nope",), "unknown checker 'nope'"),
        (("nope.py:check",), "no file 'nope.py'"),
        ((f"{FILE}:nope",), "has no 'nope'; it has: believes_the_judge_directed, changes_the"),
        (("no_such_module_x:check",), "cannot import 'no_such_module_x'"),
        (("isolated:nope",), "unknown checker 'nope'"),
        (("isolated:my.py:check",), "my.py:check: isolated: takes a name or module:function, and"),
        (("isolated:my.py",), "isolated: takes a name or module:function, and no file"),
        ((lambda reply, target: True,), "has no declared examples; give rows"),
        (("panagram", [{"promt": "x"}]), "row 1 has the unknown field 'promt'; did you mean 'prom"),
        (("panagram", [{}, {"near_misses": "plane"}]), "row 2: near_misses must be a list of str"),
        (("panagram", [{"witness": 417}]), "row 1: witness must be a string, got 417"),
        (("panagram", [{"prompt": None}]), "row 1: prompt must be a string, got None"),
        (("panagram", [{"closed": "no"}]), "row 1: closed must be true or false, got 'no'"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        audit(*arguments)
    with pytest.raises(ValueError, match="fuzz must be at least 0, got -1"):
        audit("panagram", fuzz=-1)


@pytest.mark.parametrize(
    ("source", "spec", "message"),
    [
        ("x = 1\ndef check(:", "my.py:check", r"SyntaxError: invalid syntax \(my.py, line 2\)"),
        ("\nimport no_such", "my.py:check", r"ModuleNotFoundError: .* \(.*/my.py, line 2\)"),
        ("import json\njson.loads('{')", "my.py:check", r"JSONDecodeError: .* \(.*/my.py, line 2"),
        ("def f():\n    1 / 0\nf()", "my.py:check", r"ZeroDivisionError: .* \(.*/my.py, line 2\)"),
        ("raise SystemExit(5)", "my.py:check", r"SystemExit: 5 \(.*/my.py, line 1\)"),
        ("raise ValueError('a\\n b')", "my.py:check", r"ValueError: a b \(.*/my.py, line 1\)"),
        ("raise SystemExit(5)", "audited_exit:check", r"5 \(.*/audited_exit.py, line 1\)"),
        ("\n1 / 0", "audited_zero:check", r"ZeroDivisionError: .* \(.*/audited_zero.py, line 2\)"),
        ("class Check: pass", "my.py:Check", "my.py:Check: checker Check is a class; give an"),
        ("def f(reply): pass", "my.py:f", r"my.py:f: checker 'f' takes \(reply\)"),
        ("X = 3\ndef f(a, b): pass", "my.py:X", "my.py:X is 3; give a function: f$"),
        ("def f(a, b): pass", "my.py", "write my.py:NAME; it has: f$"),
    ],
)
def test_what_cannot_be_imported_or_called_is_named(tmp_path, monkeypatch, source, spec, message):
    name = spec.partition(":")[0].removesuffix(".py")
    (tmp_path / f"{name}.py").write_text(source)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match=message) as error:
        load(spec)
    assert "\n" not in str(error.value)


def test_an_import_can_be_interrupted(tmp_path):
    (tmp_path / "stopped.py").write_text("raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        load(f"{tmp_path}/stopped.py:check")


@pytest.mark.parametrize("in_order", [True, False])
def test_words_named_in_the_order_of_the_answer_are_a_leak(in_order):
    """Each word is in the prompt; that they are sorted in the message is the answer."""
    words = [list("bca"), list("zyx"), list("nom"), list("qsr"), list("gfe"), list("kjl")]
    rows = [
        Row(
            f"Sort these letters: {' '.join(given)}.",
            given,
            f"Answer: {', '.join(sorted(given))}",
            (f"Answer: {', '.join(given)}",),
        )
        for given in words
    ]

    def says_what_lacks(reply, target):
        if reply == f"Answer: {', '.join(sorted(target))}":
            return True
        named = [f'"{word}"' for word in (sorted(target) if in_order else target)]
        return Verdict.wrong(0.0, Problem("lacks", f"Your list lacks {', '.join(named)}."))

    found = run(says_what_lacks, rows=rows, pool=[])
    assert (severities(found).get("messages.leak") == "exploit") == in_order, found.text()
