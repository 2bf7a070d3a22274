"""Proves labels: runs what a family says against each variant, and sees whether the invariant really breaks.

A label is proved when defects and cosmetic fixes answer `broken`, clean twins and decoys `holds`. `unknown` proves
nothing, whatever the label. Gates see none of this.
"""

from squads.bench.oracles.page import PythonOracle, SqlOracle, Step, oracle_of
from squads.bench.oracles.proof import Answer, Proof, Proved, proved
from squads.bench.oracles.prove import prove, prove_all, prove_cases, prove_family

__all__ = [
    "Answer",
    "Proof",
    "Proved",
    "PythonOracle",
    "SqlOracle",
    "Step",
    "oracle_of",
    "prove",
    "prove_all",
    "prove_cases",
    "prove_family",
    "proved",
]
