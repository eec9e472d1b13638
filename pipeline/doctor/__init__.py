"""What a crash leaves, and what an installation lacks: found, said and mended."""
