"""Coroutines: which calls make one, and whether anybody ever awaits what they made."""
