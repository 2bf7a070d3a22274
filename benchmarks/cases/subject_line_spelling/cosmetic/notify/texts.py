"""What our e-mails say."""

REMINDER_SUBJECT = "Your library card expires soon"
REMINDER_BODY = """\
Dear {name},

your card is valid until {until}. You can renew it at every desk or online.

Your library
"""
SENDER = "noreply@library.example"
REMIND_DAYS_BEFORE = 14


def reminder(name: str, until: str) -> tuple[str, str, str]:
    """Return sender, subject and body."""
    return SENDER, REMINDER_SUBJECT, REMINDER_BODY.format(name=name, until=until)
