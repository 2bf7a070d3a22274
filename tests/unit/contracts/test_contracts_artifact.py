"""Paths, files, manifests: what an artifact may hold, and the digest that names it."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from squads.contracts.artifact import PATH_BYTES_MAX, Artifact, File, FileEntry, Manifest, checked_path, media_type_of
from squads.contracts.base import digest_of
from squads.contracts.errors import EmptyArtifact, InvalidArtifact, InvalidInput, InvalidPath, NotText

PARTS = st.text(st.characters(categories=("L", "N", "P"), exclude_characters="/\\:"), min_size=1, max_size=8).filter(
    lambda p: p not in (".", "..") and unicodedata.normalize("NFC", p) == p
)
PATHS = st.lists(PARTS, min_size=1, max_size=4).map("/".join)
BASE = "b" * 64


@given(PATHS)
def test_a_plain_relative_path_is_kept_as_it_is(path: str) -> None:
    """In any language's letters."""
    assert path == checked_path(path)


@given(st.text(max_size=40))
@example("a/../b")
@example("c:/windows")
@example("a\\b")
@example("a//b")
@example("e\u0301")
@example("a\u202eb")
@example("a\ud800")
@example("a\x00")
@example("x" * (PATH_BYTES_MAX + 1))
def test_any_text_is_a_path_or_refused_as_one(path: str) -> None:
    """Never another exception, and what passes stays inside its directory."""
    try:
        checked_path(path)
    except InvalidPath:
        return

    assert not path.startswith("/")
    assert ".." not in path.split("/")
    assert path.encode()


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("", "empty"),
        ("/etc/passwd", "absolute"),
        ("c:/x", "absolute"),
        ("a\\b", "backslash"),
        ("../x", "'..' part"),
        ("a/./b", "'.' or '..' part"),
        ("a/", "has an empty"),
        ("a\nb", "control"),
        ("e\u0301", "normal form C"),
        ("x" * 1_025, "longer than 1024 bytes"),
    ],
)
def test_a_bad_path_is_refused_in_a_sentence(path: str, why: str) -> None:
    """What is wrong, and of which path."""
    with pytest.raises(InvalidPath, match=why):
        checked_path(path)


def test_a_path_at_the_bound_is_allowed() -> None:
    """1,024 bytes of UTF-8, not characters."""
    assert checked_path("ä" * 512)
    with pytest.raises(InvalidPath):
        checked_path("ä" * 513)


@given(st.dictionaries(PATHS, st.binary(max_size=20), min_size=1, max_size=5))
def test_files_are_an_artifact_unless_one_is_a_folder_of_another(files: dict[str, bytes]) -> None:
    """Any bytes, sorted by path, whatever the order they came in."""
    folders = {p.rsplit("/", n)[0] for p in files for n in range(1, p.count("/") + 1)}
    if folders & set(files):
        with pytest.raises(InvalidPath, match="a file and a folder"):
            Artifact.of(files)
        return

    artifact = Artifact.of(files)

    assert files == {f.path: f.content for f in artifact.files}
    assert sorted(files) == [e.path for e in artifact.manifest.files]
    assert sum(map(len, files.values())) == artifact.manifest.size_bytes


@given(st.dictionaries(PARTS, st.binary(max_size=20), min_size=1, max_size=4), st.data())
def test_any_changed_byte_is_another_artifact(files: dict[str, bytes], data: st.DataObject) -> None:
    """The digest changes with content, path, author, attempt, base, lineage and salt."""
    artifact = Artifact.of(files)
    path = data.draw(st.sampled_from(sorted(files)))
    content = bytearray(files[path] + b"\0")
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    change = data.draw(
        st.sampled_from(
            [
                {"files": {**files, path: bytes(content)}},
                {"files": {**files, path + "x": b""}},
                {"author": "somebody"},
                {"attempt": 2},
                {"base": BASE},
                {"base": BASE, "removals": ["gone/away"]},
                {"made_from": [BASE]},
                {"salt": "5" * 64},
            ]
        )
    )

    assert artifact.digest == Artifact.of(files).digest
    assert artifact.digest != Artifact.of(**{"files": files, **change}).digest  # type: ignore[arg-type]


@given(st.dictionaries(PARTS, st.binary(max_size=20), min_size=1, max_size=4), st.sets(PARTS, max_size=3))
def test_a_manifest_comes_back_from_its_blob(files: dict[str, bytes], removals: set[str]) -> None:
    """The same bytes give the same digest."""
    manifest = Artifact.of(files, removals=removals - set(files), base=BASE).manifest

    again = Manifest.parse(manifest.blob)

    assert manifest == again
    assert (digest_of(manifest.blob), manifest.digest) == (again.digest, again.digest)


@given(st.binary(max_size=60))
@example(b"[" * 100_000)
@example(b"{}")
@example(b'{"kind": 1e999}')
@example(b'"\\ud800"')
def test_bytes_that_are_no_manifest_are_a_value_error(blob: bytes) -> None:
    """Blobs come from anybody, and nothing else ever comes out."""
    with pytest.raises(ValueError, match=r".+"):
        Manifest.parse(blob)


