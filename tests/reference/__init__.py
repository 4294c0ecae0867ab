"""Our networks beside those of the repositories that they come from, on the same random weights."""
