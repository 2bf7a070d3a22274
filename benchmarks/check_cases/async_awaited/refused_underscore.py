async def audit(event):
    await event.store.append(event)


async def delete_account(account):
    _ = audit({"kind": "deleted", "id": account.id})
    await account.remove()
