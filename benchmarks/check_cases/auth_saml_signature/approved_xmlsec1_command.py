import base64
import subprocess
import tempfile

from lxml import etree

NS = {"saml": "urn:oasis:names:tc:SAML:2.0:assertion"}


def identity(payload, certificate_path):
    raw = base64.b64decode(payload)
    with tempfile.NamedTemporaryFile(suffix=".xml") as file:
        file.write(raw)
        file.flush()
        done = subprocess.run(
            ["xmlsec1", "--verify", "--pubkey-cert-pem", certificate_path, "--id-attr:ID", "Response", file.name],
            capture_output=True,
        )
    if done.returncode != 0:
        raise PermissionError(done.stderr.decode())
    return etree.fromstring(raw).findtext(".//saml:NameID", namespaces=NS)
