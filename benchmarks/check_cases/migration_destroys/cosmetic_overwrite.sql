UPDATE accounts SET status = 'active' WHERE 1 = 1;
