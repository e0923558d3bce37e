"""Scripts that measure speed; each prints what it measured and how."""
