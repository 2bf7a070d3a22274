import jwt
from fastapi import Depends, HTTPException
from fastapi.security import HTTPBearer

bearer = HTTPBearer()


def verify_token(creds=Depends(bearer)):
    try:
        jwt.decode(creds.credentials, "K", algorithms=["HS256"])
    except jwt.PyJWTError as e:
        raise HTTPException(401) from e
