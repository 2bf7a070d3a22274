import subprocess


def backup(database, target):
    subprocess.run(["pg_dump", "-f", target, database])
    return target
