CREATE TYPE priority AS ENUM ('low', 'high');
CREATE TABLE "Orders" (
    "Id" uuid DEFAULT gen_random_uuid() PRIMARY KEY,
    "State" varchar(20) NOT NULL DEFAULT 'new',
    "Priority" priority NOT NULL DEFAULT 'low'
);
INSERT INTO "Orders" ("State") VALUES ('awaiting_payment');
