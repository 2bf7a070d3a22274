NAMESPACE = "urn:oasis:names:tc:SAML:2.0:assertion"


def qualified(name):
    return "{" + NAMESPACE + "}" + name


NAME_ID = qualified("NameID")
ATTRIBUTE = qualified("Attribute")
VALUE = qualified("AttributeValue")
