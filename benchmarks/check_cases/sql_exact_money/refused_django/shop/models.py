from django.db import models


class Order(models.Model):
    number = models.CharField(max_length=20)
    total = models.FloatField()
    weight = models.FloatField()
