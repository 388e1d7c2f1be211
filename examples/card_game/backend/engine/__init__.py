"""The rules: no network, no clock, no database."""
