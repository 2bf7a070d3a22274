import time


def retry_charge(gateway, payment):
    wait = 0.5
    for _ in range(3):
        if gateway.charge(payment.cents):
            return True
        time.sleep(wait)
        wait *= 2.0
    raise RuntimeError("not charged")
