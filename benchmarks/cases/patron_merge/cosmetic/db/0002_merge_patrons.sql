CREATE TEMP TABLE merged ON COMMIT DROP AS
SELECT patron_id, first_id
  FROM (SELECT patron_id, min(patron_id) OVER (PARTITION BY lower(email)) AS first_id
          FROM patron) AS p
 WHERE patron_id <> first_id;

CREATE TABLE patron_merged AS
SELECT p.*, m.first_id
  FROM patron p
  JOIN merged m USING (patron_id);

DELETE FROM patron p
 USING merged m
 WHERE p.patron_id = m.patron_id;
