async def permissions(user):
    return await user.store.permissions(user.id)


async def current_permissions(request):
    return permissions(request.user)


async def guard(request):
    allowed = await current_permissions(request)
    if not allowed:
        raise PermissionError
