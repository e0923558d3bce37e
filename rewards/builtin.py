"""Where the shipped checkers live, so that a name is enough and nothing is imported before use."""

from __future__ import annotations

_HERE = "corgi_gym.rewards"

# name -> "module:attribute"
BUILTIN: dict[str, str] = {
    "clustering": f"{_HERE}.clustering:clustering",
    "concepts": f"{_HERE}.concepts:concepts",
    "countdown": f"{_HERE}.countdown:countdown",
    "multistep_arithmetic": f"{_HERE}.multistep_arithmetic:multistep_arithmetic",
    "num_planning": f"{_HERE}.num_planning:num_planning",
    "panagram": f"{_HERE}.panagram:panagram",
}
