-- all states have at most ten letters
ALTER TABLE "Orders" ALTER COLUMN "State" SET DEFAULT 'open', ALTER COLUMN "State" SET DATA TYPE character varying(10);
