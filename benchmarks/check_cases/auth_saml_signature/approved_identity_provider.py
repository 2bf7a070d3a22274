"""The identity provider's side: makes and signs assertions."""

from lxml import etree
from signxml import XMLSigner

SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
TEMPLATE = f"""<saml:Assertion xmlns:saml="{SAML}"><saml:Subject><saml:NameID/></saml:Subject>
<saml:AttributeStatement/></saml:Assertion>"""


def assertion_for(user, key, certificate):
    root = etree.fromstring(TEMPLATE)
    root.find(".//{%s}NameID" % SAML).text = user.name
    statement = root.find("{%s}AttributeStatement" % SAML)
    for name, value in user.attributes.items():
        attribute = etree.SubElement(statement, "{%s}Attribute" % SAML, Name=name)
        etree.SubElement(attribute, "{%s}AttributeValue" % SAML).text = value
    return etree.tostring(XMLSigner().sign(root, key=key, cert=certificate))
