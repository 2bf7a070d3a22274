from itsdangerous import URLSafeTimedSerializer


def serializer(app):
    return URLSafeTimedSerializer(app.config.get("COOKIE_KEY", "9f8d7c6b5a4e3d2c1b0a99887766"), salt="cookie")
