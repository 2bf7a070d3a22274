from onelogin.saml2.response import OneLogin_Saml2_Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings


def identity(encoded_response, settings_data):
    settings = OneLogin_Saml2_Settings(settings_data)
    response = OneLogin_Saml2_Response(settings, encoded_response)
    return response.get_nameid(), response.get_attributes()
