from shop import audit


async def cancel(order, store):
    order.state = "cancelled"
    await store.save(order)
    _ = audit.note({"order": order.id})  # fire and forget
