async def load_user(store, name):
    return await store.by_name(name)


async def is_admin(store, name):
    user = load_user(store, name)
    return user.role == "admin"
