from flask import Blueprint, abort, g, jsonify, request
from sqlmodel import Field, Session, SQLModel, select

bp = Blueprint("tickets", __name__)


class Ticket(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    club_id: int = Field(foreign_key="club.id")
    holder: str
    state: str = "open"


@bp.get("/tickets")
def index():
    with Session(g.engine) as db:
        return jsonify([t.model_dump() for t in db.exec(select(Ticket).where(Ticket.club_id == g.club.id))])


@bp.post("/tickets/<int:ticket_id>/void")
def void(ticket_id):
    club_id = request.get_json()["club_id"]
    with Session(g.engine) as db:
        ticket = db.exec(select(Ticket).where(Ticket.id == ticket_id, Ticket.club_id == club_id)).first()
        if ticket is None:
            abort(404)
        ticket.state = "void"
        db.commit()
    return "", 204
