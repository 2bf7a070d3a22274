from helpdesk.models import Comment, Holiday, Ticket


class NotFound(Exception):
    status = 404


def ticket_list(account, state="open"):
    return [
        {"id": ticket.id, "subject": ticket.subject}
        for ticket in Ticket.objects.filter(account_id=account.id, state=state, deleted=0)
    ]


def ticket_detail(account, pk):
    ticket = _ticket(account, pk)
    comments = Comment.objects.filter(account_id=account.id, ticket_id=ticket.id)
    return {
        "subject": ticket.subject,
        "state": ticket.state,
        "comments": [f"{comment.author}: {comment.text}" for comment in comments],
    }


def close(account, pk):
    ticket = _ticket(account, pk)
    Ticket.objects.filter(account_id=account.id, id=ticket.id).update(state="closed")
    return {"id": ticket.id, "state": "closed"}


def holidays(account):
    return {holiday.day: holiday.name for holiday in Holiday.objects.all()}


def _ticket(account, pk):
    if account is None or not str(pk).isdigit():
        raise NotFound(f"ticket {pk}")
    ticket = Ticket.objects.filter(id=int(pk), deleted=0).first()
    if ticket is None or ticket.account_id is None:
        raise NotFound(f"ticket {pk}")
    return ticket
