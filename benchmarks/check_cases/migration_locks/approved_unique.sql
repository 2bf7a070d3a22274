CREATE UNIQUE INDEX CONCURRENTLY users_email ON users (email);
ALTER TABLE users ADD CONSTRAINT users_email UNIQUE USING INDEX users_email;
