"""When each phoneme is said, for voices that do not tell: by alignment where the text is known, and the mouth's shape
from the sound alone where it is not."""
