from sqlalchemy import select

from .models import Country


def country(session, code):
    return session.scalars(select(Country).where(Country.code == code)).one()


def all_countries(session):
    return session.execute("SELECT code, name FROM countries ORDER BY name").fetchall()
