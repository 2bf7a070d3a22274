from django.db import models


class Coupon(models.Model):
    shop = models.ForeignKey("shops.Shop", on_delete=models.CASCADE)
    customer = models.ForeignKey("customers.Customer", null=True, blank=True, on_delete=models.SET_NULL)
    code = models.CharField(max_length=20)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["shop", "customer", "code"], name="uq_coupon"),
            models.UniqueConstraint(
                fields=["shop", "code"], condition=models.Q(customer__isnull=True), name="uq_coupon_all"
            ),
        ]
