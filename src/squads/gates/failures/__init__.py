"""Failures: who catches one, what is said afterwards, and whether anybody can still tell."""
