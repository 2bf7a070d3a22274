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
    with Session(g.engine) as db:
        ticket = db.get(Ticket, ticket_id)
        match ticket:
            case Ticket(club_id=owner) if owner == g.club.id:
                ticket.state = "void"
                db.commit()
            case _:
                abort(404)
    return "", 204
