"""Who we say we are."""

import os


def headers() -> dict[str, str]:
    return {"Authorization": f"Bearer {os.environ['WEATHER_TOKEN']}", "Accept": "application/json"}
