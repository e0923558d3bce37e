"""Families that loop, fork, write, allocate, stop their process and lie when asked for a task.

The folder that they try to write into is their option ``folder``.
"""

import os
import time
from pathlib import Path

from corgi_gym.envs import Draft, TaskSource


def polite(reply, target):
    """A checker that no package declares."""
    if target == "loop":
        while True:
            pass
    return "please" in reply


class Fine(TaskSource):
    """Does no harm."""

    family = "hostile_family_fine"
    summary = "Ask politely."
    checker = polite

    def __init__(self, folder=".", things=("tea", "bread")):
        self.folder, self.things = Path(folder), things

    def generate(self, rng):
        """Draw a thing."""
        thing = self.things[int(rng.integers(len(self.things)))]
        number = int(rng.integers(1000))
        prompt = f"Ask for {number} portions of {thing}."
        return Draft(f"{thing} {number}", prompt, (thing, number), f"{number} {thing} please")

    def near_misses(self, task):
        """No politeness."""
        return [task.witness.removesuffix(" please"), "Give me that."]


class Loops(Fine):
    """Never makes a task; its checker loops too."""

    family = "hostile_family_loops"

    def generate(self, rng):
        """Never ends."""
        while True:
            pass


class Forks(Fine):
    """Starts processes."""

    family = "hostile_family_forks"

    def generate(self, rng):
        """Fork until it cannot; each child leaves a file."""
        for number in range(50):
            if os.fork() == 0:
                (self.folder / f"forked{number}").write_text("x")
                time.sleep(60)
                os._exit(0)
        return super().generate(rng)


class Writes(Fine):
    """Writes, changes and removes files, and goes on as if it had been allowed to."""

    family = "hostile_family_writes"

    def generate(self, rng):
        """Try them all."""
        for act in (
            lambda: (self.folder / "written").write_text("x"),
            lambda: (self.folder / "kept").unlink(),
            lambda: (self.folder / "kept").chmod(0o777),
            lambda: Path(__file__).with_name("hostile_was_here").write_text("x"),
        ):
            try:
                act()
            except OSError:
                continue
        return super().generate(rng)


class Allocates(Fine):
    """Takes all memory."""

    family = "hostile_family_allocates"

    def generate(self, rng):
        """Take more and more."""
        kept = []
        while True:
            kept.append(bytearray(2**26))


class Exits(Fine):
    """Ends its process when it is made."""

    family = "hostile_family_exits"

    def __init__(self):
        os._exit(0)


class Raises(Fine):
    """Raises what is no Exception."""

    family = "hostile_family_raises"

    def generate(self, rng):
        """Stop everything."""
        raise KeyboardInterrupt("stop everything")


class Lies(Fine):
    """Its tasks are none."""

    family = "hostile_family_lies"

    def generate(self, rng):
        """A prompt that is no text."""
        return Draft("key", ["no", "text"], None, "please")
