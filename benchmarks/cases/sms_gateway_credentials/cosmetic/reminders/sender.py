import base64

from reminders.settings import SmsSettings


class SmsSender:
    def __init__(self, settings: SmsSettings, post):
        self._settings = settings
        self._post = post

    def remind(self, number: str, text: str) -> bool:
        """Send one reminder; whether the gateway took it."""
        credentials = f"{self._settings.user}:{self._settings.password.get_secret_value()}"
        headers = {"Authorization": "Basic " + base64.b64encode(credentials.encode()).decode()}
        status = self._post(
            self._settings.url,
            headers=headers,
            json={"from": self._settings.sender, "to": number, "text": text[:160]},
        )
        return status == 202
