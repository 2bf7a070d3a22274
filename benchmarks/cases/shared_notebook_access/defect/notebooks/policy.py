class Policy:
    """Answers of the policy service, which is asked over the network."""

    def __init__(self, rights):
        self._rights = rights

    async def may(self, person: str, right: str, notebook: str) -> bool:
        granted = await self._rights(notebook)
        return right in granted.get(person, ())

    def knows(self, right: str) -> bool:
        return right in ("read", "share")
