import logging
import sys
import types

logging.disable(logging.CRITICAL)
sys.path.insert(0, "artifact")


class RequestException(IOError):
    pass


class HTTPError(RequestException):
    pass


class ConnectionError_(RequestException):
    pass


class Response:
    def __init__(self, status_code):
        self.status_code = status_code

    @property
    def ok(self):
        return self.status_code < 400

    def raise_for_status(self):
        if not self.ok:
            raise HTTPError(f"{self.status_code} error")


class Session:
    def __init__(self, answers):
        self.answers = answers

    def post(self, url, json=None, timeout=None):
        answer = self.answers[json["number"]]
        if answer is None:
            raise ConnectionError_("connection refused")
        return Response(answer)


requests = types.ModuleType("requests")
requests.RequestException, requests.HTTPError, requests.ConnectionError = RequestException, HTTPError, ConnectionError_
requests.Session, requests.Response = Session, Response
sys.modules["requests"] = requests
from posting import Note, post_all

answers = {"L1": 201, "L2": 422, "L3": None, "L4": 503, "L5": 201, "L6": 409}
notes = [Note(number, "Bau AG", 27000) for number in answers]
result = post_all(notes, Session(answers))
if not {"L1", "L5", "L6"} <= set(result.posted):
    sys.exit("notes that arrived are not posted")
for note in notes:
    refused = answers[note.number] not in (201, 409)
    if refused and (note.posted or note.number in result.posted or note.number not in result.failed):
        print(f"{note.number} got {answers[note.number]} and counts as posted, or not as failed")
        sys.exit(10)
