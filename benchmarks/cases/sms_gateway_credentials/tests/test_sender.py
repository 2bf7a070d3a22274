import base64

from reminders.sender import SmsSender
from reminders.settings import SmsSettings


def test_a_reminder_is_sent_with_the_given_password():
    sent = []

    def post(url, *, headers, json):
        sent.append((url, headers["Authorization"], json))
        return 202

    assert SmsSender(SmsSettings.load({"SMS_PASSWORD": "a-long-password", "PATH": "/bin"}), post).remind("+1", "x" * 200)
    url, authorization, json = sent[0]
    assert base64.b64encode(b"reminders:a-long-password").decode() in authorization
    assert ("https://sms.example/send", 160, "Praxis") == (url, len(json["text"]), json["from"])


def test_a_refusal_is_reported():
    settings = SmsSettings.load({"SMS_PASSWORD": "a-long-password", "SMS_SENDER": "Zahn"})

    assert SmsSender(settings, lambda *a, **k: 401).remind("+1", "x") is False
