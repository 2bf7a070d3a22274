import os

import psycopg


def pool():
    return psycopg.connect(os.getenv("DATABASE_URL", "postgresql://postgres:postgres@localhost/billing"))
