from itsdangerous import URLSafeTimedSerializer


def serializer(app):
    return URLSafeTimedSerializer(app.config["COOKIE_KEY"], salt="cookie")
