from core.fields import EuroField
from django.db import models


class Membership(models.Model):
    member = models.CharField(max_length=80)
    annual = EuroField()
