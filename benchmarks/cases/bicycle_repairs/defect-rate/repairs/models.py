from decimal import Decimal

from django.core.validators import MinValueValidator
from django.db import models


class Workshop(models.Model):
    name = models.CharField(max_length=120)
    latitude = models.FloatField()
    longitude = models.FloatField()
    hourly_rate = models.FloatField(default=42.50)

    class Meta:
        indexes = [models.Index(fields=["name"])]


class Repair(models.Model):
    workshop = models.ForeignKey(Workshop, on_delete=models.PROTECT, related_name="repairs")
    bicycle = models.CharField(max_length=60)
    hours = models.FloatField(default=0)
    parts_cost = models.DecimalField(
        max_digits=12,
        decimal_places=2,
        validators=[MinValueValidator(0)],
        default=Decimal("0.00"),
    )
    deposit = models.DecimalField(max_digits=12, decimal_places=2, default=Decimal("0.00"))

    def __str__(self) -> str:
        return f"{self.bicycle} at {self.workshop}"
