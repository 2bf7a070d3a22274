CREATE TABLE merged AS
SELECT patron_id, first_id
  FROM (SELECT patron_id, min(patron_id) OVER (PARTITION BY lower(email)) AS first_id
          FROM patron) AS p
 WHERE patron_id <> first_id;

UPDATE loan SET patron_id = m.first_id
  FROM merged m
 WHERE loan.patron_id = m.patron_id;

UPDATE hold SET patron_id = m.first_id
  FROM merged m
 WHERE hold.patron_id = m.patron_id;

DELETE FROM patron
 WHERE patron_id IN (SELECT patron_id FROM merged);

DROP TABLE merged;
