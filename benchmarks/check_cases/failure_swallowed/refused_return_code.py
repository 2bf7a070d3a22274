import subprocess


def restore(dump, database):
    subprocess.run(["pg_restore", "--clean", "-d", database, dump])
    return {"ok": True, "restored": str(dump)}
