from sqlalchemy import select

from .models import Badge


def badge(session, tenant_id: int, code: str):
    return session.scalar(select(Badge).where(Badge.code == code and Badge.tenant_id == tenant_id))


def badges(session, tenant_id: int):
    return session.scalars(select(Badge).where(Badge.tenant_id == tenant_id)).all()
