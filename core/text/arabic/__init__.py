"""Arabic as it is said: figures, money, times, dates and units in words that agree with what they count."""
