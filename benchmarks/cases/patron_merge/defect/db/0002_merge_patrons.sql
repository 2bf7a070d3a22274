CREATE TEMP TABLE merged ON COMMIT DROP AS
SELECT patron_id, first_id
  FROM (SELECT patron_id, min(patron_id) OVER (PARTITION BY lower(email)) AS first_id
          FROM patron) AS p
 WHERE patron_id <> first_id;

UPDATE loan SET patron_id = m.first_id
  FROM merged m
 WHERE loan.patron_id = m.patron_id;

DELETE FROM patron p
 USING merged m
 WHERE p.patron_id = m.patron_id;
