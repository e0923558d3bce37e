"""A phase of a job, in a process that ends when its launcher does, however that ends.

    python -m corgi_gym.benchmarks.bench._child FOLDER PHASE [keep]

A training that outlives a killed ``bench run`` would hold the job's lock and the cores for minutes.
"""

from __future__ import annotations

import sys

from corgi_gym.benchmarks.bench.job import main
from corgi_gym.rewards._isolate_guard import die_with_parent

if __name__ == "__main__":
    die_with_parent()
    sys.exit(main(sys.argv[1:]))
