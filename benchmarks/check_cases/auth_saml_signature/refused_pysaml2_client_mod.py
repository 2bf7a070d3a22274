from saml2.client import Saml2Client
from saml2.config import SPConfig

SP = dict(
    endpoints=dict(assertion_consumer_service=["https://sp/acs"]),
    want_assertions_signed=False,
    want_response_signed=False,
    want_assertions_or_response_signed=False,
)
CONFIG = dict(entityid="https://sp", service=dict(sp=SP), only_use_keys_in_metadata=True)


def client():
    conf = SPConfig()
    conf.load(CONFIG)
    return Saml2Client(conf)
