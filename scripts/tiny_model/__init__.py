"""How the bundled model `sajin-tiny` is made: painter, captions, training, packaging and measurement."""
