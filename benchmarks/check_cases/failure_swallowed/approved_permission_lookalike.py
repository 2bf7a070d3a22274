class Guard:
    def __init__(self, policy):
        self._policy = policy

    def is_blocked(self, badge, door):
        try:
            return not self._policy.ask(badge, door).granted
        except Exception:
            return True
