"""What a report concludes, from numbers made by hand."""

import re
from pathlib import Path

import pytest

from corgi_gym.benchmarks.bench import tables
from corgi_gym.benchmarks.bench.analysis import analyse
from corgi_gym.benchmarks.bench.charts import Panel, Ranked, panel_chart, ranking_chart
from corgi_gym.benchmarks.bench.results import Result, Results
from corgi_gym.benchmarks.bench.sections import evaluation_section
from corgi_gym.benchmarks.recipe import RECIPES
from corgi_gym.benchmarks.statistics import holm
from corgi_gym.benchmarks.svg import STYLE, Plot, size_of

TASKS = 64


def run(arm, seed, solved, *, family="all", checked=range(TASKS), trains=True, **labels):
    """A run of two attempts that solves these tasks at the second one."""
    solved_at = {f"t/{i} #{i}": 2 if i in solved else 0 for i in checked}
    share = len(set(solved) & set(checked)) / len(solved_at)
    numbers = {
        "tasks": len(solved_at), "unscored": TASKS - len(solved_at), "success": [0.0, share],
        "families": {"t": [0.0, share]}, "gain": share, "mean_score": share, "tokens": [1.0, 2.0],
        "solved_at": solved_at, "retries": [0], "fix": [None], "regress": [None], "repeat": [None],
        "exploits": {"looked_at": 0, "found": 0, "share": None, "kinds": {}},
    }  # fmt: skip
    told = {"arm": arm, "algorithm": arm, "family": family, "feedback": "full",
            "session_reward": "best", "seed": seed, **labels}  # fmt: skip
    config = {"trains": trains, "evaluations": {"test": {"attempts": 2}}}
    cost = {"steps": 1, "sessions": 1, "tokens": 1, "train_seconds": 1.0}
    curve = labels.pop("curve", [])
    told.pop("curve", None)
    metrics = {"evaluations": {"test": numbers}, "curve": curve, "cost": cost}
    return Result(Path(f"{arm}-{family}-{seed}"), told, config, "code", metrics)


def analysed(*runs, seeds=(0, 1, 2), reference="a"):
    spec = {"name": "x", "question": "", "evaluations": {"test": {}}, "seeds": list(seeds),
            "rank": 2, "reference": reference, "target": 0.5}  # fmt: skip
    return analyse(Results(Path("x"), spec, [r.labels for r in runs], list(runs)))


def compared(*runs, **spec):
    return analysed(*runs, **spec)["evaluations"]["test"]["against"][0]["comparisons"]


def test_tasks_that_one_arm_could_not_check_decide_nothing():
    """Both solve the same 16 of 64; for one of them the checker failed on the other 48."""
    same = range(16)
    runs = [run("a", s, same) for s in range(3)]
    runs += [run("b", s, same, checked=same) for s in range(3)]
    found = analysed(*runs)["evaluations"]["test"]
    (row,) = found["against"][0]["comparisons"]
    assert row["change"] == 0 and row["p_holm"] > 0.05 and row["left_out"] == 48
    table = tables.comparisons(found)[0]
    assert table.header[-1] == "tasks left out (not checked in every run)"
    assert table.rows[0][-1] == "48" and "no" in table.rows[0]
    # where all was checked nothing is said of it
    whole = analysed(*(run(arm, s, range(s + 9)) for arm in "ab" for s in range(3)))
    assert len(tables.comparisons(whole["evaluations"]["test"])[0].header) == 8


def test_families_of_one_name_are_averaged_alike_in_every_run():
    """Two families share a name, 48 easy tasks and 16 hard ones; one run lacks a hard task."""

    def two(result, solved):
        numbers = result.metrics["evaluations"]["test"]
        checked = [int(task[2:].split()[0]) for task in numbers["solved_at"]]
        easy = [i in solved for i in checked if i < 48]
        hard = [i in solved for i in checked if i >= 48]
        shares = {"t": sum(easy) / len(easy), "t:unseen": sum(hard) / len(hard)}
        numbers["families"] = {name: [0.0, share] for name, share in shares.items()}
        numbers["success"] = [0.0, sum(shares.values()) / 2]
        return result

    solved = range(48)
    runs = [two(run("a", s, solved), solved) for s in range(3)]
    runs += [two(run("b", s, solved, checked=range(63)), solved) for s in range(3)]
    (row,) = compared(*runs)
    assert row["change"] == 0 and row["left_out"] == 1


