from contextlib import contextmanager
from contextvars import ContextVar

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from .tables import Case, Note

firm_var: ContextVar[int] = ContextVar("firm")


def cases(session: Session):
    return session.scalars(select(Case).filter_by(firm_id=firm_var.get())).all()


def notes(session: Session, case_id: int):
    return session.scalars(
        select(Note).join(Case, Case.id == Note.case_id).where(Case.id == case_id, Case.firm_id == Note.firm_id)
    ).all()


def forget(session: Session, note_id: int):
    session.execute(delete(Note).where(Note.id == note_id, Note.firm_id == firm_var.get()))
