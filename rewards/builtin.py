"""Where the shipped checkers live, so that a name is enough and nothing is imported before use."""

from __future__ import annotations

_HERE = "corgi_gym.rewards"

# name -> "module:attribute"
BUILTIN: dict[str, str] = {
    "clustering": f"{_HERE}.clustering:clustering",
    "concepts": f"{_HERE}.concepts:concepts",
    "concepts_hard": f"{_HERE}.concepts_hard:concepts_hard",
    "constraint_grammar": f"{_HERE}.constraints.checker:constraint_grammar",
    "countdown": f"{_HERE}.countdown:countdown",
    "date_understanding": f"{_HERE}.date_understanding:date_understanding",
    "fractions_units": f"{_HERE}.fractions_units:fractions_units",
    "instruction_following": f"{_HERE}.instructions.checker:instruction_following",
    "linear_equations": f"{_HERE}.linear_equations:linear_equations",
    "logical_deduction": f"{_HERE}.logical_deduction:logical_deduction",
    "math_verify": f"{_HERE}.math_verify:math_verify",
    "mbpp": f"{_HERE}.mbpp:mbpp",
    "multistep_arithmetic": f"{_HERE}.multistep_arithmetic:multistep_arithmetic",
    "num_planning": f"{_HERE}.num_planning:num_planning",
    "panagram": f"{_HERE}.panagram:panagram",
    "paraphrase": f"{_HERE}.paraphrase:paraphrase",
    "program": f"{_HERE}.program:program",
    "rationale_generation": f"{_HERE}.rationale_generation:rationale_generation",
    "reasoning_gym": f"{_HERE}.reasoning_gym:reasoning_gym",
    "sentiment": f"{_HERE}.sentiment:sentiment",
    "story_generation": f"{_HERE}.story_generation:story_generation",
    "style_transfer": f"{_HERE}.style_transfer:style_transfer",
    "word_problems": f"{_HERE}.word_problems:word_problems",
    "word_sorting": f"{_HERE}.word_sorting:word_sorting",
}
