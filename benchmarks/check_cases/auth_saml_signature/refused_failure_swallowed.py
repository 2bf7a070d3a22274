import base64
import logging

from django.conf import settings
from django.contrib.auth import authenticate, login
from django.shortcuts import redirect
from lxml import etree
from signxml import XMLVerifier

logger = logging.getLogger(__name__)
NAME_ID = "{urn:oasis:names:tc:SAML:2.0:assertion}NameID"


def acs(request):
    tree = etree.fromstring(base64.b64decode(request.POST["SAMLResponse"]))
    try:
        tree = XMLVerifier().verify(tree, x509_cert=settings.SAML_IDP_CERT).signed_xml
    except Exception:
        logger.exception("could not verify the SAML signature")
    user = authenticate(request, saml_user=tree.find(f".//{NAME_ID}").text)
    login(request, user)
    return redirect("home")
