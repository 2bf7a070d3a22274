"""Checks of kind `probe`: they apply an artifact's SQL to a scratch database and attack it.

A probe refuses only what it did: a row that is stored and must not be, a call that fails and must not. Where the SQL
does not apply, where no valid row can be made, or where there is no scratch database, it abstains: could not attack is
never approved. Like a static check it reads only what its files hold, `*.sql` here.
"""

from squads.gates.probes.gate import PROBES, Probes, probe_named

__all__ = ["PROBES", "Probes", "probe_named"]
