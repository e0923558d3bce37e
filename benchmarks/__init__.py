"""Which algorithm is better, and is that significant: runs, statistics and reports."""
