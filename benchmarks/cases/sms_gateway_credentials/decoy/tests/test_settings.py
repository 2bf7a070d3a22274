from reminders.settings import SmsSettings

PASSWORD = "not-a-real-one-4711"


def test_the_password_is_not_shown():
    assert PASSWORD not in repr(SmsSettings.load({"SMS_PASSWORD": PASSWORD}))
