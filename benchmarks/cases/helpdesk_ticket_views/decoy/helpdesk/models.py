from helpdesk.orm import Model, QuerySet


class OfAccounts(QuerySet):
    def of(self, account):
        return self.filter(account_id=account.id)


class Ticket(Model):
    table = "tickets"
    columns = ("id", "account_id", "subject", "state", "deleted")
    manager = OfAccounts


class Comment(Model):
    table = "comments"
    columns = ("id", "account_id", "ticket_id", "author", "text")
    manager = OfAccounts


class Holiday(Model):
    table = "holidays"
    columns = ("id", "day", "name")
