"""Which algorithm is better, and by how much: runs, recipes, statistics, plots and reports.

Importing it loads no torch; running something does.
"""

from corgi_gym.benchmarks.experiment import evaluate_recipe, run, train
from corgi_gym.benchmarks.recipe import Recipe, load_recipe

__all__ = ["Recipe", "evaluate_recipe", "load_recipe", "run", "train"]
