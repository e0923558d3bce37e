"""How each family of reasoning-gym is judged here, and which are left out and why.

Made with ``benchmarks/peers/reasoning_gym_audit.py`` on reasoning-gym 0.1.25, which prints the same
table anew. A family that is in none of the tables is compared as text (`reasoning_gym`).
"""

from __future__ import annotations

# Not offered, with the reason.
EXCLUDED: dict[str, str] = {
    "composite": "mixes other families and has no task of its own",
    "boxnet": "no stored answer: nothing proves that a task can be solved (it scores 0)",
    "graph_color": "no stored answer (it scores 0)",
    "propositional_logic": "no stored answer (it scores 0)",
    "rubiks_cube": "no stored answer (it scores 0)",
    "rush_hour": "no stored answer (it scores 0)",
    "knight_swap": "items depend on the hash seed of the process (sets are walked through)",
    "list_functions": "items differ from process to process, with the same hash seed too",
    "polynomial_multiplication": "items depend on the hash seed of the process",
    "word_ladder": "stored answers depend on the hash seed of the process",
    "intermediate_integration": "stored answers hold unsolved integrals: the question again",
}

# The stored answer and the reply are both read in this way, then compared.
COMPARE: dict[str, str] = {
    "group_anagrams": "nested",
    "palindrome_partitioning": "nested",
    "game_of_life": "json",
    "number_filtering": "json",
    "number_sorting": "json",
    "codeio": "json",
    "fraction_simplification": "fraction",
    "prime_factorization": "factors",
    "power_function": "three_digits",
    "number_format": "close",
    "pool_matrix": "close",
    "polynomial_equations": "close",
    "countdown": "expression",
    "puzzle24": "expression",
    "n_queens": "one_of",
    "palindrome_generation": "palindrome",
}

# Several answers are right: where the reply is not the stored answer but has this form (and no
# other text), reasoning-gym's own scorer decides, in a worker process. The form is what keeps
# substrings, comments and code away from it.
SEVERAL: dict[str, str] = {
    "cryptarithm": r"[A-Z]=[0-9](?:, ?[A-Z]=[0-9])*",
    "jugs": (
        r'\["(?:fill|empty|pour) [A-Z](?:->[A-Z])?"'
        r'(?:, ?"(?:fill|empty|pour) [A-Z](?:->[A-Z])?")*\]'
    ),
    "kakurasu": r"[01](?:[ \n][01])*",
    "quantum_lock": r"[ABC](?: (?:→|->) [ABC])*",
    "shortest_path": r"(?:up|down|left|right)(?: (?:up|down|left|right))*",
    "sokoban": r"[UDLR]+",
    "tower_of_hanoi": (
        r"Move disk [0-9]+ from Peg [0-9] to Peg [0-9]"
        r"(?:\nMove disk [0-9]+ from Peg [0-9] to Peg [0-9])*"
    ),
    "simple_integration": r"[-+*/().0-9a-zA-Z ]+",
}

# Settings of a family that make its stored answer the only right one.
SETTINGS: dict[str, dict[str, object]] = {
    "codeio": {"input_prediction_probability": 0.0},  # many inputs give one output
}

# Items are drawn from so many (families that prepare a list of that size when they are made).
SIZES: dict[str, int] = {
    "acre": 20_000,
    "gsm_symbolic": 20_000,
}

# Items whose stored answer holds this text are drawn again, because it is wrong: "What is Sarah to
# Elizabeth?" is answered by what Elizabeth is to Sarah.
UNSOUND: dict[str, str] = {"family_relationships": "-in-law"}

# Families with few different answers ask several questions at once, so that no fixed reply is right
# in more than 5 % of the tasks: the power of the share of the most frequent answer (of 300).
QUESTIONS: dict[str, int] = {
    "acre": 4,
    "aiw": 3,
    "binary_alternation": 3,
    "calendar_arithmetic": 2,
    "circuit_logic": 7,
    "coin_flip": 2,
    "color_cube_rotation": 2,
    "count_bits": 2,
    "course_schedule": 6,
    "family_relationships": 2,
    "game_of_life": 2,
    "game_of_life_halting": 6,
    "gcd": 3,
    "isomorphic_strings": 6,
    "largest_island": 2,
    "letter_counting": 3,
    "mahjong_puzzle": 4,
    "maze": 3,
    "number_sequence": 2,
    "polynomial_equations": 3,
    "power_function": 2,
    "ransom_note": 6,
    "rectangle_count": 2,
    "rotten_oranges": 4,
    "self_reference": 4,
    "shortest_path": 4,
    "syllogism": 11,
    "zebra_puzzles": 3,
}
