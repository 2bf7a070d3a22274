"""Signs in at the company's identity provider and fetches temporary AWS credentials."""

import base64
import getpass
import sys
import xml.etree.ElementTree as ET

import boto3
import requests
from bs4 import BeautifulSoup

IDP = "https://sso.example.com/adfs/ls/IdpInitiatedSignOn.aspx?loginToRp=urn:amazon:webservices"


def main():
    session = requests.Session()
    form = session.get(IDP)
    answer = session.post(form.url, data={"UserName": input("user: "), "Password": getpass.getpass()})
    soup = BeautifulSoup(answer.text, "html.parser")
    assertion = ""
    for tag in soup.find_all("input"):
        if tag.get("name") == "SAMLResponse":
            assertion = tag.get("value")
    if not assertion:
        sys.exit("no assertion")
    roles = []
    root = ET.fromstring(base64.b64decode(assertion))
    for attribute in root.iter("{urn:oasis:names:tc:SAML:2.0:assertion}Attribute"):
        if attribute.get("Name") == "https://aws.amazon.com/SAML/Attributes/Role":
            for value in attribute.iter("{urn:oasis:names:tc:SAML:2.0:assertion}AttributeValue"):
                roles.append(value.text)
    role, principal = roles[0].split(",")
    token = boto3.client("sts").assume_role_with_saml(RoleArn=role, PrincipalArn=principal, SAMLAssertion=assertion)
    print(token["Credentials"]["AccessKeyId"])


if __name__ == "__main__":
    main()
