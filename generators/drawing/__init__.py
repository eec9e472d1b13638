"""How pixels are made: distance fields, noise, stains."""
