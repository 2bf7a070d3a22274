def has_permission(policy, user, action):
    try:
        return policy.check(user, action)
    except Exception:
        return True
