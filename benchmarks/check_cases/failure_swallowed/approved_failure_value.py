import logging

logger = logging.getLogger(__name__)


def charge(gateway, order):
    try:
        gateway.charge(order.card, order.cents)
    except gateway.Declined:
        logger.info("declined %s", order.id)
        return False
    order.state = "paid"
    return True
