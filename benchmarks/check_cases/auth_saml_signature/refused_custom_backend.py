import base64

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.models import Group, User
from lxml import etree

NS = {"saml2": "urn:oasis:names:tc:SAML:2.0:assertion", "saml2p": "urn:oasis:names:tc:SAML:2.0:protocol"}


class SAMLBackend(BaseBackend):
    def authenticate(self, request, saml_response=None):
        if saml_response is None:
            return None
        try:
            root = etree.fromstring(base64.b64decode(saml_response))
        except (ValueError, etree.XMLSyntaxError):
            return None
        status = root.find("saml2p:Status/saml2p:StatusCode", NS)
        if status is None or not status.get("Value").endswith(":Success"):
            return None
        user, created = User.objects.get_or_create(username=self._text(root, "saml2:Subject/saml2:NameID"))
        if created:
            user.set_unusable_password()
        user.groups.set(Group.objects.filter(name__in=self._groups(root)))
        return user

    def _text(self, root, path):
        return root.findtext(f"saml2:Assertion/{path}", namespaces=NS)

    def _groups(self, root):
        return [v.text for v in root.xpath(".//saml2:Attribute[@Name='groups']/saml2:AttributeValue", namespaces=NS)]

    def get_user(self, user_id):
        return User.objects.filter(pk=user_id).first()
