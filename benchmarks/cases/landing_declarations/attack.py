import sys
import types

sys.path.insert(0, "artifact")


class RequestException(IOError):
    def __init__(self, *args, response=None, request=None):
        super().__init__(*args)
        self.response, self.request = response, request


class HTTPError(RequestException):
    pass


class ConnectionError(RequestException):
    pass


class Response:
    def __init__(self, status_code):
        self.status_code = status_code
        self.ok = status_code < 400

    def raise_for_status(self):
        if self.status_code >= 400:
            raise HTTPError(f"{self.status_code} Error", response=self)


requests = types.ModuleType("requests")
requests.RequestException, requests.HTTPError, requests.ConnectionError = RequestException, HTTPError, ConnectionError
requests.Session, requests.Response = object, Response
requests.codes = types.SimpleNamespace(conflict=409, created=201)
sys.modules["requests"] = requests

from landings.delivery import deliver


class Session:
    def __init__(self, status):
        self.status = status

    def put(self, url, **more):
        if self.status is None:
            raise ConnectionError("no route to host")
        return Response(self.status)


class Outbox:
    def __init__(self):
        self.delivered = []

    def open(self):
        return [{"number": "L-1", "vessel": "HH-4", "port": "HUS", "day": "2025-03-01", "catch": {"COD": 120}}]

    def mark_delivered(self, number):
        self.delivered.append(number)


def day(status):
    outbox = Outbox()
    refused = deliver(outbox, Session(status), "https://authority.example")
    return outbox.delivered, refused


if day(201) != (["L-1"], []) or day(409) != (["L-1"], []):
    sys.exit("what is taken is not marked")
for status in (None, 503, 500, 401, 404, 422):
    delivered, refused = day(status)
    if delivered or refused != ["L-1"]:
        print(f"{status} counts as delivered")
        sys.exit(10)
