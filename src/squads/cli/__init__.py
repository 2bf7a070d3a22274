"""Floor 5: the command line, one small file per command. No traceback reaches a user."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line."""
    try:
        from squads.cli.app import main as run_command
    except KeyboardInterrupt:  # pressed while everything was still being loaded
        sys.stderr.write("squads: interrupted; nothing had begun\n")
        sys.exit(2)
    run_command()
