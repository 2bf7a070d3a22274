import base64

from django.contrib.auth import get_user_model, login
from django.http import HttpResponseBadRequest
from django.shortcuts import redirect
from django.views.decorators.csrf import csrf_exempt

from .constants import TAG_SUBJECT_NAME
from .saml_utils import SamlDocument


@csrf_exempt
def assertion_consumer(request):
    encoded = request.POST.get("SAMLResponse")
    if not encoded:
        return HttpResponseBadRequest("missing SAMLResponse")
    document = SamlDocument(base64.b64decode(encoded))
    username = document.first_text(TAG_SUBJECT_NAME)
    user, _ = get_user_model().objects.get_or_create(username=username)
    user.email = document.attributes().get("email", [""])[0]
    user.save()
    login(request, user)
    return redirect("/")
