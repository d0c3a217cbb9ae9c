"""Does it learn, and which way better? Experiments on the bundled model, reproducible by one command each."""
