"""The double of the package `voxcpm`, with VoxCPM2's checks."""
