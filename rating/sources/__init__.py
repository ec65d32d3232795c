"""Sources: one module for each form in which records and tables arrive; the only readers of files here."""
