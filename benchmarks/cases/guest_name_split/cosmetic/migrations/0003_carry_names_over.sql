-- Backfill, so that nothing reads NULL once the old column is gone.
UPDATE guests
   SET given_name = coalesce(given_name, ''),
       family_name = coalesce(family_name, '')
 WHERE full_name IS NOT NULL;
