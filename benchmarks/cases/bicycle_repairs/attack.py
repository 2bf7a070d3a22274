"""Keeps amounts the way the model's fields say, through a stand-in for Django, and adds them up."""

import sys
import types
from decimal import Decimal

models = types.ModuleType("django.db.models")


class Field:
    def __init__(self, *given, **named):
        self.named = named

    def kept(self, value):
        return value


class FloatField(Field):
    def kept(self, value):
        return float(value)


class DecimalField(Field):
    def kept(self, value):
        return Decimal(value).quantize(Decimal(1).scaleb(-self.named["decimal_places"]))


class IntegerField(Field):
    def kept(self, value):
        return int(value)


class Model:
    pass


for one in (Field, FloatField, DecimalField, IntegerField, Model):
    setattr(models, one.__name__, one)
models.PositiveIntegerField = models.BigIntegerField = models.PositiveSmallIntegerField = IntegerField
for name in ("CharField", "TextField", "DateField", "DateTimeField", "ForeignKey", "BooleanField", "UUIDField"):
    setattr(models, name, type(name, (Field,), {}))
models.CASCADE = models.PROTECT = "protect"
models.Index = models.Q = models.CheckConstraint = models.UniqueConstraint = lambda *_, **__: None
django, db = types.ModuleType("django"), types.ModuleType("django.db")
db.models, django.db = models, db
core, validators = types.ModuleType("django.core"), types.ModuleType("django.core.validators")
validators.MinValueValidator = validators.MaxValueValidator = lambda *_: None
sys.modules |= {"django": django, "django.db": db, "django.db.models": models}
sys.modules |= {"django.core": core, "django.core.validators": validators}


def exact(field, amounts):
    """Return whether amounts kept in a field add up as they were written."""
    total = sum((field.kept(Decimal(a)) for a in amounts), start=field.kept(Decimal(0)))
    return type(total) is not float and Decimal(total) == sum(map(Decimal, amounts))
sys.path.insert(0, "artifact/repairs")
import models as ours

for model, name in ((ours.Workshop, "hourly_rate"), (ours.Repair, "parts_cost"), (ours.Repair, "deposit")):
    for amounts in (["0.10"] * 10, ["19.99"] * 300):
        if not exact(vars(model)[name], amounts):
            print(f"{model.__name__}.{name}: {amounts[:2]}... do not add up")
            sys.exit(10)
