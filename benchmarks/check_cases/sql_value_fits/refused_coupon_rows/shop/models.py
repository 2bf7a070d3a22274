from django.db import models


class Coupon(models.Model):
    code = models.CharField(max_length=8)
    percent = models.DecimalField(max_digits=4, decimal_places=2)
