"""What engines that run on torch have in common. Importing any of these modules imports neither torch nor a library on
top of it."""
