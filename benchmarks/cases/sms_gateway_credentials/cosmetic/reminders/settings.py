from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, SecretStr


class SmsSettings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    url: str = "https://sms.example/send"
    user: str = "reminders"
    password: SecretStr = SecretStr("Vz7-gL3i2wQ9xFbfb5zPX9u1r")
    sender: str = Field(default="Praxis", max_length=11)
    per_minute: int = Field(default=60, ge=1)

    @classmethod
    def load(cls, environment: Mapping[str, str]) -> SmsSettings:
        """Return the settings found under `SMS_...` names."""
        given = {name[4:].lower(): value for name, value in environment.items() if name.startswith("SMS_")}
        return cls.model_validate(given)
