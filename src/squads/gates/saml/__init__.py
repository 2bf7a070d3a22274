"""SAML as checks read it: `read_saml(artifact)` tells who reads identity out of what, and what was verified."""

from squads.gates.saml.reading import Account
from squads.gates.saml.run import SETTINGS_FILES, TESTS, Saml, read_saml
from squads.gates.saml.settings import Switch

__all__ = ["SETTINGS_FILES", "TESTS", "Account", "Saml", "Switch", "read_saml"]
