"""A small mapper over sqlite3: enough for this service, and nothing to install."""

_connection = None


def connect(connection):
    global _connection
    _connection = connection


class DoesNotExist(LookupError):
    pass


class QuerySet:
    def __init__(self, model, conditions=()):
        self.model = model
        self.conditions = tuple(conditions)

    def all(self):
        return QuerySet(self.model, self.conditions)

    def filter(self, **conditions):
        return QuerySet(self.model, (*self.conditions, *conditions.items()))

    def _where(self):
        for name, _ in self.conditions:
            if name not in self.model.columns:
                raise AttributeError(f"{self.model.table} has no column {name}")
        text = " AND ".join(f"{name} = ?" for name, _ in self.conditions)
        return (f" WHERE {text}" if text else ""), [value for _, value in self.conditions]

    def __iter__(self):
        where, values = self._where()
        columns = ", ".join(self.model.columns)
        for row in _connection.execute(f"SELECT {columns} FROM {self.model.table}{where} ORDER BY id", values):
            yield self.model(**dict(zip(self.model.columns, row)))

    def first(self):
        return next(iter(self), None)

    def get(self, **conditions):
        found = list(self.filter(**conditions))
        if len(found) != 1:
            raise DoesNotExist(f"{self.model.table}: {len(found)} rows")
        return found[0]

    def update(self, **values):
        where, given = self._where()
        names = ", ".join(f"{name} = ?" for name in values)
        return _connection.execute(f"UPDATE {self.model.table} SET {names}{where}", [*values.values(), *given]).rowcount


class Model:
    table = ""
    columns = ()
    manager = QuerySet

    def __init_subclass__(cls):
        cls.objects = cls.manager(cls)

    def __init__(self, **values):
        self.__dict__.update(values)
