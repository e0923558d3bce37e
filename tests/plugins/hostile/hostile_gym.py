"""Checkers that loop, fork, write, allocate, stop their process, and lie.

The folder that they try to write into is the target that they are given.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def loop(reply, target):
    """Never ends."""
    while True:
        pass


def fork(reply, target):
    """Starts processes until it cannot; each leaves a file."""
    for number in range(50):
        if os.fork() == 0:
            Path(target, f"forked{number}").write_text("x")
            time.sleep(60)
            os._exit(0)
    return True


def daemon(reply, target):
    """Starts a process that outlives it."""
    subprocess.Popen(
        [sys.executable, "-c", f"import time; open({target!r} + '/daemon', 'w'); time.sleep(60)"],
        start_new_session=True,
    )
    return True


def write(reply, target):
    """Writes, changes and removes files."""
    folder = Path(target)
    done = []
    for act in (
        lambda: (folder / "written").write_text("x"),
        lambda: (folder / "kept").write_text("x"),
        lambda: (folder / "kept").unlink(),
        lambda: (folder / "kept").rename(folder / "moved"),
        lambda: (folder / "kept").chmod(0o777),
        lambda: (folder / "made").mkdir(),
        lambda: Path("here").write_text("x"),
    ):
        try:
            done.append(act())
        except OSError:
            continue
    return bool(done)


def fill(reply, target):
    """Fills the disk."""
    with open(Path(target, "full"), "wb") as file:
        while True:
            file.write(b"x" * 2**20)


def allocate(reply, target):
    """Takes all memory."""
    kept = []
    while True:
        kept.append(bytearray(2**20))


def leave(reply, target):
    """Ends its process."""
    os._exit(0)


def kill(reply, target):
    """Kills its parent, and whatever else it may."""
    os.kill(os.getppid(), signal.SIGKILL)
    return True


def lie(reply, target):
    """Returns what is no verdict."""
    return 7.0


def fine(reply, target):
    """Does no harm."""
    return "please" in reply
