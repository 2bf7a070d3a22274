import requests


def declare(session: requests.Session, url: str, catch: dict) -> dict:
    answer = session.put(f"{url}/catches/{catch['id']}", json=catch, timeout=10)
    if answer.status_code >= 500:
        raise RuntimeError("the authority is away")
    catch["declared"] = True
    return catch
