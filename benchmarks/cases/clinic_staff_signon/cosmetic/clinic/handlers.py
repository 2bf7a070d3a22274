import functools

from clinic.assertions import AssertionReader, NotSignedOn


def signed_on(settings):
    """Decorate a handler: it gets the staff member who is signed on, or is not called at all."""
    reader = AssertionReader(settings)

    def decorate(handler):
        @functools.wraps(handler)
        def wrapper(form):
            staff, groups = reader.read(form["SAMLResponse"])
            if not staff or not groups & settings.allowed_groups:
                raise NotSignedOn("no access for these groups")
            return handler(form, staff)

        return wrapper

    return decorate
