ALTER TABLE invoices VALIDATE CONSTRAINT invoices_vendor_fk;
