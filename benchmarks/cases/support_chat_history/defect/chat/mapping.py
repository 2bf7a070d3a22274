"""Statements as values: select(Model).where(Model.column == value)."""
from __future__ import annotations


class Condition:
    def __init__(self, text, values=()):
        self.text, self.values = text, list(values)


class Column:
    def __set_name__(self, owner, name):
        self.name = f"{owner.__name__.lower()}s.{name}"

    def __eq__(self, other):
        return Condition(f"{self.name} = ?", [other])

    def __gt__(self, other):
        return Condition(f"{self.name} > ?", [other])

    __hash__ = object.__hash__

    def is_not(self, nothing):
        return Condition(f"{self.name} IS NOT NULL")


class Select:
    def __init__(self, model, conditions=(), limit=None):
        self.model, self.conditions, self._limit = model, tuple(conditions), limit

    def where(self, *conditions):
        return Select(self.model, (*self.conditions, *conditions), self._limit)

    def limit(self, number):
        return Select(self.model, self.conditions, number)


def select(model):
    return Select(model)


class Session:
    def __init__(self, connection):
        self.connection = connection

    def scalars(self, statement):
        table, names = statement.model.__name__.lower() + "s", statement.model.fields
        where = " AND ".join(c.text for c in statement.conditions) or "1 = 1"
        text = f"SELECT {', '.join(names)} FROM {table} WHERE {where} ORDER BY id"
        values = [v for c in statement.conditions for v in c.values]
        if statement._limit is not None:
            text, values = f"{text} LIMIT ?", [*values, statement._limit]
        return [statement.model(*row) for row in self.connection.execute(text, values)]

    def get(self, model, key):
        return next(iter(self.scalars(select(model).where(model.id == key))), None)
