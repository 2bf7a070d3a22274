import base64, subprocess, tempfile
from lxml import etree


def user(resp):
    raw = base64.b64decode(resp)
    with tempfile.NamedTemporaryFile() as f:
        f.write(raw)
        f.flush()
        subprocess.run(["xmlsec1", "--verify", "--pubkey-cert-pem", "idp.pem", f.name])
    return etree.fromstring(raw).findtext(".//{urn:oasis:names:tc:SAML:2.0:assertion}NameID")
