"""Folders of random weights, of any size, that the libraries load as they load the published ones."""
