import pymysql


def create(conn):
    with conn.cursor() as cursor:
        cursor.execute("""
            CREATE TABLE IF NOT EXISTS `wallets` (
              `id` INT NOT NULL AUTO_INCREMENT,
              `user_id` INT UNSIGNED NOT NULL,
              `balance` DECIMAL(12,2) NOT NULL DEFAULT '0.00',
              PRIMARY KEY (`id`),
              UNIQUE KEY `uq_user` (`user_id`)
            ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4
        """)
