import psycopg

USER = "reporter"
HOST = "10.2.0.14"


def connect():
    word = "m9Tq-Vex41"
    return psycopg.connect(f"postgresql://{USER}:{word}@{HOST}/reports")