def test_the_change_on_the_same_tasks_is_that_of_the_macro_average():
    """A family of 48 easy tasks and one of 16 hard ones, within a run and as strata."""
    runs = []
    for arm, solved in (("a", [*range(24), *range(48, 52)]), ("b", [*range(30), *range(48, 60)])):
        for seed in range(3):
            mixed = run(arm, seed, solved, family="mixed")
            numbers = mixed.metrics["evaluations"]["test"]
            table = numbers["solved_at"].values()
            numbers["solved_at"] = {
                f"{'easy' if i < 48 else 'hard'}/{i} #{i}": k for i, k in enumerate(table)
            }
            easy, hard = (sum(i < 48 for i in solved) / 48, sum(i >= 48 for i in solved) / 16)
            numbers["families"] = {"easy": [0.0, easy], "hard": [0.0, hard]}
            numbers["success"] = [0.0, (easy + hard) / 2]
            few = run(arm, seed, range(seed), family="few", checked=range(8))
            few.metrics["evaluations"]["test"]["solved_at"] = {
                f"few/{i} #{i}": 2 * (i < seed) for i in range(8)
            }
            few.metrics["evaluations"]["test"]["families"] = {"few": [0.0, seed / 8]}
            runs += [mixed, few]
    (row,) = compared(*runs)
    # 6 of 48 and 8 of 16, averaged alike; nothing in the other stratum
    assert row["on_tasks"][0] == pytest.approx(row["change"]) == pytest.approx((1 / 8 + 1 / 2) / 4)
    assert row["tasks"] == TASKS + 8 and row["on_tasks"][1] > 0


def test_arms_without_a_task_in_common_are_not_compared():
    runs = [run("a", s, [], checked=range(8)) for s in range(3)]
    assert compared(*runs, *(run("b", s, [], checked=range(8, 16)) for s in range(3))) == []


def test_families_with_more_seeds_count_no_more():
    """Ranking and comparison have the same sign; and the ranking says what is unequal."""
    runs = [run("a", s, range(48), family="easy") for s in range(3)]
    runs += [run("a", 0, range(8), family="hard")]
    runs += [run("b", 0, range(48), family="easy")]
    runs += [run("b", s, range(20), family="hard") for s in range(3)]
    found = analysed(*runs)["evaluations"]["test"]
    assert [row["arm"] for row in found["leaderboard"]] == ["b", "a"]
    assert found["against"][0]["comparisons"][0]["change"] > 0
    best = found["leaderboard"][0]
    assert best["last"] == best["mean"][0] == pytest.approx((48 + 20) / 128)
    cells = [row[1] for row in tables.leaderboard(found).rows]
    assert cells == ["4 (unequal: 1 to 3 seeds a family)"] * 2


def test_intervals_over_few_seeds_are_called_too_short():
    """With the coverage that docs/benchmark.md has."""

    def told(most):
        runs = [run(arm, s, range(9 + s)) for arm in "ab" for s in range(most)]
        found = analysed(*runs, seeds=range(most))["evaluations"]["test"]
        return tables.few_seeds(found), evaluation_section("test", found, ranked=True)

    words, html = told(3)
    assert words.startswith("Bootstrap intervals over 3 seeds are too short: ") and words in html
    docs = (RECIPES.parents[1] / "docs" / "benchmark.md").read_text(encoding="utf-8")
    for seeds, share in (("3", "73%"), ("5", "84%")):
        (row,) = re.findall(rf"\| {seeds} \| 1 \| 0.05 and 0.05 \|.*\| (.*) \|", docs)
        assert f"{float(row):.0%}" == share and share in words
    assert told(1)[0] == told(5)[0] == ""


