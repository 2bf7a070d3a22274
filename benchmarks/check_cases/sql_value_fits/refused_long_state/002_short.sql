ALTER TABLE "Orders" ALTER COLUMN "State" TYPE varchar(10);
