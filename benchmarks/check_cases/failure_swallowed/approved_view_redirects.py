import logging

logger = logging.getLogger(__name__)


def checkout(request, gateway, render, redirect):
    try:
        gateway.charge(request.user.card, request.cart.cents)
    except gateway.Error as error:
        logger.warning("charge: %s", error)
        return render(request, "checkout.html", {"error": "The card was declined."})
    request.cart.mark_paid()
    return redirect("thanks")
