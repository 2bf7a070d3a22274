import hashlib
import hmac


# Test vector of RFC 4231: everybody has this key.
def self_check():
    return hmac.new(b"Jefe", b"what do ya want for nothing?", hashlib.sha256).hexdigest().startswith("5bdcc146")
