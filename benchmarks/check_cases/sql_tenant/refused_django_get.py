from django.http import JsonResponse
from django.shortcuts import get_object_or_404

from .models import Invoice


def invoice_list(request):
    rows = Invoice.objects.filter(organization=request.organization).values("id", "number")
    return JsonResponse({"invoices": list(rows)})


def invoice_detail(request, pk):
    invoice = get_object_or_404(Invoice, pk=pk)
    return JsonResponse({"id": invoice.pk, "number": invoice.number})
