"""Schemas that stand in Python: migrations, models, and SQL in strings, as statements of the one reader."""