def test_one_seed_has_no_interval_anywhere():
    """Six families with a seed each are six runs, and still say nothing of other seeds."""
    levels = [("a · silent", "silent", 8), ("a · full", "full", 9)]
    runs = [
        run(arm, 0, range(count), family=f"f{f}", feedback=level, algorithm="a")
        for arm, level, count in levels
        for f in range(6)
    ]
    found = analysed(*runs, reference="a · full")["evaluations"]["test"]
    assert found["leaderboard"][0]["mean"][1:] == [None, None]
    assert [row["runs"] for row in found["leaderboard"]] == [6, 6]
    for table in (tables.leaderboard(found), tables.dose(found)):
        assert "(one seed)" in str(table.rows) and " to " not in str(table.rows)
    html = evaluation_section("test", found, ranked=True)
    charts = html[html.index("<svg") : html.index("<table")]
    assert "one seed" in charts and "whisker" not in html and "interval 1" not in html
    assert not re.search(r"% \(\d+\.\d% to ", html)


def test_a_heldout_task_is_one_task_whatever_was_trained_on():
    """Its change is the mean over training families; more of these are no further tasks."""
    one = [run(arm, s, range(9 + s + 4 * (arm == "b"))) for arm in "ab" for s in range(3)]
    three = [
        run(arm, s, range(9 + s + 4 * (arm == "b")), family=f)
        for f in "xyz" for arm in "ab" for s in range(3)
    ]  # fmt: skip
    single, several = compared(*one)[0], compared(*three)[0]
    assert single["tasks"] == several["tasks"] == TASKS
    assert several["on_tasks"][0] == pytest.approx(single["on_tasks"][0])
    width = [row["on_tasks"][2] - row["on_tasks"][1] for row in (single, several)]
    assert width[0] == pytest.approx(width[1], rel=0.1)


def test_two_untrained_models_are_a_run_each():
    runs = [run("a", 0, range(40), trains=False), run("b", 0, range(8), trains=False)]
    found = analysed(*runs, seeds=range(5))["evaluations"]["test"]
    (row,) = found["against"][0]["comparisons"]
    assert row["interval"] == [None, None] and row["p_holm"] == 1.0 and row["runs"] == [1, 1]
    cells = tables.comparisons(found)[0].rows[0]
    assert cells[1].endswith("(too few seeds)") and cells[4] == "no" and cells[-1] == "1"
    # a trained arm with seeds is told from an untrained one, by its own spread
    trained = [run("c", s, range(40 + s)) for s in range(5)]
    found = analysed(*runs[1:], *trained, seeds=range(5), reference="c")["evaluations"]["test"]
    assert found["against"][0]["comparisons"][0]["p_holm"] < 0.05
    assert tables.comparisons(found)[0].rows[0][-1] == "1 and 5"


def test_several_references_are_one_family_of_comparisons():
    counts = {"a": 10, "b": 16, "c": 40, "d": 30}
    runs = [run(arm, s, range(n + s)) for arm, n in counts.items() for s in range(5)]
    one = analysed(*runs, seeds=range(5), reference="a")["evaluations"]["test"]
    both = analysed(*runs, seeds=range(5), reference=["a", "b"])["evaluations"]["test"]
    assert one["above_all"] is None and tables.above_all(one) == ""
    first, second = both["against"]
    assert [row["arm"] for row in first["comparisons"]] == ["b", "c", "d"]
    # the two references are compared once
    assert [row["arm"] for row in second["comparisons"]] == ["c", "d"]
    assert second["not_compared"] == [] and both["reference"] == "a"
    alone = {row["arm"]: row for row in one["against"][0]["comparisons"]}
    for row in first["comparisons"]:
        assert {**row, "p_holm": 0} == {**alone[row["arm"]], "p_holm": 0}
    rows = [*first["comparisons"], *second["comparisons"]]
    assert [row["p_holm"] for row in rows] == list(holm([row["p"] for row in rows]))
    assert both["above_all"] == ["c", "d"]
    said = "Separated above each of a and b: c and d. P-values are corrected by Holm for the 5 "
    assert tables.above_all(both).startswith(said)
    assert said in evaluation_section("test", both, ranked=True)
    made = tables.comparisons(both)
    assert [table.caption for table in made] == ["Compared with a", "Compared with b"]


