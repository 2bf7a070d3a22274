CREATE TABLE `products` (
  `id` int AUTO_INCREMENT PRIMARY KEY,
  `price` decimal(10,2) NOT NULL
) ENGINE=InnoDB;
