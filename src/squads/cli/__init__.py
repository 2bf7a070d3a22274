"""Floor 5: the command line, one small file per command. No traceback reaches a user."""

from __future__ import annotations


def main() -> None:
    """Run the command line."""
    from squads.cli.app import main as run_command

    run_command()
