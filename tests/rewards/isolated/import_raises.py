"""Cannot be imported."""

raise KeyboardInterrupt("no import today")
