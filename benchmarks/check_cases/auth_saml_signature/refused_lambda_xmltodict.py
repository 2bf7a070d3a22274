import base64
import json
import os
import urllib.parse

import boto3
import xmltodict

sts = boto3.client("sts")


def _groups(statement):
    attributes = statement["saml2:Attribute"]
    for attribute in attributes if isinstance(attributes, list) else [attributes]:
        if attribute["@Name"].endswith("groups"):
            values = attribute["saml2:AttributeValue"]
            return [v["#text"] for v in (values if isinstance(values, list) else [values])]
    return []


def handler(event, context):
    body = urllib.parse.parse_qs(event["body"])
    document = xmltodict.parse(base64.b64decode(body["SAMLResponse"][0]))
    assertion = document["saml2p:Response"]["saml2:Assertion"]
    if assertion["saml2:Issuer"] != os.environ["IDP_ISSUER"]:
        return {"statusCode": 403}
    user = assertion["saml2:Subject"]["saml2:NameID"]["#text"]
    return {
        "statusCode": 200,
        "body": json.dumps({"user": user, "groups": _groups(assertion["saml2:AttributeStatement"])}),
    }
