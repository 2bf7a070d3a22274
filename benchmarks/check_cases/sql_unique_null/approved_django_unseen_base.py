from core.models import TimeStamped
from django.db import models


class Price(TimeStamped):
    sku = models.CharField(max_length=20)
    region = models.CharField(max_length=2)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sku", "region"], name="one_price_per_region")]
