"""Runs the examples in the docstrings of rewards/ and envs/.

`--doctest-modules` cannot: it would import `rewards/text.py` as `rewards.text`, beside the real
`corgi_gym.rewards.text`.
"""

import doctest
import pkgutil
from importlib import import_module
from types import ModuleType

import pytest

import corgi_gym.envs
import corgi_gym.rewards
from corgi_gym.rewards import registry

MODULES = [
    module.name
    for package in (corgi_gym.rewards, corgi_gym.envs)
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_the_docstrings_hold(name, monkeypatch):
    module = import_module(name)
    monkeypatch.setattr(registry, "_REGISTRY", dict(registry._REGISTRY))
    runner = doctest.DocTestRunner()
    for test in examples(module):
        assert runner.run(test).failed == 0, test.name


def examples(module: ModuleType) -> list[doctest.DocTest]:
    finder = doctest.DocTestFinder()
    tests = finder.find(module)
    for key, value in vars(module).items():
        # the decorator turns a function into an object, in which doctest does not look
        if isinstance(value, registry.NamedChecker) and value.name == key:
            tests += finder.find(value.function, key, module=module, globs=dict(vars(module)))
    return [test for test in tests if test.examples]


def test_examples_are_found_in_plain_and_in_decorated_functions():
    names = {test.name for name in MODULES for test in examples(import_module(name))}
    assert {"corgi_gym.rewards.text.normalise", "num_planning", "panagram"} <= names
    assert len(names) > 30
