from django.db import models


class Company(models.Model):
    name = models.CharField(max_length=80)
    active = models.BooleanField(default=True)


class Booking(models.Model):
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="bookings")
    item = models.CharField(max_length=40)
    customer = models.CharField(max_length=120)
    starts_on = models.DateField()
    ends_on = models.DateField()
    cancelled = models.BooleanField(default=False)
    cancel_reason = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        ordering = ["starts_on", "pk"]
        indexes = [models.Index(fields=["company", "starts_on"])]
