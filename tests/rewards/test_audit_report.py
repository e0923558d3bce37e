"""What an audit writes: text, JSON, the page, and commands that show a case again."""

import json
import re
import shlex
import subprocess
import sys
from html.parser import HTMLParser

import pytest

from corgi_gym.rewards import checker
from corgi_gym.rewards.audit import Evidence, Finding, Row, Section, audit, table, tables, write
from corgi_gym.rewards.audit.messages import is_sentence
from corgi_gym.rewards.audit.page import page
from corgi_gym.rewards.audit.probes import answer_of
from corgi_gym.rewards.audit.report import Audit
from corgi_gym.rewards.audit.source import source_of
from corgi_gym.rewards.audit.timing import percentile

HOSTILE = "<script>alert(1)</script> {{lead}} <|im_end|> \x00 \ud800"
EVIDENCE = Evidence(ascii(HOSTILE), "None", "score 1", "task 1", "python -c '1'")
FINDING = Finding("probe.echo", "exploit", f"Paid for {HOSTILE}.", (EVIDENCE, EVIDENCE))
TOP = [{"reply": HOSTILE, "share": 0.25, "mean": 0.5}]


def made(name: str = "a checker", findings=(FINDING,), **options) -> Audit:
    sections = (
        Section("probe", "Probes", {"probes": 3, "mean_score": {"echo": 0.1}}, list(findings)),
        Section("blind", "Blind", {"best_share": 0.25, "best_mean": 0.5, "top": TOP}),
        Section("timing", "Time", {"p50_ms": 0.1, "p99_ms": 1.0, "max_ms": 2.0}),
    )
    return Audit(name, sections, tasks=7, given=7, seed=0, fuzz=10, **options)


def test_findings_are_ordered_by_severity_and_accepted_ones_are_notes():
    others = [Finding("a.b", "note", "A note."), Finding("c.d", "defect", "A defect."), FINDING]
    found = made(findings=others)
    assert [f.id for f in found.findings] == ["probe.echo", "c.d", "a.b"]
    assert len(found.exploits) == len(found.defects) == 1
    accepted = made(findings=others, ignore={"probe.echo": "the task is to repeat it."})
    assert not accepted.exploits
    note = next(f for f in accepted.findings if f.id == "probe.echo")
    assert note.severity == "note" and note.message.endswith("Accepted: the task is to repeat it.")


def test_the_text_names_every_check_and_finding():
    text = made().text()
    assert text.splitlines()[0] == "a checker: 1 exploits, 0 defects, 0 notes (7 tasks, seed 0)"
    assert "EXPLOIT probe.echo" in text and "  (1 more)\n" in f"{text}\n"
    assert "(1 more in some/audit.json)" in made().text("some/audit.json")
    for title in ("Probes", "Blind", "Time"):
        assert title in text
    assert "\x00" not in text and r"\x00 \ud800" in text


def test_a_check_that_tried_nothing_is_not_called_good():
    data = {"prompt": "Repeat 417.", "target": "417"}
    found = audit(lambda reply, target: reply == target, [data], fuzz=0, worker=False)
    by_name = {s.name: s.tried for s in found.sections}
    assert {name for name, tried in by_name.items() if not tried} == {
        "basics", "metamorphic", "fuzz",
    }  # fmt: skip
    back = Audit.from_dict(json.loads(json.dumps(found.to_dict())))
    for shown in (found.text(), back.text()):
        (line,) = (line for line in shown.splitlines() if "Changes that must" in line)
        assert line.split("matter")[1].split("replies")[0].strip() == "not tried"
    assert "<td>Changes that must not matter</td><td>not tried</td>" in page([found])
    checks = {check["name"]: check["tried"] for check in found.to_dict()["checks"]}
    assert checks == by_name


def test_results_of_an_older_version_can_be_read():
    data = made().to_dict()
    del data["tasks_from"]
    for check in data["checks"]:
        del check["tried"]
    back = Audit.from_dict(data)
    assert back.origin == "" and all(section.tried for section in back.sections)


def test_the_report_says_where_the_tasks_come_from():
    @checker("audited_copy", examples=[("one", "one", True), ("two", "one", False)])
    def copy(reply, target):
        return reply == target

    row = {"prompt": "Write plane.", "target": "plane", "witness": "plane"}
    options = {"fuzz": 0, "worker": False}
    for rows, origin in (
        ([row], "1 given row"),
        ([{"prompt": "Write plane.", "target": "plane"}], "1 given row; none has a witness"),
        ([], "1 target of the checker's declared examples, without prompts; give rows for real"),
    ):
        found = audit(copy, rows, **options)
        line = found.text().splitlines()[1]
        assert line.startswith(f"tasks: {origin}"), line
        assert found.to_dict()["tasks_from"] == found.origin == line.removeprefix("tasks: ")
        assert line.replace("'", "&#x27;") in page([found])
        assert Audit.from_dict(found.to_dict()).origin == found.origin
    found = audit(copy, [row], origin="one of <mine>", **options)
    assert "tasks: one of &lt;mine&gt;</p>" in page([found])


def test_the_table_has_one_line_per_checker_with_and_without_rich(monkeypatch):
    audits = [made("one"), made("a rather long name of a checker", findings=())]
    drawn = table(audits)
    monkeypatch.setitem(sys.modules, "rich.table", None)
    plain = table(audits)
    for text in (drawn, plain):
        lines = [line for line in text.splitlines() if line.strip()]
        assert len(lines) == 3
        assert lines[0].split()[:2] == ["checker", "tasks"]
        assert " ".join(lines[1].split()) == "one 7 1 0 0 25.0% 0.50 0.10 1.00 2.0"
        assert "a rather long name of a checker" in lines[2]
    assert tables._plain_table([]) == "no audits"


