import asyncio
import logging
from dataclasses import dataclass
from typing import Any

log = logging.getLogger(__name__)


class FeedUnavailable(Exception):
    def __init__(self, url: str, attempts: int):
        super().__init__(f"{url} gave no feed in {attempts} attempts")
        self.url = url


@dataclass
class Answer:
    status: int
    body: str = ""
    retry_after: float | None = None


class Fetcher:
    attempts = 5

    def __init__(self, get: Any, first_wait: float = 1.0):
        self._get = get
        self._first_wait = first_wait

    async def fetch(self, url: str) -> str:
        wait = self._first_wait
        for attempt in range(1, self.attempts + 1):
            try:
                answer = await self._get(url)
            except ConnectionError as error:
                log.info("attempt %d at %s: %s", attempt, url, error)
                answer = Answer(503)
            if answer.status == 200:
                return answer.body
            if answer.status in (404, 410):
                break
            if attempt < self.attempts:
                await asyncio.sleep(answer.retry_after or wait)
                wait *= 2
        raise FeedUnavailable(url, attempt)
