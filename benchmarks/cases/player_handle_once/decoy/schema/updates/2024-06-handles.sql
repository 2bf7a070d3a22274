SET search_path = public;

CREATE UNIQUE INDEX CONCURRENTLY players_handle_once
    ON players (region, handle);

ALTER TABLE players
    ADD CONSTRAINT players_handle_once UNIQUE USING INDEX players_handle_once;

DROP INDEX CONCURRENTLY players_handle_idx;

REINDEX TABLE CONCURRENTLY players;

CREATE TABLE handle_history (
    player_id bigint NOT NULL,
    handle text NOT NULL,
    since timestamptz NOT NULL
);
ALTER TABLE handle_history ADD CONSTRAINT handle_history_once UNIQUE (player_id, since);
