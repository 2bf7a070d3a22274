import os

import psycopg


def pool():
    return psycopg.connect(os.environ["DATABASE_URL"])
