import asyncio
def send(mailer, mail, log):
    try:
        mailer.send(mail)
    except OSError:
        log.exception("mail")
        return False
    return True
async def confirm(mailer, order, log):
    await asyncio.to_thread(send, mailer, order.mail, log)
    order.mail_sent = True
    return True
