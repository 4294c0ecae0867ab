"""What draws a turn's picture: the best that is done in time."""
