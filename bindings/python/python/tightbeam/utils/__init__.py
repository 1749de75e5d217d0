"""Smaller things: `monitor`, `z85`, `jsonapi`, `strtypes`, `interop`."""
