from decimal import Decimal

from django.db import models


class Plan(models.Model):
    name = models.CharField(max_length=20)
    discount = models.DecimalField(
        "discount in percent", default=Decimal("99.99") + Decimal("0.01"), max_digits=4, decimal_places=2
    )
