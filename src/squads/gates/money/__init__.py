"""Money in Python: what is an amount of it, and whether binary floating point ever holds one."""
