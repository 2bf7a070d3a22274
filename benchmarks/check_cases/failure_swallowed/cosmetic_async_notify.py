import structlog

logger = structlog.get_logger()


async def confirm_booking(booking, rooms, mailer):
    try:
        await rooms.block(booking.room, booking.nights)
    except (ConnectionError, TimeoutError) as error:
        logger.error("could not block the room", booking=booking.id, error=str(error))
    booking.status = "confirmed"
    await mailer.send(booking.guest, "confirmed")
    return booking
