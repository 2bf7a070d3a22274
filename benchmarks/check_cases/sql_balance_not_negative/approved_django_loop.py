from django.db import models

STORES = ("balance", "held_balance")


class Wallet(models.Model):
    balance = models.DecimalField(max_digits=12, decimal_places=2, default=0)
    held_balance = models.DecimalField(max_digits=12, decimal_places=2, default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(name=f"{field}_not_negative", condition=models.Q(**{f"{field}__gte": 0}))
            for field in STORES
        ]
