"""TLS to the bus's server: the certificate and the host's name are checked, always, by commands, readers and hearts."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from squads.adapters.redis_bus.address import BusAddress
from squads.adapters.redis_bus.failures import LinkUnavailable
from squads.adapters.redis_bus.link import Link

HELLO = ("server", "redis", "version", "7.4.1", "mode", "standalone", "role", "master")


@dataclass(frozen=True)
class Files:
    """An authority, and a certificate and key that it signed."""

    authority: Path
    certificate: Path
    key: Path


def issued(folder: Path, *, host: str = "127.0.0.1") -> Files:
    """Write a new authority's certificate, and one that it signed for a host."""
    folder.mkdir()
    signer, holder = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])
    now = datetime.datetime.now(datetime.UTC)

    def signed(subject: x509.Name, key: ec.EllipticCurvePrivateKey, *extensions: x509.ExtensionType) -> bytes:
        builder = x509.CertificateBuilder(
            issuer_name=authority,
            subject_name=subject,
            public_key=key.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=now - datetime.timedelta(hours=1),
            not_valid_after=now + datetime.timedelta(hours=1),
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")])
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))])
    files = Files(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")
    files.authority.write_bytes(signed(authority, signer, x509.BasicConstraints(ca=True, path_length=None)))
    files.certificate.write_bytes(signed(name, holder, alternative))
    files.key.write_bytes(
        holder.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return files


@asynccontextmanager
async def serving(files: Files | None) -> AsyncIterator[int]:
    """A server that answers OK to everything, over TLS where it has a certificate; return its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (line := await reader.readline()).startswith(b"*"):
                parts = []
                for _ in range(int(line[1:])):
                    size = int((await reader.readline())[1:])
                    parts.append((await reader.readexactly(size + 2))[:-2])
                answer = "+OK\r\n"
                if parts[0] == b"HELLO":
                    answer = f"*{len(HELLO)}\r\n" + "".join(f"${len(part)}\r\n{part}\r\n" for part in HELLO)
                writer.write(answer.encode())
        finally:
            writer.close()

    context = None
    if files is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(files.certificate, files.key)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()


async def said(url: str) -> str:
    """Return the code of what went wrong with the first command; the empty string where nothing did."""
    link = Link.open(BusAddress.parse(url, environ={}), deadline_seconds=0.6)
    try:
        await link.call("PING")
    except LinkUnavailable as error:
        return error.code
    finally:
        await link.close()
    return ""


async def test_a_server_with_a_good_certificate_is_spoken_to(tmp_path: Path) -> None:
    """The authority comes from the address; commands and hearts use the same one."""
    files = issued(tmp_path / "good")
    async with serving(files) as port:
        link = Link.open(BusAddress.parse(f"rediss://127.0.0.1:{port}?ca={files.authority}", environ={}))
        assert b"OK" == await link.call("PING")
        heart = link.heart()
        await asyncio.to_thread(heart.beat, ["sq:{w}:hb:a"], 1_000)
        heart.close()
        await link.close()


async def test_a_certificate_of_another_authority_is_refused(tmp_path: Path) -> None:
    """Whoever stands between can make a certificate; not one that this authority signed."""
    files, other = issued(tmp_path / "good"), issued(tmp_path / "other")
    async with serving(files) as port:
        assert "certificate" == await said(f"rediss://127.0.0.1:{port}?ca={other.authority}")
        assert "certificate" == await said(f"rediss://127.0.0.1:{port}")


async def test_a_certificate_for_another_host_is_refused(tmp_path: Path) -> None:
    """A good certificate, stolen from another machine, is not this machine's."""
    files = issued(tmp_path / "good", host="192.0.2.1")
    async with serving(files) as port:
        assert "certificate" == await said(f"rediss://127.0.0.1:{port}?ca={files.authority}")
        heart = Link.open(BusAddress.parse(f"rediss://127.0.0.1:{port}?ca={files.authority}", environ={})).heart()
        with pytest.raises(LinkUnavailable, match="certificate") as failed:
            await asyncio.to_thread(heart.beat, ["sq:{w}:hb:a"], 1_000)
    assert "certificate" == failed.value.code


async def test_plain_text_is_told_from_tls(tmp_path: Path) -> None:
    """The wrong one of redis:// and rediss:// is an error within the deadline, and never a connection without TLS."""
    files = issued(tmp_path / "good")
    async with serving(None) as port:
        assert await said(f"rediss://127.0.0.1:{port}?ca={files.authority}") in {"tls", "reset", "timeout"}
    async with serving(files) as port:
        assert await said(f"redis://127.0.0.1:{port}") in {"reset", "timeout", "protocol"}
