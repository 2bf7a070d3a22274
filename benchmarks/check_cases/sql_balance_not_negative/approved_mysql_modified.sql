CREATE TABLE `wallet` (
  `id` bigint unsigned NOT NULL AUTO_INCREMENT,
  `balance` int unsigned NOT NULL DEFAULT 0,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB;
ALTER TABLE `wallet` MODIFY COLUMN `balance` decimal(12,2) unsigned NOT NULL DEFAULT 0, ALGORITHM=COPY;
