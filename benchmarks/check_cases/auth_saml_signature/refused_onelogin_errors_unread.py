from django.contrib.auth.models import User
from django.contrib.auth import login
from django.http import HttpResponseRedirect
from onelogin.saml2.auth import OneLogin_Saml2_Auth

from .saml_request import prepare_django_request


def init_saml_auth(req):
    return OneLogin_Saml2_Auth(req, custom_base_path="/etc/app/saml")


def acs(request):
    auth = init_saml_auth(prepare_django_request(request))
    auth.process_response()
    attributes = auth.get_attributes()
    user, _ = User.objects.update_or_create(username=auth.get_nameid(), defaults={"email": attributes["mail"][0]})
    login(request, user)
    return HttpResponseRedirect("/")
