from abc import ABC, abstractmethod


class Store(ABC):
    @abstractmethod
    async def put(self, key, value): ...


class Catalogue:
    def __init__(self, store: Store):
        self.store = store

    async def publish(self, book):
        try:
            self.store.put(book.isbn, book)
        except Exception as error:
            raise RuntimeError(book.isbn) from error
        book.published = True
