"""An engine that answers by a function of the text and the seed, and recipes that use it."""

import pytest

from corgi_gym.agents.engines import CharCodec, Completion
from corgi_gym.benchmarks.policy import Policy
from corgi_gym.benchmarks.recipe import from_dict


class SeededEngine:
    """Answers with ``script(text, seed)``; counts what it is asked."""

    def __init__(self, script):
        self.script, self.codec, self.queue, self.asked = script, CharCodec(), [], []

    def submit(self, request):
        self.queue.append(request)
        self.asked.append(self.codec.text(request.prompt_ids))

    def poll(self):
        request = self.queue.pop()  # the last one first: order must not matter
        reply = self.script(self.codec.text(request.prompt_ids), request.seed)
        ids = [*map(ord, reply), self.codec.END][: request.sampling.max_tokens]
        done = "stop" if ids[-1] == self.codec.END else "length"
        return [Completion(request.id, ids, [0.0] * len(ids), done)]

    def cancel(self, ids):
        gone = set(ids)
        self.queue = [r for r in self.queue if r.id not in gone]

    def load_weights(self, named_params):
        pass

    def close(self):
        pass


def own_reply(text):
    """The reply in a question about one, without its fence."""
    return "\n".join(line[2:] for line in text.splitlines() if line.startswith("| "))


def writer(text, seed):
    """Solves half of its tasks, and knows a solved one when it sees it, with reasons."""
    if "Check it step by step" not in text:
        return "yes" if seed % 2 else "no"
    good = own_reply(text) == "yes"
    if "Score:" in text:
        return f"I looked.\nScore: {9 if good else 2}"
    return f"I looked.\nVerdict: {'correct' if good else 'incorrect'}"


def says_yes(reply, target):
    """The task: say yes."""
    return reply == "yes"


@pytest.fixture
def make_policy():
    """A function: the policy that a script is."""

    def make(script=writer):
        return Policy(None, None, CharCodec(), SeededEngine(script))

    return make


@pytest.fixture
def recipe(tiny_folder):
    """Four prompts that ask for a yes."""
    return from_dict({
        "name": "tiny", "model": tiny_folder, "engine": "transformers",
        "env": {"kwargs": {"prompts": [f"Say yes to {c}." for c in "abcd"], "checker": says_yes}},
        "sampling": {"max_tokens": 8, "max_length": 3000},
        "train": {"sessions": 8, "num_generations": 2, "updates": 1, "micro_batch": 4},
        "evaluation": {"tasks": 4, "attempts": 1},
    })  # fmt: skip
