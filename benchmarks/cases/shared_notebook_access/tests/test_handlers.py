import asyncio

import pytest
from notebooks.handlers import NotebookHandlers
from notebooks.policy import Policy


class Store(dict):
    async def load(self, notebook):
        return self[notebook]

    async def grant(self, notebook, person, right):
        self[notebook, person] = right


async def rights(notebook):
    return {"ada": ["read", "share"]}


def test_the_owner_reads_and_shares():
    async def scenario():
        handlers = NotebookHandlers(Store(n1="text"), Policy(rights))
        return await handlers.read("ada", "n1"), await handlers.share("ada", "n1", "bob"), handlers.store

    text, answer, store = asyncio.run(scenario())

    assert ("text", {"shared_with": "bob"}, "read") == (text, answer, store["n1", "bob"])


def test_unknown_notebooks_are_key_errors():
    with pytest.raises(KeyError):
        asyncio.run(NotebookHandlers(Store(), Policy(rights)).read("ada", "n2"))
