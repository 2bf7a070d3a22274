import base64, hashlib, hmac, json


class Token:
    def __init__(self, raw, secret):
        self.h, self.p, self.s = raw.split(".")
        self.secret = secret

    def valid(self):
        mac = hmac.new(self.secret, f"{self.h}.{self.p}".encode(), hashlib.sha256).digest()
        return hmac.compare_digest(base64.urlsafe_b64encode(mac).rstrip(b"=").decode(), self.s)

    def claims(self):
        return json.loads(base64.urlsafe_b64decode(self.p + "=="))


def user_for(raw, secret):
    t = Token(raw, secret)
    t.valid()
    return t.claims()["sub"]
