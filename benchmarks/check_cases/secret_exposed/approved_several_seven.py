def reset_password_template():
    return "reset-password-2.html"


def password_field():
    return "Password2"


def token_header():
    return "X-Auth-Token"
