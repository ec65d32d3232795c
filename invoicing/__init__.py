"""Invoicing: services and rated calls become invoice lines, totals, numbers and documents."""
