import base64
import datetime
import hashlib
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from lxml import etree
from signxml import XMLSigner, methods

P = "urn:oasis:names:tc:SAML:2.0:protocol"
A = "urn:oasis:names:tc:SAML:2.0:assertion"
NOW = datetime.datetime.now(datetime.timezone.utc)


def identity(name):
    key = rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number()).not_valid_before(NOW - datetime.timedelta(days=1))
    made = made.not_valid_after(NOW + datetime.timedelta(days=1)).sign(key, hashes.SHA256())
    return key, made.public_bytes(serialization.Encoding.PEM).decode()


def stamp(minutes):
    return (NOW + datetime.timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def assertion(who, number, issuer="https://idp.example/metadata", audience="https://portal.example/sp", groups=("staff",)):
    values = "".join(f"<saml:AttributeValue>{g}</saml:AttributeValue>" for g in groups)
    return (
        f'<saml:Assertion xmlns:saml="{A}" ID="_a{number}" Version="2.0" IssueInstant="{stamp(0)}">'
        f"<saml:Issuer>{issuer}</saml:Issuer>"
        f'<saml:Subject><saml:NameID>{who}</saml:NameID></saml:Subject>'
        f'<saml:Conditions NotBefore="{stamp(-5)}" NotOnOrAfter="{stamp(5)}"><saml:AudienceRestriction>'
        f"<saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>"
        f'<saml:AttributeStatement><saml:Attribute Name="mail"><saml:AttributeValue>{who}</saml:AttributeValue>'
        f'</saml:Attribute><saml:Attribute Name="groups">{values}</saml:Attribute></saml:AttributeStatement>'
        "</saml:Assertion>"
    )


def response(*assertions):
    return etree.fromstring(
        f'<samlp:Response xmlns:samlp="{P}" xmlns:saml="{A}" ID="_r1" Version="2.0" InResponseTo="_q1">'
        "<saml:Issuer>https://idp.example/metadata</saml:Issuer><samlp:Status>"
        '<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>'
        + "".join(assertions)
        + "</samlp:Response>"
    )


def signed(root, key, cert):
    given = root.find(f"{{{A}}}Assertion")
    signer = XMLSigner(
        method=methods.enveloped,
        signature_algorithm="rsa-sha256",
        digest_algorithm="sha256",
        c14n_algorithm="http://www.w3.org/2001/10/xml-exc-c14n#",
    )
    root.replace(given, signer.sign(given, key=key, cert=cert, reference_uri=given.get("ID")))
    return root


def posted(root):
    return base64.b64encode(etree.tostring(root)).decode()


def honest(key, cert, who):
    return posted(signed(response(assertion(who, 1)), key, cert))


def forgeries(key, cert, who="root@corp.example"):
    """Responses that the identity provider has not signed, or not for `who`."""
    other_key, other_cert = identity("idp.example")
    yield "unsigned", posted(response(assertion(who, 9)))
    yield "signed by somebody else", posted(signed(response(assertion(who, 9)), other_key, other_cert))
    yield "signed by a bare key of somebody else", posted(signed(response(assertion(who, 9)), other_key, None))
    tampered = signed(response(assertion("bob@corp.example", 1)), key, cert)
    for node in tampered.iter(f"{{{A}}}NameID", f"{{{A}}}AttributeValue"):
        node.text = who if "@" in node.text else node.text
    yield "changed after signing", posted(tampered)
    bare = etree.fromstring(etree.tostring(tampered.find(f"{{{A}}}Assertion")))
    bare.remove(bare.find("{*}Signature"))
    digest = hashlib.sha256(etree.tostring(bare, method="c14n", exclusive=True)).digest()
    tampered.find(".//{*}DigestValue").text = base64.b64encode(digest).decode()
    yield "changed after signing, with its new digest", posted(tampered)
    for place in (0, None):
        wrapped = signed(response(assertion("bob@corp.example", 1)), key, cert)
        evil = etree.fromstring(assertion(who, 9))
        at = list(wrapped).index(wrapped.find(f"{{{A}}}Assertion"))
        wrapped.insert(at if place == 0 else len(wrapped), evil)
        yield "an unsigned assertion beside a signed one", posted(wrapped)
    stolen = signed(response(assertion("bob@corp.example", 1)), key, cert)
    real = stolen.find(f"{{{A}}}Assertion")
    evil = etree.fromstring(assertion(who, 9))
    stolen.replace(real, evil)
    etree.SubElement(evil, f"{{{A}}}Advice").append(real)
    yield "an assertion around a signed one", posted(stolen)


def judge(login, key, cert, who="root@corp.example"):
    """`login(text)` gives the name that was logged in, or raises."""
    if login(honest(key, cert, "bob@corp.example")) != "bob@corp.example":
        sys.exit("an honest response is not accepted")
    for kind, forged in forgeries(key, cert, who):
        try:
            name = login(forged)
        except Exception:
            continue
        if name == who:
            print(f"a forged response was believed: {kind}")
            sys.exit(10)
    sys.exit(0)

sys.path.insert(0, "artifact")
KEY, CERT = identity("idp.example")

from portal.sso import delegate_from

judge(lambda text: delegate_from({"SAMLResponse": text}, CERT).email, KEY, CERT)
