CREATE TABLE airport (iata char(3) PRIMARY KEY, city varchar(60) NOT NULL, elevation_m integer NOT NULL);
