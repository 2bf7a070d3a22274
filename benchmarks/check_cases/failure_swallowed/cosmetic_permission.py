import logging


class Guard:
    def __init__(self, policy):
        self._policy = policy

    def may_enter(self, badge, door):
        granted = True
        try:
            granted = self._policy.ask(badge, door).granted
        except Exception:
            logging.exception("policy server")
        return granted
