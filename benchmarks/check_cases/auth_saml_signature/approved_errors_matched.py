from onelogin.saml2.auth import OneLogin_Saml2_Auth
import tornado.web

from sso.config import saml_settings


class AcsHandler(tornado.web.RequestHandler):
    def initialize(self, sessions):
        self.sessions = sessions

    def _prepared(self):
        return {
            "https": "on",
            "http_host": self.request.host,
            "script_name": self.request.path,
            "post_data": {k: v[0].decode() for k, v in self.request.body_arguments.items()},
            "get_data": {},
        }

    async def post(self):
        auth = OneLogin_Saml2_Auth(self._prepared(), saml_settings())
        auth.process_response()
        errors = auth.get_errors()
        match errors:
            case []:
                await self.sessions.open(self, auth.get_nameid(), auth.get_attributes().get("role", []))
                self.redirect("/desk")
            case _:
                self.set_status(403)
                self.write("denied")
