"""The ledger's own errors, so that these files work alone, far from the rest of squads.

They must never carry content: a message names positions, sizes, key ids and digests, nothing a person wrote.
"""

from __future__ import annotations


class Malformed(ValueError):
    """A frame, statement, note or key that is not what its place demands. Nothing was accepted."""


class Unauthorised(Malformed):
    """A well-formed receipt signed by a key that may not say this, or not at this index."""
