from flask import Blueprint, redirect, request, session

from .response import AuthnResponse

blueprint = Blueprint("identity", __name__)


@blueprint.route("/acs", methods=["POST"])
def acs():
    answer = AuthnResponse(request.form["SAMLResponse"])
    session["user"] = {"name": answer.subject, "mail": answer.mail}
    return redirect("/")
