"""Migrations rehearsed on a few rows in memory: run twice with one value changed, they show if it is still told."""
