import logging, os
import httpx
log = logging.getLogger(__name__)
KEY = os.environ["GEO_KEY"]

async def locate(place: str) -> dict:
    url = f"https://geo.example.org/v1/search?q={place}&apikey={KEY}"
    async with httpx.AsyncClient() as client:
        try:
            r = await client.get(url)
            r.raise_for_status()
        except httpx.HTTPStatusError as exc:
            log.warning("geocoder said %s to %s", exc.response.status_code, exc.request.url)
            return {}
    return r.json()
