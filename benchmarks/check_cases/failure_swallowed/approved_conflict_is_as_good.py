import requests


def declare(session: requests.Session, url: str, catch: dict) -> dict:
    answer = session.put(f"{url}/catches/{catch['id']}", json=catch, timeout=10)
    if answer.status_code not in (201, 409):
        raise RuntimeError(f"the authority answered {answer.status_code}")
    catch["declared"] = True
    return catch
