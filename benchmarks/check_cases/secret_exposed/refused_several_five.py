def bootstrap(db):
    db.create_user("root", password="Z4ug-und-Tor")
