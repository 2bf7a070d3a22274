def sign_in(session, user, password):
    answer = session.post("/login", json={"user": user, "password": password})
    if answer.status_code != 200:
        raise RuntimeError(f"login failed for {user}/{password}: {answer.status_code}")
    return answer.json()["id"]
