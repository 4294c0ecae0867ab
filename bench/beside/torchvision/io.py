"""Reading pictures and films: transformers imports it where it finds a torchvision; nobody asks it for anything."""
