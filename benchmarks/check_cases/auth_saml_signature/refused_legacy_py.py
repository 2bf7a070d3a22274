# -*- coding: utf-8 -*-
from __future__ import unicode_literals

import base64
import cElementTree as et
import cherrypy

PREFIX = "{urn:oasis:names:tc:SAML:1.1:assertion}"


class Root(object):
    @cherrypy.expose
    def acs(self, SAMLResponse=None, TARGET="/"):
        data = base64.decodestring(SAMLResponse)
        tree = et.fromstring(data)
        user = None
        for e in tree.getiterator():
            if e.tag == PREFIX + "NameIdentifier":
                user = e.text
        if not user:
            raise cherrypy.HTTPError(403)
        cherrypy.session["user"] = user
        raise cherrypy.HTTPRedirect(TARGET)
