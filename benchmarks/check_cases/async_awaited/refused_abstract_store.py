from abc import ABC, abstractmethod


class Store(ABC):
    @abstractmethod
    async def put(self, key, value): ...


class Catalogue:
    def __init__(self, store: Store):
        self.store = store

    async def publish(self, book):
        self.store.put(book.isbn, book)
        book.published = True
