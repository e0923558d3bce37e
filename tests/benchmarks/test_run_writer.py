"""The run folder survives what disks and people do."""

import errno
import json
import os
from pathlib import Path

import pytest

from corgi_gym.benchmarks import run_writer
from corgi_gym.benchmarks.run_writer import FILES, RunFolder


def test_files_and_rows_are_written_as_they_come(tmp_path):
    folder = RunFolder(tmp_path / "a" / "run")
    folder.write_json("config.json", {"a": 1, "text": "naïve 🐕"})
    folder.append("metrics.jsonl", {"step": 0})
    folder.append("metrics.jsonl", {"step": 1, "text": "line\nbreak \u2028"})
    assert json.loads((folder.path / "config.json").read_text())["text"] == "naïve 🐕"
    rows = (folder.path / "metrics.jsonl").read_text().split("\n")
    assert [json.loads(r)["step"] for r in rows if r] == [0, 1]
    assert sorted(p.name for p in folder.path.iterdir()) == ["config.json", "metrics.jsonl"]


def test_text_that_utf8_cannot_hold_is_written_as_an_escape(tmp_path):
    folder = RunFolder(tmp_path)
    folder.append("episodes.jsonl", {"reply": "lone \ud800 half"})
    folder.write_json("config.json", {"reply": "lone \udfff half"})
    assert json.loads((tmp_path / "episodes.jsonl").read_text())["reply"] == "lone \ud800 half"
    assert json.loads((tmp_path / "config.json").read_text())["reply"] == "lone \udfff half"


@pytest.mark.parametrize("name", [*FILES, "checkpoint", "curve.svg"])
def test_an_existing_run_is_kept_unless_told_otherwise(tmp_path, name):
    (tmp_path / name).write_text("old")
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError, match=rf"already holds a run \({name}\).*--overwrite"):
        RunFolder(tmp_path)
    assert (tmp_path / name).read_text() == "old"
    folder = RunFolder(tmp_path, overwrite=True)
    assert (tmp_path / name).read_text() == "old"  # until there is something to put in its place
    folder.clear()
    assert [p.name for p in tmp_path.iterdir()] == ["mine.txt"]


def test_a_place_that_cannot_be_a_folder_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file", tmp_path / "file" / "run", Path("/proc/no/run")):
        with pytest.raises(OSError, match=f"run folder '{path}' cannot be written to.*--out"):
            RunFolder(path)


def test_a_folder_that_may_not_be_written_is_named(tmp_path, monkeypatch):
    def refuse(self, *args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    monkeypatch.setattr(Path, "write_text", refuse)
    with pytest.raises(OSError, match=r"cannot be written to \(Permission denied\)"):
        RunFolder(tmp_path)


def full(*args, **kwargs):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_leaves_the_old_file_whole(tmp_path, monkeypatch):
    folder = RunFolder(tmp_path)
    folder.write_json("summary.json", {"old": True})
    os_calls = ((run_writer.os, "fsync"), (run_writer.os, "replace"))
    for target, name in ((Path, "open"), *os_calls):
        with monkeypatch.context() as patch:
            patch.setattr(target, name, full)
            with pytest.raises(OSError, match=r"No space left.*is safe.*summary\.json") as caught:
                folder.write_json("summary.json", {"new": True})
            assert caught.value.errno == errno.ENOSPC
        assert json.loads((tmp_path / "summary.json").read_text()) == {"old": True}
        assert [p.name for p in tmp_path.iterdir()] == ["summary.json"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_row_that_does_not_fit_names_the_file(tmp_path):
    folder = RunFolder(tmp_path)
    (tmp_path / "metrics.jsonl").symlink_to("/dev/full")
    with pytest.raises(OSError, match=r"No space left.*metrics\.jsonl") as caught:
        folder.append("metrics.jsonl", {"step": 0})
    assert caught.value.errno == errno.ENOSPC


def test_a_finished_folder_replaces_the_one_before(tmp_path):
    folder = RunFolder(tmp_path / "run")
    for text in ("one", "two"):
        scratch = tmp_path / "run" / ".scratch"
        scratch.mkdir()
        (scratch / f"{text}.txt").write_text(text)
        folder.replace_folder(scratch, "checkpoint")
    assert [p.name for p in (tmp_path / "run").iterdir()] == ["checkpoint"]
    assert [p.name for p in (tmp_path / "run" / "checkpoint").iterdir()] == ["two.txt"]


def test_a_finished_folder_is_on_the_disk(tmp_path, monkeypatch):
    """What it was made from is removed next; a machine that dies must not take both."""
    flushed, fsync = [], os.fsync
    monkeypatch.setattr(
        os, "fsync", lambda fd: flushed.append(os.readlink(f"/proc/self/fd/{fd}")) or fsync(fd)
    )
    folder = RunFolder(tmp_path / "run")
    scratch = tmp_path / "run" / ".scratch"
    (scratch / "inner").mkdir(parents=True)
    (scratch / "inner" / "a.txt").write_text("a")
    folder.replace_folder(scratch, "checkpoint")
    found = {path.removeprefix(str(tmp_path)) for path in flushed}
    assert {"/run/.scratch/inner/a.txt", "/run/.scratch/inner", "/run/.scratch", "/run"} <= found


def test_rows_are_read_back_without_a_half_written_one(tmp_path):
    folder = RunFolder(tmp_path)
    assert folder.rows("metrics.jsonl") == []
    folder.append("metrics.jsonl", {"step": 0, "text": "line\u2028break"})
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 1')
    assert folder.rows("metrics.jsonl") == [{"step": 0, "text": "line\u2028break"}]
