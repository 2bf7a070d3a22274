import jwt

PEM = """-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIJ3kQv8W4mXhZ0bTnY7sLrC2uFdGpAoE1iR9xKwVtMzJoAoGCCqGSM49
AwEHoUQDQgAEq5N8yHcWbR2xJtLd7vPfKmZsG0oU3hTnEiYwCkXa1BrQVu6eSlMj
-----END EC PRIVATE KEY-----
"""


def issue(subject):
    return jwt.encode({"sub": subject}, PEM, algorithm="ES256")
