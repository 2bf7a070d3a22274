UPDATE "Orders" SET "State" = 'awaiting' WHERE "State" = 'awaiting_payment';
ALTER TABLE "Orders" ALTER COLUMN "State" TYPE varchar(10);
