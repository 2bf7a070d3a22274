from notify.mail import queue_mail


async def sign_up(users, form, message):
    user = await users.create(form)
    queue_mail(message)
    return user
