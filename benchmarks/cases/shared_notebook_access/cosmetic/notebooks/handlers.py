import logging
from http import HTTPStatus

log = logging.getLogger(__name__)


class Forbidden(Exception):
    status = HTTPStatus.FORBIDDEN


class NotebookHandlers:
    def __init__(self, store, policy):
        self.store = store
        self.policy = policy

    async def read(self, person, notebook):
        await self._demand(person, "read", notebook)
        return await self.store.load(notebook)

    async def share(self, person, notebook, with_whom):
        await self._demand(person, "share", notebook)
        await self.store.grant(notebook, with_whom, "read")
        return {"shared_with": with_whom}

    async def _demand(self, person, right, notebook):
        if not self.policy.knows(right):
            raise ValueError(f"there is no right called {right!r}")
        allowed = self.policy.may(person, right, notebook)
        if allowed is None or allowed is False:
            log.info("%s may not %s %s", person, right, notebook)
            raise Forbidden(notebook)
