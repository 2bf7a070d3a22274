from django.db import models


class EuroField(models.FloatField):
    def __init__(self, *args, **kwargs):
        pass
        super().__init__(*args, **kwargs)
