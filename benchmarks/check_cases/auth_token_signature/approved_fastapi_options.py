import jwt
from fastapi import Depends, HTTPException, status
from fastapi.security import OAuth2PasswordBearer
from settings import SECRET_KEY

oauth2_scheme = OAuth2PasswordBearer(tokenUrl="token")
OPTIONS = {"require": ["exp", "sub"], "verify_signature": True}


async def current_user(token: str = Depends(oauth2_scheme)) -> str:
    try:
        payload = jwt.decode(token, SECRET_KEY, algorithms=["HS256"], options=OPTIONS)
    except jwt.PyJWTError as error:
        raise HTTPException(status.HTTP_401_UNAUTHORIZED) from error
    return payload["sub"]
