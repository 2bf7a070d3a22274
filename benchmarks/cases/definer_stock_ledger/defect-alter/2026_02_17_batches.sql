-- The database linter warns about functions that run as their owner.
ALTER FUNCTION inv.apply_movement() SECURITY INVOKER;
ALTER FUNCTION inv.apply_movement() RESET search_path;

CREATE INDEX movement_by_batch ON inv.movement (article, batch);
