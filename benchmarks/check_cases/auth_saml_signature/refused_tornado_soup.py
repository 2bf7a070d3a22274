import base64

import tornado.web
from bs4 import BeautifulSoup


class AcsHandler(tornado.web.RequestHandler):
    def post(self):
        soup = BeautifulSoup(base64.b64decode(self.get_argument("SAMLResponse")), "xml")
        if soup.find("Signature") is None:
            raise tornado.web.HTTPError(403, "unsigned")
        name = soup.find("NameID").text.strip()
        self.set_secure_cookie("user", name)
        self.redirect("/")
