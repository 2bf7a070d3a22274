-- Everything up to the last space is the given name; people with one name have only that.
UPDATE guests
   SET given_name = CASE WHEN full_name LIKE '% %' THEN regexp_replace(full_name, ' [^ ]+$', '') ELSE full_name END,
       family_name = CASE WHEN full_name LIKE '% %' THEN substring(full_name FROM '[^ ]+$') ELSE '' END;
