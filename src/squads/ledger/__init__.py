"""Proofs: leaf, tree, checkpoint, statement, keys and the verifier.

Everything here is pure and needs only the standard library and `cryptography`, so that these files together
are an offline verifier. They must never import another package of squads, read a clock, or open a file.
"""
