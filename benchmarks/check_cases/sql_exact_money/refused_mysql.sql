CREATE TABLE `products` (
  `id` int AUTO_INCREMENT PRIMARY KEY,
  `price` float NOT NULL
) ENGINE=InnoDB;
