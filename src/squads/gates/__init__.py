"""Floor 2: gates and checks: whoever may refuse."""
