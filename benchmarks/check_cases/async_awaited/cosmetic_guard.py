async def may_edit(user, page, grants):
    return page.id in await grants.of(user)


async def edit(user, page, text, grants):
    allowed = bool(may_edit(user, page, grants))
    if not allowed:
        raise PermissionError(page.id)
    page.text = text
