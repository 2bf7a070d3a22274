"""SCIM users from the directory; the login itself is SAML and lives elsewhere."""

import jwt
import requests


def user(token, base_url, name_id):
    response = requests.get(f"{base_url}/Users/{name_id}", headers={"Authorization": f"Bearer {token}"}, timeout=5)
    data = response.json()
    return {"id": data["id"], "attributes": data["Attribute"], "subject": data["Subject"]}


def claims(token, key):
    return jwt.decode(token, key, algorithms=["RS256"], audience="app")["sub"]
