"""`squads acl`: the exact lines of the server's ACL file, for the runner and for each role."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from squads.adapters.private_files import open_private
from squads.adapters.redis_bus import acl
from squads.adapters.redis_bus.acl import BusUser
from squads.cli.gate import default_store
from squads.contracts.errors import InvalidInput, StorageUnavailable
from squads.stores import Place


def print_acl(
    roles: list[str],
    *,
    workspace: str | None,
    new_passwords: bool,
    passwords: Path | None,
    store: Place | None,
    as_json: bool,
) -> int:
    """Print the lines for the roles given, or for all of the project, and return 0.

    Passwords are shown once: on standard error, or in a new file that only its owner may read. The lines never hold
    more than their SHA-256.
    """
    if passwords is not None and not new_passwords:
        raise InvalidInput("--passwords says where new passwords go; add --new-passwords to have some made")
    names = list(dict.fromkeys(roles)) or _roles_of_project()
    made = acl.new_passwords(names) if new_passwords else {}
    found = acl.users(workspace or _workspace_of(store or default_store()), names, passwords=made)
    if made:
        _hand_over(found, made, passwords)
    if as_json:
        users = [{"role": user.role, "name": user.name, "line": user.line} for user in found]
        sys.stdout.write(
            json.dumps({"default": acl.DEFAULT_OFF, "users": users, "ready": bool(made), "exit_code": 0}) + "\n"
        )
    else:
        sys.stdout.write(acl.text_of(found))
    if not made and not as_json:
        sys.stderr.write(
            "squads: the default user is off in this file; add a line of your own for whoever administers the server\n"
        )
        sys.stderr.write(
            "squads: no server loads these lines before each has a password: `--new-passwords` makes them, or put "
            "`#` and the SHA-256 of your own in the placeholder's place\n"
        )
    return 0


def _hand_over(found: list[BusUser], made: Mapping[str, str], file: Path | None) -> None:
    lines = "".join(f"{user.name} {made[user.role]}\n" for user in found)
    if file is None:
        sys.stderr.write(lines)
        return
    try:
        descriptor = open_private(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    except FileExistsError:
        raise InvalidInput(f"{file} is there already; passwords go into a new file") from None
    except OSError as error:
        raise StorageUnavailable(f"{file} cannot be written: {error.strerror}") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(lines)


def _roles_of_project() -> list[str]:
    from squads.cli.hosted import servable
    from squads.cli.squad import project_of

    project, _ = project_of(None)
    return list(servable(project))  # the coordinator of a project without a card for one has a user as well


def _workspace_of(store: Place) -> str:
    from squads.stores import trust_in

    return trust_in(store).origin.split("/")[2]
