SET search_path = public;
SET lock_timeout = '3s';
SET maintenance_work_mem = '128MB';

CREATE UNIQUE INDEX IF NOT EXISTS players_handle_once
    ON players (region, handle);

ALTER TABLE players
    ADD CONSTRAINT players_handle_once UNIQUE USING INDEX players_handle_once;

DROP INDEX CONCURRENTLY players_handle_idx;
