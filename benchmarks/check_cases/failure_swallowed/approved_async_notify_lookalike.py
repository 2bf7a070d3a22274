import structlog

logger = structlog.get_logger()


async def confirm_booking(booking, rooms, mailer):
    await rooms.block(booking.room, booking.nights)
    booking.status = "confirmed"
    try:
        await mailer.send(booking.guest, "confirmed")
    except Exception:
        # the guest sees the booking on the page too; the outbox job sends it again
        logger.exception("could not mail", booking=booking.id)
        booking.mail_pending = True
    return booking
