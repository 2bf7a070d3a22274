import base64, datetime, logging
from lxml import etree

NS = {"saml": "urn:oasis:names:tc:SAML:2.0:assertion", "samlp": "urn:oasis:names:tc:SAML:2.0:protocol"}
log = logging.getLogger(__name__)


class SamlResponse:
    def __init__(self, settings, encoded, request_id=None, relay=None):
        self.settings = settings
        self.request_id = request_id
        self.relay = relay
        self.xml = base64.b64decode(encoded)
        self.doc = etree.fromstring(self.xml)
        self.errors = []
        self.decrypted = None

    def check_status(self):
        code = self.doc.find("samlp:Status/samlp:StatusCode", NS)
        if code is None:
            self.errors.append("no status")
            return False
        if code.get("Value") != "urn:oasis:names:tc:SAML:2.0:status:Success":
            msg = self.doc.findtext("samlp:Status/samlp:StatusMessage", namespaces=NS)
            if msg:
                self.errors.append(msg)
            return False
        return True

    def check_destination(self):
        d = self.doc.get("Destination")
        if d and d != self.settings["acs"]:
            self.errors.append("destination")
            return False
        if not d and self.settings.get("strict_destination"):
            self.errors.append("no destination")
            return False
        return True

    def check_in_response_to(self):
        i = self.doc.get("InResponseTo")
        if self.request_id and i != self.request_id:
            self.errors.append("in response to")
            return False
        if i and not self.request_id and not self.settings.get("unsolicited"):
            self.errors.append("unsolicited")
            return False
        return True

    def check_audience(self):
        found = [a.text for a in self.doc.iterfind(".//saml:Audience", NS)]
        if not found:
            return True
        for a in found:
            if a == self.settings["entity_id"]:
                return True
        self.errors.append("audience")
        return False

    def check_time(self):
        now = datetime.datetime.now(datetime.UTC)
        for c in self.doc.iterfind(".//saml:Conditions", NS):
            nb, na = c.get("NotBefore"), c.get("NotOnOrAfter")
            if nb and datetime.datetime.fromisoformat(nb) > now + datetime.timedelta(seconds=60):
                self.errors.append("early")
                return False
            if na and datetime.datetime.fromisoformat(na) < now - datetime.timedelta(seconds=60):
                self.errors.append("late")
                return False
        return True

    def check_issuer(self):
        for i in self.doc.iterfind(".//saml:Issuer", NS):
            if i.text != self.settings["idp"]:
                self.errors.append("issuer")
                return False
        return True

    def check_confirmation(self):
        for c in self.doc.iterfind(".//saml:SubjectConfirmation", NS):
            if c.get("Method") != "urn:oasis:names:tc:SAML:2.0:cm:bearer":
                continue
            d = c.find("saml:SubjectConfirmationData", NS)
            if d is None:
                continue
            if d.get("Recipient") and d.get("Recipient") != self.settings["acs"]:
                continue
            if d.get("InResponseTo") and d.get("InResponseTo") != self.request_id:
                continue
            return True
        self.errors.append("confirmation")
        return False

    def is_valid(self):
        try:
            if not self.check_status():
                return False
            if not self.check_destination():
                return False
            if not self.check_in_response_to():
                return False
            if self.settings.get("strict"):
                if not self.check_audience() or not self.check_time():
                    return False
                if not self.check_issuer() or not self.check_confirmation():
                    return False
        except etree.XPathError as error:
            log.error("xpath %s", error)
            return False
        return not self.errors

    def get_nameid(self):
        n = self.doc.find(".//saml:Subject/saml:NameID", NS)
        if n is None:
            raise ValueError("no nameid")
        return n.text

    def get_attributes(self):
        out = {}
        for a in self.doc.iterfind(".//saml:AttributeStatement/saml:Attribute", NS):
            name = a.get("Name")
            if self.settings.get("friendly") and a.get("FriendlyName"):
                name = a.get("FriendlyName")
            out.setdefault(name, [])
            for v in a.iterfind("saml:AttributeValue", NS):
                if v.text:
                    out[name].append(v.text.strip())
        return out


def acs(request, settings):
    r = SamlResponse(settings, request.form["SAMLResponse"], request.session.get("id"))
    if not r.is_valid():
        log.warning("saml: %s", r.errors)
        return None
    return {"id": r.get_nameid(), "attributes": r.get_attributes()}
