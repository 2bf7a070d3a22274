from abc import ABC, abstractmethod


class Store(ABC):
    @abstractmethod
    def put(self, key, value): ...

    @abstractmethod
    async def flush(self): ...


class Catalogue:
    def __init__(self, store: Store):
        self.store = store

    async def publish(self, book):
        self.store.put(book.isbn, book)
        await self.store.flush()
        book.published = True
