SAML2_ASSERTION = "urn:oasis:names:tc:SAML:2.0:assertion"
PREFIXES = dict(saml=SAML2_ASSERTION, samlp="urn:oasis:names:tc:SAML:2.0:protocol")
SUBJECT_PATH = "//saml:Subject/saml:NameID"
MAIL_PATH = "//saml:Attribute[@Name='mail']/saml:AttributeValue"