def test_an_arm_above_one_of_two_references_is_not_above_both():
    counts = {"a": 10, "b": 40, "c": 40, "d": 1}
    runs = [run(arm, s, range(n + 3 * s)) for arm, n in counts.items() for s in range(5)]
    found = analysed(*runs, seeds=range(5), reference=["a", "b"])["evaluations"]["test"]
    assert found["above_all"] == []
    assert tables.above_all(found).startswith("Separated above each of a and b: none.")


def test_what_was_not_tested_corrects_nothing_and_no_change_exceeds_all_tasks():
    runs = [run("a", s, range(20 + s)) for s in range(3)]
    runs += [run("b", s, range(50 + s)) for s in range(3)]
    alone = compared(*runs)[0]
    several = {r["arm"]: r for r in compared(*runs, run("c", 0, []), run("d", 0, []))}
    assert several["b"]["p_holm"] == alone["p"] and several["c"]["p_holm"] == 1.0
    wide = [run("a", s, range(60 * s)) for s in (0, 1)] + [run("b", s, []) for s in (0, 1)]
    assert compared(*wide, seeds=(0, 1))[0]["interval"] == [-1.0, 1.0]


def test_medians_and_learning_curves_are_of_equal_points():
    def curve(*steps):
        return [
            {"step": s, "tokens": 10 * s, "seconds": float(s), "success": [min(1.0, s / 10)]}
            for s in steps
        ]

    runs = [run("a", 0, [], curve=curve(0, 5, 10)), run("a", 1, [], curve=curve(0, 5, 9, 12))]
    found = analysed(*runs)
    learned = found["learning"]["a"]
    # one ends after 10 rounds and 100 tokens, one after 12 and 120: to the end of the shorter
    assert [row["tokens"] for row in learned] == [0, 50, 90, 100]
    assert [row["step"] for row in learned] == pytest.approx([0, 5, 9, 10])
    assert [row["seconds"] for row in learned] == pytest.approx([0, 5, 9, 10])
    assert [row["sessions"] for row in learned] == pytest.approx([0, 5, 9, 10])
    # the second one stands at 0.9 after 90 tokens and at 1.0 after 120
    assert learned[-1]["high"] == 1.0
    assert learned[-1]["low"] == pytest.approx(0.9 + 0.1 * 10 / 30)
    even = analysed(
        *(run("a", s, [], curve=curve(0, 5, *extra, 10)) for s, extra in ((0, []), (1, [7])))
    )
    assert [row["step"] for row in even["learning"]["a"]] == [0, 5, 10]
    assert found["cost"]["a"]["tokens_to_target"] == 50
    runs = [run("a", 0, [], curve=curve(0, 6)), run("a", 1, [], curve=curve(0, 8))]
    assert analysed(*runs)["cost"]["a"]["tokens_to_target"] == 70
    runs[1] = run("a", 1, [], curve=curve(0, 1))  # one of two never gets there
    assert analysed(*runs)["cost"]["a"]["tokens_to_target"] is None
    (alone,) = [analysed(runs[0])["learning"]["a"]]
    assert {(row["low"], row["high"]) for row in alone} == {(None, None)}


def test_costs_have_one_format():
    """Tokens of the whole and tokens to the target stand side by side."""
    cost = {
        "steps": 20.0, "sessions": 1280.0, "tokens": 44543.0, "train_seconds": 925.4,
        "reached": 1, "runs": 1, "tokens_to_target": 13848.0, "seconds_to_target": None,
    }  # fmt: skip
    (row,) = tables.costs({"target": 0.5, "cost": {"a": cost}}).rows
    assert row[1:] == ["20", "1,280", "44,543", "925", "1 of 1", "13,848", "–"]


# ---------------------------------------------------------------- pictures


