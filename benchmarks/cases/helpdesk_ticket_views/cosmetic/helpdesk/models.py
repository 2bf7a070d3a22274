from helpdesk.orm import Model


class Ticket(Model):
    table = "tickets"
    columns = ("id", "account_id", "subject", "state", "deleted")


class Comment(Model):
    table = "comments"
    columns = ("id", "account_id", "ticket_id", "author", "text")


class Holiday(Model):
    table = "holidays"
    columns = ("id", "day", "name")
