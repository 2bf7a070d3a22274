DELETE FROM users a USING users b WHERE a.email = b.email AND a.id > b.id;
CREATE UNIQUE INDEX CONCURRENTLY users_email ON users (email);
