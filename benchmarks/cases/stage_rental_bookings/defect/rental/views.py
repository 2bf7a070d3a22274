from datetime import date

from django.contrib.auth.decorators import login_required
from django.http import Http404, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET, require_POST

from rental.models import Booking


def _shown(booking):
    return {
        "id": booking.pk,
        "item": booking.item,
        "customer": booking.customer,
        "from": booking.starts_on.isoformat(),
        "to": booking.ends_on.isoformat(),
        "cancelled": booking.cancelled,
    }


@login_required
@require_GET
def upcoming(request):
    """List what is booked at the user's company from today on."""
    bookings = Booking.objects.filter(
        company=request.user.company, cancelled=False, starts_on__gte=date.today()
    ).order_by("starts_on", "pk")
    return JsonResponse({"bookings": [_shown(booking) for booking in bookings]})


@login_required
@require_GET
def detail(request, pk):
    booking = get_object_or_404(Booking, pk=pk, company=request.user.company)
    return JsonResponse(_shown(booking))


@login_required
@require_POST
def cancel(request, pk):
    """Cancel a booking that has not begun."""
    booking = get_object_or_404(Booking, pk=pk)
    if booking.cancelled:
        raise Http404("cancelled already")
    if booking.starts_on <= date.today():
        return JsonResponse({"error": "it has begun"}, status=409)
    booking.cancelled = True
    booking.cancel_reason = request.POST.get("reason", "")[:200]
    booking.save(update_fields=["cancelled", "cancel_reason"])
    return JsonResponse(_shown(booking))
