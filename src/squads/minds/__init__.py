"""How roles think: what a model is told, the forms it fills in, what becomes of its answer. Knows no vendor."""
