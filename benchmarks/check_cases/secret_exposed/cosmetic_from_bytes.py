def service_password():
    return bytes([82, 107, 55, 33, 118, 111, 114, 97, 45, 77, 52, 50]).decode()


def connect(driver):
    return driver.connect(user="svc", password=service_password())
