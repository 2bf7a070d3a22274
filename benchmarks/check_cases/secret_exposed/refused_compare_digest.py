import hmac

from fastapi import Header, HTTPException


def internal_only(x_service_auth: str = Header()):
    if not hmac.compare_digest(x_service_auth, "Pz81-kQtw-77Lm-Xv3R"):
        raise HTTPException(403)
