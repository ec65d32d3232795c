"""What finance looks at: one month on one page, its figures drawn from what was issued or would be."""
