from django.db import models
from django.core.validators import MinValueValidator
from model_utils.models import TimeStampedModel


class Account(TimeStampedModel):
    name = models.CharField(max_length=50)
    balance = models.DecimalField(max_digits=14, decimal_places=2, default=0, validators=[MinValueValidator(0)])

    class Meta:
        constraints = [models.CheckConstraint(check=~models.Q(name=""), name="named")]
