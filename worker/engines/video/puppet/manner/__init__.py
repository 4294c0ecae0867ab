"""What a face does beside speaking."""
