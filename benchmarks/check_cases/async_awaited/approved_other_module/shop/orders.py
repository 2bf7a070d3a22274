from shop import audit


async def cancel(order, store):
    order.state = "cancelled"
    await store.save(order)
    await audit.note({"order": order.id})
