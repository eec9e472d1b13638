"""Drawn images beside real ones: what of them differs, before anything is learned."""
