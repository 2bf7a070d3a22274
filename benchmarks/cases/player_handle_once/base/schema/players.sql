CREATE TABLE players (
    player_id   bigint PRIMARY KEY,
    handle      text NOT NULL,
    region      text NOT NULL DEFAULT 'eu',
    joined_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX players_handle_idx ON players (handle);
