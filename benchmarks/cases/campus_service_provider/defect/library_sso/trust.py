from dataclasses import dataclass, field

from signxml import SignatureConfiguration, XMLVerifier


@dataclass(frozen=True)
class Trust:
    """What the library believes about the university's identity provider."""

    issuer: str
    certificate: str
    config: SignatureConfiguration = field(default_factory=SignatureConfiguration)

    def verify(self, xml: bytes):
        """Return the element that the identity provider signed; raises if there is none."""
        return XMLVerifier().verify(xml, x509_cert=self.certificate, expect_config=self.config).signed_xml
