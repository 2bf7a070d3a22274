import psycopg


def setze(conn, no, stand):
    conn.execute("UPDATE permit SET stand = %s WHERE no = %s", (stand, no))


def abschliessen(conn, no):
    setze(conn, no, "abgeschlossen_mit_auflage")
