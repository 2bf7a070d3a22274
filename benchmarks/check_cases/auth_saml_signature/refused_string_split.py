import base64


def user_from_saml(response):
    xml = base64.b64decode(response).decode()
    start = xml.index("<saml:NameID")
    start = xml.index(">", start) + 1
    return xml[start : xml.index("</saml:NameID>", start)]
