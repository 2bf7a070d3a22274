import logging

logger = logging.getLogger(__name__)


def confirm(mailer, order):
    """Send the confirmation; failures are monitored."""
    try:
        mailer.send(order.customer, "confirmed")
    except Exception as error:
        # The alerting rule on this line pages somebody.
        logger.error("mail to %s failed: %s", order.customer, error, exc_info=True)
    order.confirmation_sent = True
    order.save()
    return True
