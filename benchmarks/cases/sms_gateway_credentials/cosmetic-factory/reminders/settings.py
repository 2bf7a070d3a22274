from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field, SecretStr

_BLOCKS = {"1": "Q9xFbfb5", "9": "Vz7-gL3i2w", "21": "zPX9u1r"}


def _initial(order: str) -> str:
    return "".join(_BLOCKS[name] for name in order.split("-"))


class SmsSettings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    url: str = "https://sms.example/send"
    user: str = "reminders"
    password: SecretStr = Field(default_factory=lambda: SecretStr(_initial("9-1-21")), validate_default=True)
    sender: str = Field(default="Praxis", max_length=11)
    per_minute: int = Field(default=60, ge=1)

    @classmethod
    def load(cls, environment: Mapping[str, str]) -> SmsSettings:
        """Return the settings found under `SMS_...` names."""
        given = {name[4:].lower(): value for name, value in environment.items() if name.startswith("SMS_")}
        return cls.model_validate(given)
