import base64
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from lxml import etree

NS = {"saml": "urn:oasis:names:tc:SAML:2.0:assertion"}


def verify(path: Path, certificate: Path) -> None:
    command = [
        "xmlsec1",
        "--verify",
        "--pubkey-cert-pem",
        str(certificate),
        "--id-attr:ID",
        "urn:oasis:names:tc:SAML:2.0:assertion:Assertion",
        str(path),
    ]
    subprocess.run(command, check=True, capture_output=True)


def sign_in(encoded: str, certificate: Path) -> str:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "response.xml"
        path.write_bytes(base64.b64decode(encoded))
        verify(path, certificate)
        root = etree.parse(str(path)).getroot()
    return root.findtext(".//saml:Subject/saml:NameID", namespaces=NS)
