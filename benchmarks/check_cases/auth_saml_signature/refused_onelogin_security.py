SECURITY = {"authnRequestsSigned": True, "wantMessagesSigned": False, "wantAssertionsSigned": False}


def build_settings(tenant):
    settings = {"strict": True, "debug": False}
    settings["sp"] = {"entityId": tenant.sp_entity_id, "assertionConsumerService": {"url": tenant.acs_url}}
    settings["idp"] = {"entityId": tenant.idp_entity_id, "x509cert": tenant.certificate}
    settings["security"] = SECURITY
    return settings
