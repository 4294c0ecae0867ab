"""What every voice has in common, whichever engine it is: who speaks, how long a text may take, and one finish."""
