"""Cannot be imported."""

raise KeyboardInterrupt("stop everything")
