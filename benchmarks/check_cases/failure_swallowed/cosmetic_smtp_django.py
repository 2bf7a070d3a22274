import logging
from django.core.mail import send_mail
from .models import Invitation
log = logging.getLogger(__name__)

def invite(invitation: Invitation) -> None:
    count = send_mail("Einladung", invitation.text, "noreply@verein.example", [invitation.email], fail_silently=True)
    if not count:
        log.warning("mail to %s was not accepted", invitation.pk)
    invitation.state = "invited"
    invitation.save(update_fields=["state"])
