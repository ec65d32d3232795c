"""Explanations: why a call costs what it costs and why an invoice is what it is, in the words of an accountant."""
