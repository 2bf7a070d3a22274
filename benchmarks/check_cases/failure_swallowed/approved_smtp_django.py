from django.core.mail import send_mail
from .models import Invitation

def invite(invitation: Invitation) -> None:
    send_mail("Einladung", invitation.text, "noreply@verein.example", [invitation.email])
    invitation.state = "invited"
    invitation.save(update_fields=["state"])
