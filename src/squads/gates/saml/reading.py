"""What was read out of SAML messages, on which ways, and how far it could be believed there."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field, replace
from typing import Literal

from squads.gates.python.module import Module
from squads.gates.saml import words
from squads.gates.saml.calls import known_issuer
from squads.gates.saml.values import Data, State

Standing = Literal["verified", "outside", "refused"]
"""Verified; verified perhaps by somebody outside of the artifact; not verified."""

_ASSERTION = re.compile(r"Assertion(\[\d+\])?$")
_SAML_NAME = re.compile(r"saml|assertion", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reading:
    """One place where identity is read."""

    node: ast.AST
    module: Module
    around: tuple[str, ...] = ()
    """The functions it stands in, from the outside in."""


@dataclass(slots=True)
class Account:
    """All that was seen of one place, over all ways."""

    reading: Reading
    what: frozenset[str] = frozenset()
    standings: set[Standing] = field(default_factory=set)
    reasons: set[str] = field(default_factory=set)
    origins: set[str] = field(default_factory=set)
    request: bool = False
    toolkit: bool = False


class Readings:
    """Collects readings; the check makes findings of them."""

    def __init__(self) -> None:
        self.accounts: dict[ast.AST, Account] = {}
        self.used: frozenset[ast.AST] = frozenset()
        self.doubted: frozenset[ast.AST] = frozenset()
        """Readings of which some use stood on no verification, not even on one after the reading."""
        self.handed_on: frozenset[str] = frozenset()
        self.selected: dict[ast.AST, Reading] = {}
        """Where an assertion was taken out of a tree that is not the signed one."""

    def read(self, reading: Reading, data: Data, strings: list[str], state: State) -> Data:
        """Note what `strings` ask `data` for, and return what they get."""
        short = strings[0] if strings and len(strings[0]) < 40 else ""
        result = replace(data, tag=short or data.tag, key=data.key or words.of_key(strings))
        if data.form in ("signed", "own", "metadata"):
            if data.form == "signed" and words.identity(strings)[0]:
                self.accounts.setdefault(reading.node, Account(reading)).standings.add("verified")
            return result
        # A mapping of namespaces names what may be asked for, and not what is.
        if data.form in ("tree", "text") and words.of_metadata(s for s in strings if not s.startswith("urn:")):
            known = bool(data.origins) and all(known_issuer(o) in state.trust for o in data.origins)
            return replace(result, form="metadata", key=result.key and not known)
        if data.form == "tree" and any(_ASSERTION.search(s) for s in strings):
            self.selected.setdefault(reading.node, reading)
        if data.form == "tree" and words.of_signature(strings):
            state.remark("looked")
            if "Assertion" in data.tag or "Assertion" in short:
                state.remark("within")
        if words.of_request(strings):
            state.remark("request")
        found, strong = words.identity(strings)
        if not found or (not strong and not self._saml(reading, data, found)):
            return result
        self._note(reading, data, state, found)
        return replace(result, reads=result.reads | {reading.node})

    def toolkit(self, reading: Reading, data: Data, state: State) -> Data:
        """Note that a toolkit is asked who it is."""
        account = self._note(reading, replace(data, form="tree"), state, frozenset())
        account.toolkit = True
        return replace(data, form="signed", reads=data.reads | {reading.node})

    def _saml(self, reading: Reading, data: Data, found: frozenset[str]) -> bool:
        named = any(_SAML_NAME.search(n) for n in (*data.origins, *reading.around))
        if not words.only_common(found):
            return named or words.about(reading.module.path, reading.module.source.text.encode())
        return named

    def _note(self, reading: Reading, data: Data, state: State, what: frozenset[str]) -> Account:
        account = self.accounts.setdefault(reading.node, Account(reading))
        account.what |= what
        account.origins |= data.origins
        account.request |= "request" in state.remarks or any("SAMLRequest" in o for o in data.origins)
        grades = {state.trust.get(o) for o in data.origins} or {None}
        if grades <= {"verified"}:
            account.standings.add("verified")
            if "compared" not in state.remarks:
                account.reasons.add("uncompared")
                if (
                    "in place" in state.remarks
                    and "Assertion" in data.tag
                    and not state.remarks & {"within", "counted"}
                ):
                    account.reasons.add("loose")
                if "vainly" in state.remarks:
                    account.reasons.add("vainly")
        elif data.form in ("unclear", "opaque") or grades <= {"verified", "unclear"}:
            account.standings.add("outside")
        else:
            account.standings.add("refused")
            known = grades - {"verified", "unclear"}
            single = known if known <= {"elsewhere"} or known <= {"half"} or known <= {"digest"} else set()
            account.reasons |= {str(g) for g in single} or set(state.remarks) or {"none"}
        return account
