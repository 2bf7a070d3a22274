CACHE_KEY = "user:profile:v3:9f8e7d6c5b4a"
PARTITION_KEY = "tenant#2024"
NAMESPACE = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
PAGE_TOKEN = "CAUQAA1b2c3d4e5f6g7h"


def key_for(user):
    return f"{CACHE_KEY}:{user.id}"
