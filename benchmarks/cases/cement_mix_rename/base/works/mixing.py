"""What goes into the cement mill, in kilograms."""

from __future__ import annotations

from dataclasses import dataclass

CLINKER_SHARE = {"CEM I": 950, "CEM II/A": 800, "CEM III/A": 500}
GYPSUM_SHARE = 48


@dataclass(frozen=True)
class Mix:
    clinker: int
    gypsum: int
    additions: int


class UnknownCement(ValueError):
    pass


def mix_for(cement: str, kilograms: int) -> Mix:
    """Return the mix for a batch; shares are in thousandths, and the rest is additions."""
    if cement not in CLINKER_SHARE:
        raise UnknownCement(cement)
    gypsum = kilograms * GYPSUM_SHARE // 1_000
    clinker = (kilograms - gypsum) * CLINKER_SHARE[cement] // 1_000
    return Mix(clinker, gypsum, kilograms - gypsum - clinker)
