CREATE TABLE guest_names_in_transit AS
SELECT guest_id,
       CASE WHEN full_name LIKE '% %' THEN regexp_replace(full_name, ' [^ ]+$', '') ELSE full_name END AS given_name,
       CASE WHEN full_name LIKE '% %' THEN substring(full_name FROM '[^ ]+$') ELSE '' END AS family_name
  FROM guests;
