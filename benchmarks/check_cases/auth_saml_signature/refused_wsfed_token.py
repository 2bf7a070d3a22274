from lxml import etree


def signin(request):
    wresult = request.POST["wresult"]
    root = etree.fromstring(wresult.encode())
    email = root.find(".//{urn:oasis:names:tc:SAML:1.0:assertion}NameIdentifier").text
    request.session["email"] = email
