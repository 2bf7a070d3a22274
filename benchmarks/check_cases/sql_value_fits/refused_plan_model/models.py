from decimal import Decimal

from django.db import models

FULL = Decimal("100")


class Plan(models.Model):
    name = models.CharField(max_length=20)
    discount = models.DecimalField(max_digits=4, decimal_places=2, default=FULL)
