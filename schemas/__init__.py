"""Schemas: one declarative class per table; what a column means, its unit, its bounds."""
