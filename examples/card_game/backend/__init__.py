"""A multiplayer card game backend."""
