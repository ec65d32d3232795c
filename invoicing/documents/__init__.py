"""Documents: what a customer receives, made from what the ledger stored and from nothing else."""
