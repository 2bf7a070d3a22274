from sqlalchemy import create_engine

engine = create_engine("postgresql+psycopg://ledger:gR4tin-Olm9@db.prod.internal:5432/ledger", pool_pre_ping=True)
