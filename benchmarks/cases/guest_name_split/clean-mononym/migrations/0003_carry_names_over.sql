-- Everything up to the last space is the given name.
UPDATE guests
   SET given_name = regexp_replace(full_name, ' [^ ]+$', ''),
       family_name = substring(full_name FROM '[^ ]+$')
 WHERE full_name LIKE '% %';

UPDATE guests SET given_name = full_name WHERE full_name NOT LIKE '% %';
