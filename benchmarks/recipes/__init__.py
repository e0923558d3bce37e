"""The shipped recipes (YAML files)."""
