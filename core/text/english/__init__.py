"""English as it is said: figures, money, times, dates and units in words."""
