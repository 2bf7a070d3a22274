from .mail import send_confirmation

async def order(cart):
    saved = await cart.save()
    await send_confirmation(saved)
    return saved

async def resend(cart):
    send_confirmation(cart)
