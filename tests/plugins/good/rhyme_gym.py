"""Words that begin with one letter: a checker and a family for corgi-gym."""

from corgi_gym.envs import Draft, TaskSource
from corgi_gym.rewards import Problem, Verdict, checker

WORDS = {
    "b": ("big", "brown", "bears", "bring", "bread"),
    "c": ("cold", "cats", "carry", "cream", "cakes"),
    "d": ("dark", "dogs", "dig", "deep", "dens"),
    "s": ("seven", "swans", "swim", "south", "slowly"),
}


@checker(
    "rhyme_alliteration",
    examples=[
        ("big brown bears", {"letter": "b", "count": 3}, True),
        ("big brown cats", {"letter": "b", "count": 3}, False),
        ("big brown", {"letter": "b", "count": 3}, False),
    ],
)
def alliteration(reply, target):
    """Score the share of words that begin with the letter, if their number is right."""
    words = reply.split()
    if len(words) != target["count"]:
        text = f"You wrote {len(words)} words. Write {target['count']}."
        return Verdict.wrong(0.0, Problem("word_count", text))
    others = [word for word in words if not word.lower().startswith(target["letter"])]
    if not others:
        return Verdict.ok()
    text = f"{len(others)} of your words do not begin with {target['letter']}."
    return Verdict.wrong(0.5 * (1 - len(others) / len(words)), Problem("letter", text))


class Alliterate(TaskSource):
    """Write words that begin with one letter."""

    family = "rhyme_alliterate"
    summary = "Write words that begin with one letter."
    checker = alliteration

    def generate(self, rng):
        """Draw a letter and a number of words."""
        letter, count = sorted(WORDS)[int(rng.integers(len(WORDS)))], int(rng.integers(2, 6))
        prompt = f"Write {count} words that begin with the letter {letter}, and nothing else."
        witness = " ".join(WORDS[letter][:count])
        return Draft(f"{letter} {count}", prompt, {"letter": letter, "count": count}, witness)

    def near_misses(self, task):
        """A word too few, another letter."""
        return [task.witness.rpartition(" ")[0], f"x{task.witness}"]
