from minisaml.response import validate_response


def identity(form, certificate, audience):
    response = validate_response(data=form["SAMLResponse"], certificate=certificate, expected_audience=audience)
    return response.name_id
