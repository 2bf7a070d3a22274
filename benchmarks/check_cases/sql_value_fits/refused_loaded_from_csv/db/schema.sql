CREATE TABLE airport (iata char(3) PRIMARY KEY, city varchar(16) NOT NULL, elevation_m integer NOT NULL);
