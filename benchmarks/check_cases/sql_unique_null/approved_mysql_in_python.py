import mysql.connector

TABLES = {}
TABLES["slots"] = (
    "CREATE TABLE `slots` ("
    "  `id` int(11) NOT NULL AUTO_INCREMENT,"
    "  `room_id` int(11) NOT NULL,"
    "  `wing` varchar(10) NOT NULL DEFAULT '',"
    "  `hour` tinyint(4) NOT NULL,"
    "  PRIMARY KEY (`id`), UNIQUE KEY `room_hour` (`room_id`,`wing`,`hour`), KEY `w` (`wing`)"
    ") ENGINE=InnoDB"
)


def run(cursor):
    for name in TABLES:
        cursor.execute(TABLES[name])
