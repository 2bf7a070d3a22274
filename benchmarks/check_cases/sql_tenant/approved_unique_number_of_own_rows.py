from django.contrib.auth.decorators import login_required
from django.db import models
from django.http import JsonResponse


class Item(models.Model):
    company = models.ForeignKey("Company", on_delete=models.CASCADE)
    label_no = models.CharField(max_length=20, unique=True)
    kind = models.CharField(max_length=20)


@login_required
def items(request):
    rows = Item.objects.filter(company=request.user.profile.company)
    again = Item.objects.filter(label_no__in=rows.values("label_no"))
    return JsonResponse({"items": list(again.values()), "n": rows.count()})
