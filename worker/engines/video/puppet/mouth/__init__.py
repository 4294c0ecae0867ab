"""From phonemes, or from sound alone, to the articulators' movements."""
