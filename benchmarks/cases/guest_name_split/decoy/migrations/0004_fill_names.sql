UPDATE guests AS g
   SET given_name = t.given_name,
       family_name = t.family_name
  FROM guest_names_in_transit AS t
 WHERE t.guest_id = g.guest_id;

DROP TABLE guest_names_in_transit;
