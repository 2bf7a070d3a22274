"""Changes: what stood before, what stands now, and what a brief allows to be different."""
