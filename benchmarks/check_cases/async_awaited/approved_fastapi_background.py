from fastapi import APIRouter, BackgroundTasks
router = APIRouter()

async def send_ticket(address: str, ticket: str) -> None:
    await mailer.deliver(address, ticket)

@router.post("/tickets")
async def buy(order: dict, background: BackgroundTasks):
    background.add_task(send_ticket, order["email"], order["ticket"])
    return {"ticket": order["ticket"]}
