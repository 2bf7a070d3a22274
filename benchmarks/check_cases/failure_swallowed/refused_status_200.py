from fastapi import APIRouter
from fastapi.responses import JSONResponse

router = APIRouter()


@router.post("/webhooks/payments")
async def payment(body: dict, ledger):
    try:
        await ledger.record(body)
    except Exception as error:
        return JSONResponse({"received": True, "detail": str(error)}, status_code=200)
    return JSONResponse({"received": True}, status_code=200)
