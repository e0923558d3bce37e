"""Engines and environments that tests can steer."""

import importlib.util
import random
from pathlib import Path

import pytest

from corgi_gym.agents.engines import CharCodec, Completion
from corgi_gym.agents.rollout import Rollout
from corgi_gym.envs import Draft, GuidedEnv, TaskSource


def letters(reply, target):
    """Rewards the letter e."""
    return min(1.0, reply.count("e") / 4)


class Letters(TaskSource):
    """Tasks that a tiny model learns, with a witness for methods that learn from one."""

    family = "letters"
    summary = "Write the letter e four times."
    checker = letters
    ask, solution, misses = "Say something, {}.", "e e e e", ("e e e", "a")

    def generate(self, rng):
        name = "".join(rng.choice(list("abcdefgh"), 3))
        return Draft(name, self.ask.format(name), None, self.solution)

    def near_misses(self, task):
        return list(self.misses)


class OddEngine:
    """Answers requests one by one, at odd times and in an odd order; records what happened."""

    def __init__(self, script, *, seed=0, logprob=-0.5):
        self.script, self.rng, self.logprob = script, random.Random(seed), logprob
        self.codec = CharCodec()
        self.pending, self.log, self.most = {}, [], 0

    def submit(self, request):
        assert request.id not in self.pending
        self.pending[request.id] = request
        self.most = max(self.most, len(self.pending))
        self.log.append(("submit", request.id, list(request.prompt_ids), request.seed))

    def poll(self):
        names = sorted(n for n in self.pending if self.rng.random() < 0.4)
        self.rng.shuffle(names)
        return [self.finish(name) for name in names]

    def finish(self, name):
        request = self.pending.pop(name)
        reply = self.script(self.codec.text(request.prompt_ids))
        ids = [*map(ord, reply), self.codec.END][: request.sampling.max_tokens]
        self.log.append(("finish", name, ids, None))
        reason = "stop" if ids[-1] == self.codec.END else "length"
        return Completion(name, ids, [self.logprob] * len(ids), reason)

    def cancel(self, ids):
        for name in list(ids):
            self.pending.pop(name, None)
            self.log.append(("cancel", name, [], None))

    def load_weights(self, named_params):
        pass

    def close(self):
        pass


@pytest.fixture
def odd_engine():
    """The class `OddEngine`."""
    return OddEngine


@pytest.fixture
def make_rollout():
    """A function: a rollout of a one-checker environment on an engine, one token a character."""

    def make(engine, checker, sampling, *, prompts=("Say hi.",), codec=None, **kwargs):
        env_kwargs = {
            k: kwargs.pop(k) for k in ("max_attempts", "feedback", "session_reward") if k in kwargs
        }
        made = []

        def make_env():
            made.append(GuidedEnv(prompts=list(prompts), checker=checker, **env_kwargs))
            return made[-1]

        rollout = Rollout(make_env, engine, codec or CharCodec(), sampling, **kwargs)
        rollout.made = made
        return rollout

    return make


@pytest.fixture
def fake_server():
    """A function: starts a `FakeServer` (see fake_server.py); all are stopped after the test."""
    path = Path(__file__).with_name("fake_server.py")
    spec = importlib.util.spec_from_file_location("fake_server", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    started = []

    def start(*args):
        started.append(module.FakeServer(*args))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def make_tiny_trainer(tmp_path, tiny_tokenizer):
    """A function: the trainer of an algorithm, as a run makes it, on a tiny model."""

    def make(
        model, make_env, spec, *, engine=None, max_tokens=8, temperature=1.0, options=None, **kwargs
    ):
        from corgi_gym.agents.codec import ChatCodec
        from corgi_gym.agents.engines import Sampling
        from corgi_gym.agents.engines.transformers_engine import TransformersEngine
        from corgi_gym.agents.training import make_trainer
        from corgi_gym.benchmarks.recipe import TrainSpec

        rollout = Rollout(
            make_env,
            engine or TransformersEngine(model),
            ChatCodec(tiny_tokenizer),
            Sampling(max_tokens=max_tokens),
            max_length=400,
        )
        return make_trainer(
            spec=TrainSpec(**spec, options=options or {}),
            model=model,
            tokenizer=tiny_tokenizer,
            rollout=rollout,
            temperature=temperature,
            seed=0,
            output_dir=str(tmp_path / "out"),
            **{"algorithm": "turn_grpo", **kwargs},
        )

    return make