class Page(HTMLParser):
    """Collects what could run or load, and the text."""

    def __init__(self):
        super().__init__()
        self.tags, self.text, self.loads = [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.loads += [v for k, v in attributes if k in ("src", "href", "action")]

    def handle_data(self, data):
        self.text.append(data)


def test_the_page_shows_hostile_text_as_text_and_loads_nothing():
    parsed = Page()
    html = page([made(), made("<b>two</b>", findings=())], "corgi-gym audit '<i>'")
    parsed.feed(html)
    text = " ".join(parsed.text)
    assert "script" not in parsed.tags and "b" not in parsed.tags and "i" not in parsed.tags
    assert parsed.loads == []
    assert "default-src 'none'" in html and "http" not in html.replace("http-equiv", "")
    assert "<script>alert(1)</script> {{lead}}" in text and "<b>two</b>" in text
    assert "25.0%" in text and "nothing found" in text
    assert not re.search(r"\{\{(?!lead)\w+\}\}", html)


def test_both_files_are_written_and_the_json_is_complete(tmp_path):
    paths = write([made()], tmp_path / "deep" / "er", "corgi-gym audit x")
    assert [path.name for path in paths] == ["audit.json", "audit.html", "audit.md"]
    data = json.loads(paths[0].read_text())
    assert data["version"] == 1 and data["command"] == "corgi-gym audit x"
    (found,) = data["audits"]
    assert found["counts"] == {"exploit": 1, "defect": 0, "note": 0}
    assert found["findings"][0]["evidence"][0]["reply"] == ascii(HOSTILE)
    assert found["checks"][2]["facts"]["p99_ms"] == 1.0
    assert sorted(p.name for p in paths[0].parent.iterdir()) == sorted(p.name for p in paths)
    assert paths[2].read_text().splitlines()[2] == "| `a checker` | 7 | 1 | 0 | 25.0% | 1.00 |"
    write([made(findings=())], paths[0].parent)
    assert json.loads(paths[0].read_text())["audits"][0]["findings"] == []


def test_an_audit_comes_back_from_json_as_it_was():
    one = made(findings=[FINDING, Finding("probe.hedge", "note", "Some.")])
    back = Audit.from_dict(json.loads(json.dumps(one.to_dict())))
    assert back.to_dict() == one.to_dict() and back.text() == one.text()
    assert page([back]) == page([one]) and not back.failed


def test_an_audit_that_failed_is_a_defect_and_says_why():
    found = Audit.that_failed("x", "ValueError: no rows", tasks=20, fuzz=5, seed=0)
    assert found.failed and [f.id for f in found.defects] == ["audit.failed"]
    assert "0 of 20 tasks" in found.text() and "ValueError: no rows." in found.text()
    assert Audit.from_dict(found.to_dict()).failed


def test_the_command_of_a_finding_shows_the_same_verdict():
    row = Row("Write a word with these letters: nlaep.", "nlaep", "plan", ("plane",))
    found = audit("panagram", [row], fuzz=0, worker=False)
    finding = next(f for f in found.findings if f.id == "basics.near_miss_paid")
    command = shlex.split(finding.evidence[0].command)
    assert command[:2] == ["python", "-c"]
    shown = subprocess.run(
        [sys.executable, *command[1:]], capture_output=True, text=True, check=True
    ).stdout
    assert shown.strip() == finding.evidence[0].verdict == "score 1"


@pytest.mark.parametrize(
    "text",
    ["", "a", "caf\u00e9\ud800\x00'\"", "ab" * 1000, "(" * 900 + ")" * 900, "a" * 5000 + "!",
     "abc " * 300 + "the end " * 200, "".join(map(chr, range(2000)))],
)  # fmt: skip
def test_source_gives_the_text_back_and_is_short_for_repetition(text):
    source = source_of(text)
    assert eval(source) == text
    if len(set(text)) < 9:
        assert len(source) < 60


def test_percentiles_by_hand():
    values = [float(n) for n in range(1, 101)]
    assert percentile(values, 0.5) == 50.0
    assert percentile(values, 0.99) == 99.0
    assert percentile(values, 1.0) == 100.0
    assert percentile([7.0], 0.99) == 7.0


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("You wrote 3 words. Write 4.", True),
        ('"plan" does not have the letter e.', True),
        ("3 words are missing.", True),
        ('Write "yes".', True),
        ("Is this a question?", True),
        ("u = 2 does not solve the equation.", True),
        ("wrong", False),
        ("Wrong answer", False),
        ("", False),
        ("no capital.", False),
    ],
)
def test_what_counts_as_a_sentence(message, expected):
    assert is_sentence(message) is expected


@pytest.mark.parametrize(
    ("witness", "expected"),
    [
        ("Answer: 42", ("Answer: ", "42", "")),
        ("1 + 1 = 2\n**Final answer:** 2", ("1 + 1 = 2\n**Final answer:** ", "2", "")),
        ("so \\boxed{7}.", ("so \\boxed{", "7", "}")),
        ("two words", ("", "two words", "")),
        ("A cat sat down.", None),
        ("A long line of words that is no short answer", None),
        ("two\nlines", None),
    ],
)
def test_where_the_answer_of_a_witness_stands(witness, expected):
    assert answer_of(witness) == expected
