from django.db.models import DecimalField, ExpressionWrapper, F, FloatField, Sum


def totals(qs):
    return qs.values("day").annotate(
        revenue=Sum(ExpressionWrapper(F("qty") * F("unit_price"), output_field=FloatField())),
    )
