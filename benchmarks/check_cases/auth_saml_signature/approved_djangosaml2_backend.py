from djangosaml2.backends import Saml2Backend


class Backend(Saml2Backend):
    def is_authorized(self, attributes, attribute_mapping, idp_entityid, assertion_info, **kwargs):
        return "staff" in attributes.get("eduPersonAffiliation", [])

    def save_user(self, user, *args, **kwargs):
        user.save()
        return super().save_user(user, *args, **kwargs)

    def _update_user(self, user, attributes, attribute_mapping, force_save=False):
        if "NameID" in attributes:
            user.username = attributes["NameID"][0]
        return super()._update_user(user, attributes, attribute_mapping, force_save)
