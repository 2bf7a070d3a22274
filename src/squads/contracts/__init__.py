"""Floor 0: nouns. Frozen, keyword-only, unknown fields forbidden, no I/O."""