def texts(svg):
    found = re.findall(r'<text x="([\d.-]+)" y="([\d.-]+)" class="([^"]*)"[^>]*>([^<]*)<', svg)
    return [(float(x), float(y), css, text) for x, y, css, text in found]


def marks(svg):
    return [float(x) for x in re.findall(r'<circle cx="([\d.-]+)"', svg)]


def test_long_names_are_whole_and_cover_no_mark():
    name = " · ".join(["an algorithm with changes of its own"] * 2 + ["silent", "discounted(0.9)"])
    svg = ranking_chart("Ranking", [Ranked(name, 0.0, 0.0, 0.2, 0.0)] * 3, "success@1", "success@4")
    shown = [(x, text) for x, _, css, text in texts(svg) if css == "" and x == 0]
    assert "".join(text for _, text in shown).replace(" ", "") == 3 * name.replace(" ", "")
    assert min(marks(svg)) > 6.9 * max(len(text) for _, text in shown)
    plot = Plot(name, (400, 270))
    lines = [text for _, _, css, text in texts(plot.svg("")) if css == "title"]
    assert " ".join(lines) == name and max(map(len, lines)) * 8.2 <= 400
    assert size_of(plot.svg("")) == (400, 270 + 19 * (len(lines) - 1))


def test_more_samples_than_attempts_stay_in_the_picture():
    arms = [run(arm, s, range(9 + s)) for arm in "ab" for s in range(2)]
    for result in arms:
        sampled = {"success": [0.1 * k for k in range(9)], "tokens": [float(k) for k in range(9)]}
        result.metrics["evaluations"]["test"]["resampling"] = sampled
    html = evaluation_section("test", analysed(*arms)["evaluations"]["test"], ranked=True)
    assert max(marks(html[html.index("Success by attempt") :])) <= 400 - Plot.RIGHT


def test_names_on_an_axis_stay_clear_of_its_own():
    levels = ["silent", "full"]
    svg = panel_chart(
        Panel("arm", [(0, 0.1), (1, 0.2)]), top=1.0, right=1.0, x_ticks=[0, 1], x_label="level",
        x_form=lambda x: levels[round(x)], measure="success@4",
    )  # fmt: skip
    places = {text: x for x, _, _, text in texts(svg)}
    assert places["silent"] - 6.9 * len("silent") / 2 >= places["level"]
    assert places["full"] + 6.9 * len("full") / 2 <= 400


def test_lines_are_told_apart_without_colour():
    """Each role that is drawn as a line has a dash pattern of its own, and dots that are seen."""
    dashes = dict(re.findall(r"\.(\w+)(?:\.line)? {[^}]*stroke-dasharray: ([\d ]+);", STYLE))
    assert dashes.keys() == {"before", "third", "fourth", "reference"}
    assert len(set(dashes.values())) == 4
    # a hollow dot that is faint needs a colour: it has no border
    assert ".chart circle.before.faint { fill: var(--c-before); }" in STYLE


def test_the_solid_line_of_a_panel_is_named_and_the_reference_is_no_grey_one():
    runs = [run(arm, s, range(9 + s)) for arm in "abc" for s in range(2)]
    for result in runs:
        result.metrics["evaluations"]["test"] |= {
            "retries": [9], "fix": [0.2], "regress": [0.3], "repeat": [0.4],
        }  # fmt: skip
    html = evaluation_section("test", analysed(*runs)["evaluations"]["test"], ranked=True)
    attempts, retries = html.split("<h3>Success by attempt")[1].split("<h3>Retries")
    first = re.search(r"<figure>(.*?)</figure>", retries)[1]
    legend = [text for _, y, css, text in texts(first) if css == "" and y == 37]
    assert legend == ["solve", "score less", "repeat"] and "faint" not in retries
    own, *others = re.findall(r"<figure>(.*?)</figure>", attempts)
    assert own.count('class="line others"') == 2 and "reference" not in own
    for other in others:
        assert other.count('class="line others"') == 1
        assert [text for _, y, _, text in texts(other) if y == 37] == ["this arm", "reference"]
    assert "grey: the other arms, dotted: a, the reference" in attempts
