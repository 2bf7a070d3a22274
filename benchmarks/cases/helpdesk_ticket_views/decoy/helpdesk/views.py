from helpdesk.models import Comment, Holiday, Ticket
from helpdesk.orm import DoesNotExist


class NotFound(Exception):
    status = 404


def ticket_list(account, state="open"):
    return [
        {"id": ticket.id, "subject": ticket.subject}
        for ticket in Ticket.objects.of(account).filter(state=state, deleted=0)
    ]


def ticket_detail(account, pk):
    ticket = _ticket(account, pk)
    comments = Comment.objects.of(account).filter(ticket_id=ticket.id)
    return {
        "subject": ticket.subject,
        "state": ticket.state,
        "comments": [f"{comment.author}: {comment.text}" for comment in comments],
    }


def close(account, pk):
    ticket = _ticket(account, pk)
    Ticket.objects.of(account).filter(id=ticket.id).update(state="closed")
    return {"id": ticket.id, "state": "closed"}


def holidays(account):
    return {holiday.day: holiday.name for holiday in Holiday.objects.all()}


def _ticket(account, pk):
    try:
        return Ticket.objects.of(account).get(id=pk, deleted=0)
    except DoesNotExist:
        raise NotFound(f"ticket {pk}") from None
