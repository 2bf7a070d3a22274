from django.http import JsonResponse
from django.views import View

from pkg.auth import decode_response


class AcsView(View):
    def post(self, request, *args, **kwargs):
        assertion = decode_response(request.POST["SAMLResponse"])
        request.session["user"] = assertion.subject
        request.session["groups"] = assertion.values("groups")
        return JsonResponse({"user": assertion.subject})
