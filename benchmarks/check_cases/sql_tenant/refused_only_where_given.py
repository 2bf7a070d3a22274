from fastapi import APIRouter, Depends, Query
from sqlalchemy import select

from .deps import current_agent, get_session
from .models import Booking

router = APIRouter()


@router.get("/bookings")
def bookings(state: str | None = None, agency_id: int | None = Query(None), agent=Depends(current_agent), session=Depends(get_session)):
    stmt = select(Booking)
    if state:
        stmt = stmt.where(Booking.state == state)
    if agency_id:
        stmt = stmt.where(Booking.agency_id == agency_id)
    return session.scalars(stmt.limit(100)).all()


@router.get("/bookings/{booking_id}")
def booking(booking_id: int, agent=Depends(current_agent), session=Depends(get_session)):
    return session.scalar(select(Booking).where(Booking.id == booking_id, Booking.agency_id == agent.agency_id))
