"""AnimateDiff: frames that are made together, so that they are one moving picture, and the files they become."""
