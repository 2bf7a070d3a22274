SET search_path = public;

CREATE UNIQUE INDEX CONCURRENTLY players_handle_once
    ON players (region, handle);

ALTER TABLE players
    ADD CONSTRAINT players_handle_once UNIQUE USING INDEX players_handle_once;

DROP INDEX CONCURRENTLY players_handle_idx;

-- Handles were renamed a lot lately.
REINDEX TABLE players;
