import jwt


def issue(user):
    return jwt.encode({"sub": user.id}, "Pq8zLm2xVt5rYw9kNb3c", algorithm="HS256")
