from django.contrib.auth.decorators import login_required
from django.http import HttpResponseForbidden, JsonResponse
from .models import Item


@login_required
def mine(request):
    items = Item.objects.filter(company_id=request.user.profile.company_id)
    return JsonResponse({"n": items.count()})


@login_required
def items(request):
    company_id = request.GET.get("company_id")
    if not request.user.companies.filter(pk=company_id).exists():
        return HttpResponseForbidden()
    rows = Item.objects.filter(company_id=company_id)
    return JsonResponse({"items": list(rows.values())})
