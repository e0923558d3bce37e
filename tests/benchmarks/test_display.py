"""The live view: a bar on a terminal, lines elsewhere."""

import io
from types import SimpleNamespace

import pytest

from corgi_gym.agents.episode import Attempt, Episode
from corgi_gym.benchmarks.display import Display, SilentDisplay, clock, shares
from corgi_gym.benchmarks.progress import Progress, RoundRows
from corgi_gym.benchmarks.recipe import Recipe, TrainSpec
from corgi_gym.benchmarks.run_writer import RunFolder

ROW = {"step": 1, "reward": 0.375, "success": [0.25, 0.5], "tokens_per_second": 412.6}


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


def show(stream):
    with Display(4, stream) as display:
        display.phase("evaluation before training", 2)
        display.advance()
        display.phase("training", 4)
        display.round(ROW, 75)
        display.say("report: [bold]runs/x[/bold]")
    return stream.getvalue()


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_what_matters_is_shown(stream):
    text = show(stream())
    for words in ("evaluation before training", "reward 0.38", "25 50 %", "413 tok/s", "1:15 left"):
        assert words in text.replace("\n", " "), words
    assert "report: [bold]runs/x[/bold]" in text


def test_a_log_has_a_line_a_round_and_no_control_characters():
    lines = show(io.StringIO()).splitlines()
    assert lines[2].startswith("round 2/4 | reward 0.38 | solved by attempt 25 50 %")
    assert all(line.isprintable() for line in lines)


def test_rounds_of_demonstrations_show_no_success():
    stream = io.StringIO()
    with Display(4, stream) as display:
        display.round({**ROW, "demonstrations": 1.0}, 75)
        display.round({**ROW, "demonstrations": 0.5}, 75)
    first, second = stream.getvalue().splitlines()
    assert first == "round 2/4 | demonstrations | 1:15 left"
    assert "reward 0.38" in second


def test_a_round_that_could_not_be_checked_shows_no_reward():
    stream = io.StringIO()
    with Display(4, stream) as display:
        display.round({**ROW, "reward": None, "success": None}, 75)
    assert stream.getvalue() == "round 2/4 | nothing could be checked | 413 tok/s | 1:15 left\n"


def test_an_error_stops_the_bar():
    stream = Terminal()
    with pytest.raises(RuntimeError), Display(4, stream) as display:
        raise RuntimeError
    assert display.bar.finished or not display.bar.live.is_started


def test_times_and_shares():
    assert clock(-3) == "0:00" and clock(3599.6) == "60:00"
    assert shares([]) == ""


@pytest.mark.parametrize(
    ("credit", "share"), [("session", 1.0), ("loo", 1.0), ("attempt", 0.0), (None, None)]
)
def test_a_row_compares_sessions_as_the_method_does(tmp_path, credit, share):
    """Both sessions of the task earn 1, one of them at once."""

    def session(*rewards):
        attempts = [Attempt("a", "", 0.0, False, False, False, [], 1) for _ in rewards]
        return Episode("t", "t/0", 0, 0, 0, step_rewards=list(rewards), attempts=attempts)

    rows = RoundRows(Recipe(), RunFolder(tmp_path), SilentDisplay(0), Progress(parts=[{}]))
    episodes = [session(1.0), session(0.0, 1.0), session(0.5, 0.5)]
    rows.rollout(SimpleNamespace(episodes=episodes, seconds=2.0, tokens=9, mismatch=None,
                                 credit=credit, curriculum=None, step=0))  # fmt: skip
    rows.close()
    [row] = rows.folder.rows("metrics.jsonl")
    assert row["zero_variance"] == share and row["tokens_per_second"] == 4.5
    assert row["mismatch"] is None and row["alarms"] == []


@pytest.mark.parametrize(
    ("limits", "left"),
    [
        ({"rounds": 10}, 80.0),
        ({"rounds": 100_000, "max_tokens": 600}, 100.0),
        ({"rounds": 100_000, "max_seconds": 30}, 30.0),
        ({"rounds": 10, "max_tokens": 6000, "max_seconds": 500}, 80.0),
        ({"rounds": 10, "max_tokens": 50}, 0.0),
    ],
)
def test_what_is_left_is_until_the_first_limit(tmp_path, limits, left):
    recipe = Recipe(train=TrainSpec(**limits))
    rows = RoundRows(recipe, RunFolder(tmp_path), SilentDisplay(0), Progress(parts=[{}]))
    rows.progress.rounds, rows.progress.tokens = 2, 100
    rows.started = 1000.0
    assert rows._seconds_left(1020.0) == pytest.approx(left, abs=0.1)
