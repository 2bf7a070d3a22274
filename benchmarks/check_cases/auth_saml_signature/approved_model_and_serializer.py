"""Who signed in by SAML, as the database keeps it."""

from django.db import models
from rest_framework import serializers


class SamlIdentity(models.Model):
    name_id = models.CharField(max_length=255)
    session_index = models.CharField(max_length=255, blank=True)
    attributes = models.JSONField(default=dict)

    def __str__(self):
        return f"{self.name_id} ({self.session_index})"


class SamlIdentitySerializer(serializers.ModelSerializer):
    Subject = serializers.CharField(source="name_id")

    class Meta:
        model = SamlIdentity
        fields = ["Subject", "attributes"]


def find(name_id):
    return SamlIdentity.objects.filter(name_id=name_id).first()
