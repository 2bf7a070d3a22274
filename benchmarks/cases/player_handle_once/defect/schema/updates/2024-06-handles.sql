SET search_path = public;

ALTER TABLE players
    ADD CONSTRAINT players_handle_once UNIQUE (region, handle);

DROP INDEX CONCURRENTLY players_handle_idx;