@given(st.data())
def test_a_manifest_written_in_another_way_is_refused(data: st.DataObject) -> None:
    """Spaces, another order of keys, one more key: other bytes would have the same meaning."""
    manifest = Artifact.of({"a": "1", "b": "2"}).manifest
    fields = json.loads(manifest.blob)
    blob = data.draw(
        st.sampled_from(
            [
                manifest.blob + b"\n",
                json.dumps(fields).encode(),
                json.dumps(dict(reversed(fields.items())), separators=(",", ":")).encode(),
                json.dumps({**fields, "more": 1}, sort_keys=True, separators=(",", ":")).encode(),
                json.dumps({**fields, "attempt": "1"}, sort_keys=True, separators=(",", ":")).encode(),
            ]
        )
    )

    with pytest.raises(ValueError, match=r".+"):
        Manifest.parse(blob)


def entry(path: str) -> FileEntry:
    return FileEntry(path=path, media_type="text/plain", digest="0" * 64, size_bytes=1)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"files": (entry("b"), entry("a"))}, "sorted by path"),
        ({"files": (entry("a"), entry("a"))}, "stands twice"),
        ({"files": (entry("a"),), "removals": ("a",), "base": BASE}, "stands twice"),
        ({"removals": ("b", "a"), "base": BASE}, "sorted by path"),
        ({"removals": ("../a",), "base": BASE}, "part"),
        ({"removals": ("a",)}, "needs `base`"),
        ({"files": (entry("a"), entry("a/b"))}, "a file and a folder"),
    ],
)
def test_a_manifest_that_could_not_be_written_to_a_disk_is_refused(change: dict[str, object], why: str) -> None:
    """One word per path, inside the directory, in one order."""
    fields: dict[str, object] = {"author": "carpenter", "attempt": 1, "salt": "0" * 64, **change}

    with pytest.raises(InvalidPath, match=why):
        Manifest(**fields)


def test_nothing_is_no_artifact() -> None:
    """Without a file and without a removal there is nothing to judge; a removal alone is something."""
    with pytest.raises(EmptyArtifact):
        Artifact.of({})
    assert Artifact.of({}, removals=["a"], base=BASE).manifest.paths == ("a",)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Artifact.of({"a": 3}),  # type: ignore[dict-item]
        lambda: Artifact.of({"a": None}),  # type: ignore[dict-item]
        lambda: Artifact.of({1: "a", "b": "c"}),  # type: ignore[dict-item]
        lambda: Artifact.of([("a", "b")]),  # type: ignore[arg-type]
        lambda: Artifact.of("a"),  # type: ignore[arg-type]
        lambda: Artifact.of({"a": "\ud800"}),
        lambda: Artifact.of({"a": "b"}, removals="cd", base=BASE),
        lambda: Artifact.of({"a": "b"}, salt="x"),
        lambda: Artifact.of({"a": "b"}, attempt=0),
        lambda: Artifact.of({"a": "b"}, made_from=["x"]),
        lambda: Artifact.of({"a": "b"}).but(attempt=0),
        lambda: Artifact.of({"a": "b"}, author="\ud800").digest,
    ],
)
def test_bad_input_is_refused_in_a_sentence(make: object) -> None:
    """Whatever a caller or a model hands in, it is an `InvalidInput` that says what to do."""
    with pytest.raises(InvalidInput) as caught:
        make()  # type: ignore[operator]

    assert len(str(caught.value)) > 20
    assert "pydantic" not in str(caught.value)


def test_an_artifact_is_read_by_path_and_pattern() -> None:
    """A pattern meets the whole path or the name."""
    artifact = Artifact.of({"a.sql": "1", "d/b.sql": "2", "c.md": "3"})

    assert artifact["d/b.sql"].text == "2"
    assert [f.path for f in artifact.matching("*.sql")] == ["a.sql", "d/b.sql"]
    assert [f.path for f in artifact.matching("d/*")] == ["d/b.sql"]
    with pytest.raises(KeyError, match=r"it holds a\.sql"):
        artifact["x"]


def test_bytes_that_are_no_text_say_where() -> None:
    """The file, the byte and what to do."""
    with pytest.raises(NotText, match=r"a.bin is not UTF-8 \(byte 1 is 0xff\)"):
        _ = File(path="a.bin", content=b"a\xff").text


@pytest.mark.parametrize(
    ("path", "media_type"),
    [("a.sql", "application/sql"), ("a.py", "text/x-python"), ("a", "application/octet-stream")],
)
def test_media_types_follow_the_ending(path: str, media_type: str) -> None:
    """The same on every machine for what gates read most."""
    assert media_type == media_type_of(path)


def test_every_refusal_of_an_artifact_is_one_kind() -> None:
    """Whoever catches `InvalidArtifact` catches them all."""
    assert issubclass(InvalidPath, InvalidArtifact)
    assert issubclass(EmptyArtifact, InvalidArtifact)
    assert issubclass(NotText, InvalidArtifact)
