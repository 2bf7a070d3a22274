import boto3

SECRET_NAME = "prod/payments/stripe-key-v2"
PASSWORD_FIELD = "new_password1"
TOKEN_URL = "https://login.example.net/oauth2/v2.0/token"
API_KEY_HEADER = "X-Api-Key-V2"
SECRET_ARN = "arn:aws:secretsmanager:eu-central-1:1234:secret:db-Xa81Zq"
PASSWORD_PATH = "/run/secrets/db_password_2"


def stripe_key():
    return boto3.client("secretsmanager").get_secret_value(SecretId=SECRET_NAME)["SecretString"]
