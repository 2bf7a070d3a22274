"""`squads signer`: what it is given is checked before anything is begun."""

from __future__ import annotations

import asyncio
import os
import tempfile
import threading
from pathlib import Path
from typing import Any

import pytest

from squads.adapters.keys import InProcessSigner
from squads.adapters.signer_daemon import SignerDaemon
from squads.adapters.signer_rules import AllowList
from squads.cli.signer import allow_list, keep
from squads.cli.worker import Serving, _signers
from squads.contracts.errors import InvalidInput, KeyUnavailable
from squads.ledger.trust import Trust

LIST = "uid=7: gate:schema\n# more\nuid=8: runner+bus\n"


@pytest.mark.parametrize(
    ("allow", "more", "words"),
    [
        ([], {}, "say who may use which key"),
        (["uid=0:root"], {}, "a signer daemon keeps no key of root"),
        (["uid=0:log"], {}, "name its trust.json"),
        (["uid=0:gate:a"], {"group": "no-such-group"}, "there is no group"),
        (["uid=0:gate:a"], {"trust": Path("nowhere")}, "there is no nowhere"),
        (["nowhere"], {}, "cannot be opened"),
    ],
    ids=["nobody", "root", "log", "group", "trust", "file"],
)
def test_what_cannot_be_begun_is_said(tmp_path: Path, allow: list[str], more: dict[str, Any], words: str) -> None:
    """And no socket was made."""
    given = {"trust": None, "group": None, **more}
    with pytest.raises(InvalidInput, match=words):
        keep(tmp_path / "keys", tmp_path / "run" / "s", allow, new_state=False, let_log_back=False, **given)

    assert not (tmp_path / "run").exists()


def test_rules_come_from_the_command_line_and_from_files(tmp_path: Path) -> None:
    """All of them together."""
    path = tmp_path / "allow"
    path.write_text(LIST)
    path.chmod(0o600)

    assert allow_list([str(path), "uid=9:gate:style,builder:b"]).roles == (
        "builder:b",
        "gate:schema",
        "gate:style",
        "runner",
    )


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_list_that_is_not_its_owners_alone_lets_in_nobody(tmp_path: Path, mode: int) -> None:
    """It says who signs."""
    path = tmp_path / "allow"
    path.write_text(LIST)
    path.chmod(mode)

    with pytest.raises(InvalidInput, match="chmod 600"):
        allow_list([str(path)])


@pytest.mark.parametrize("what", ["folder", "link", "pipe", "no text", "long"])
def test_a_list_that_is_no_plain_text_file_is_refused(tmp_path: Path, what: str) -> None:
    """Nothing hangs, and nothing is followed."""
    path, other = tmp_path / "allow", tmp_path / "other"
    other.write_text(LIST)
    other.chmod(0o600)
    {
        "folder": path.mkdir,
        "link": lambda: path.symlink_to(other),
        "pipe": lambda: os.mkfifo(path, 0o600),
        "no text": lambda: path.write_bytes(b"\xff\xfe"),
        "long": lambda: path.write_bytes(b"#" * (1024 * 1024 + 1)),
    }[what]()
    if what in ("no text", "long"):
        path.chmod(0o600)

    with pytest.raises(InvalidInput, match="the allow-list"):
        allow_list([str(path)])


def serving(signer: Path | None) -> Serving:
    """Return what a worker was asked for."""
    return Serving(["schema"], None, 1, 1.0, None, "text", None, None, "own", None, signer=signer)


def test_a_worker_that_names_a_signer_uses_no_key_of_its_own(tmp_path: Path) -> None:
    """Where it is away the worker does not begin, and no key is made for it."""
    trust = Trust.of(
        f"local.invalid/squads/{'a' * 32}/0", *(InProcessSigner(bytes([n]) * 32).public_key for n in (1, 2))
    )

    with pytest.raises(KeyUnavailable, match="which keeps the key of gate:schema"):
        _signers(serving(tmp_path / "s"), trust, {"schema": "gate:schema"})
    with pytest.raises(KeyUnavailable, match="squads enroll"):
        _signers(serving(None), trust, {"schema": "gate:schema"})


def test_a_worker_signs_with_the_keys_that_the_signer_keeps(tmp_path: Path) -> None:
    """By the names that its roles have in the project."""
    with tempfile.TemporaryDirectory(prefix="sq") as name:
        path, stop, ready = Path(name) / "run" / "s", asyncio.Event(), threading.Event()
        daemon = SignerDaemon(tmp_path / "keys", AllowList.parse([f"uid={os.getuid()}: gate:schema, builder:b"]))
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=lambda: loop.run_until_complete(daemon.serve(path, stop, ready=ready.set)))
        thread.start()
        assert ready.wait(30)
        try:
            trust = Trust.of(
                f"local.invalid/squads/{'a' * 32}/0", *(InProcessSigner(bytes([n]) * 32).public_key for n in (1, 2))
            )
            signers = _signers(serving(path), trust, {"schema": "gate:schema", "b": "builder:b"})
            found = {name: (signer.public_key, signer.custody) for name, signer in signers.items()}
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join(30)
            loop.close()
            public = daemon.public_keys
            daemon.close()

    assert found == {"schema": (public["gate:schema"], "daemon"), "b": (public["builder:b"], "daemon")}
