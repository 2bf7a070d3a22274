from saml2 import BINDING_HTTP_POST


class Sso:
    def __init__(self, client, users):
        self.client = client
        self.users = users

    def finish(self, form):
        response = self.client.parse_authn_request_response(form["SAMLResponse"], BINDING_HTTP_POST)
        if response is None or response.assertion is None:
            raise PermissionError
        name = response.assertion.subject.name_id.text
        statement = response.assertion.authn_statement[0]
        return self.users.signed_in(name, statement.session_index, response.ava)
