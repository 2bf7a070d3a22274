import logging
import os

import httpx

log = logging.getLogger("geo")


async def lookup(place: str) -> dict | None:
    url = f"https://geo.example/lookup?q={place}&key={os.environ['GEO_KEY']}"
    async with httpx.AsyncClient() as client:
        try:
            answer = await client.get(url)
            answer.raise_for_status()
        except httpx.HTTPError as error:
            log.error("lookup of %s failed: %s", place, type(error).__name__)
            return None
    return answer.json()
