ASSERTION_NS = "urn:oasis:names:tc:SAML:2.0:assertion"
TAG_SUBJECT_NAME = "NameID"
TAG_ATTRIBUTE = "Attribute"
