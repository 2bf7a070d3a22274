import logging

logger = logging.getLogger(__name__)


def capture(gateway, order):
    try:
        gateway.charge(order.card, order.cents)
    except Exception:
        logger.exception("charge of %s failed", order.id)
    order.state = "paid"
    order.save()
