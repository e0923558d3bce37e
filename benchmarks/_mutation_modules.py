"""Which modules of rewards/ take part in a verdict, and which test files are theirs.

A new checker is measured without a change here if `tests/rewards/test_NAME.py` tests it.
"""

from __future__ import annotations

from pathlib import Path

# Not measured, by the start of the name: what takes no part in a verdict, or runs where a changed
# module of this process is not seen.
LEFT_OUT = {
    "audit/": "the test kit itself",
    "builtin": "a table of names",
    "names": "what errors say of unknown names",
    "registry": "names and plug-ins",
    "isolate": "processes and deadlines",
    "_isolate_": "processes and deadlines",
    "_math_child": "runs in a worker process",
    "_program_child": "runs in a worker process",
    "_reasoning_gym_table": "names, and numbers measured by peers/reasoning_gym_audit.py",
    "_reasoning_gym_worker": "runs in a worker process",
    "llm_judge/probes": "texts for the audit",
    "extras": "says what to install",
}
_SENTENCE = (
    "test_grammar_phrases.py",
    "test_sentence_parts.py",
    "test_sentence_record.py",
    "test_sentence.py",
)
_INSTRUCTIONS = (
    "test_instruction_content.py",
    "test_languages.py",
    "test_instruction_conflicts.py",
    "test_instruction_fields.py",
    "test_boundaries_instructions.py",
    "test_instructions.py",
    "test_instructions_reference.py",
)
_CONSTRAINTS = (
    "test_boundaries_constraints.py",
    "test_constraints.py",
    "test_constraints_conflicts.py",
)
_FACTS = ("test_constraint_facts.py", "test_records.py", *_CONSTRAINTS)
_LIMITS = ("test_instruction_limits.py", "test_records.py", *_INSTRUCTIONS)
_JUDGE = ("test_boundaries_judge.py", "test_llm_judge.py", "test_verdict_lines.py")
_SEMANTIC = ("test_boundaries_semantic.py", "test_semantic.py")
_MATH = ("test_boundaries_math.py", "test_guided_math.py")
# With scripted processes: to run all programs takes a minute for each change that survives.
_PROGRAM = ("test_boundaries_programs.py",)

# Test files of a package, or of a module; default: test_MODULE.py.
TESTS = {
    "instructions": _INSTRUCTIONS,
    "instructions/_langdetect": _LIMITS,
    "instructions/_punkt": _LIMITS,
    "instructions/_treebank": _LIMITS,
    "instructions/checker": _LIMITS,
    "instructions/formats": _LIMITS,
    "instructions/length": _LIMITS,
    "constraints": _CONSTRAINTS,
    "constraints/_facts": _FACTS,
    "constraints/conflicts": _FACTS,
    "constraints/describe": _FACTS,
    "llm_judge": _JUDGE,
    "semantic": _SEMANTIC,
    "semantic/classifier": ("test_semantic_models.py",),
    "semantic/encoder": ("test_encoder.py",),
    "semantic/sentiment_lexicon": ("test_sentiment_lexicon.py", "test_sentiment.py"),
    "semantic/student": ("test_semantic_models.py",),
    "semantic/subjective_lexicon": ("test_boundaries_semantic.py", "test_style_transfer.py"),
    "semantic/wordpiece": ("test_encoder.py",),
    "_adjacency": _SENTENCE,
    "_noun_phrases": _SENTENCE,
    "_recogniser": _SENTENCE,
    "_sense": _SENTENCE,
    "_tagger": _SENTENCE,
    "_wordlists": ("test_lexicon.py", *_SENTENCE, "test_passage.py"),
    "answer_line": ("test_boundaries.py", "test_math_checkers.py"),
    "assertions": _PROGRAM,
    "clustering": ("test_boundaries.py", "test_clustering.py"),
    "concepts": ("test_boundaries.py", "test_concepts.py"),
    "concepts_hard": ("test_concepts_hard.py", "test_records.py"),
    "countdown": ("test_boundaries.py", "test_math_checkers.py"),
    "date_understanding": (*_MATH, "test_date_understanding.py"),
    "dictionary": ("test_dictionary.py", "test_num_planning.py"),
    "fractions_units": (*_MATH, "test_fractions_units.py"),
    "grammar": _SENTENCE,
    "lexicon": ("test_lexicon.py",),
    "linear_equations": (*_MATH, "test_linear_equations.py"),
    "logical_deduction": (*_MATH, "test_logical_deduction.py"),
    "math_verify": ("test_math_answers.py", "test_math_verify.py", "test_reward_doctor.py"),
    "mbpp": _PROGRAM,
    "multistep_arithmetic": ("test_math_checkers.py",),
    "num_planning": ("test_boundaries.py", "test_num_planning.py"),
    "panagram": ("test_boundaries.py", "test_panagram.py"),
    "passage": ("test_boundaries_semantic.py", "test_passage.py"),
    "paraphrase": ("test_boundaries_semantic.py", "test_paraphrase.py"),
    "program": _PROGRAM,
    "programs": ("test_programs.py",),
    "prose": ("test_prose.py", "test_num_planning.py"),
    "rational": ("test_boundaries.py", "test_rational.py", "test_math_checkers.py"),
    "rationale_generation": ("test_boundaries_semantic.py", "test_rationale_generation.py"),
    "reasoning_gym": ("test_boundaries_math.py", "test_reasoning_gym.py"),
    "sentence": _SENTENCE,
    "sentiment": ("test_boundaries_semantic.py", "test_sentiment.py"),
    "step_feedback": ("test_trajectory.py",),
    "steps": ("test_boundaries.py", "test_steps.py", "test_math_checkers.py"),
    "story_generation": ("test_boundaries_semantic.py", "test_story_generation.py"),
    "style_transfer": ("test_boundaries_semantic.py", "test_style_transfer.py"),
    "text": ("test_boundaries.py", "test_text.py"),
    "word_pairs": ("test_word_pairs.py",),
    "word_problems": ("test_guided_math.py",),
    "word_sorting": (*_MATH, "test_word_sorting.py"),
    "working": ("test_boundaries.py", "test_working.py", "test_math_checkers.py"),
}

# Libraries that the tests of a module import.
LIBRARIES = {"semantic/classifier": ("torch",), "semantic/student": ("torch",)}


def checker_modules(rewards: Path) -> list[str]:
    """Names of the modules to measure, sorted: ``panagram``, ``instructions/length``."""
    found = [path.relative_to(rewards).with_suffix("") for path in rewards.rglob("*.py")]
    names = sorted(path.as_posix() for path in found if path.name != "__init__")
    return [name for name in names if not name.startswith(tuple(LEFT_OUT))]


def files_of(module: str) -> tuple[str, ...]:
    """Names of the files in tests/rewards that test a module, quick ones first."""
    package = module.partition("/")[0]
    return TESTS.get(module) or TESTS.get(package) or (f"test_{module}.py",)


def libraries_of(module: str) -> tuple[str, ...]:
    """Names of the libraries that the tests of a module import."""
    return LIBRARIES.get(module, ())
